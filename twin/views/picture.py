"""Take a picture of the page: ``python -m twin.views.picture FILE.png``.

Shows the newest run in ``runs/``, or makes one. Needs the development packages and Chromium.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

APP = Path(__file__).parents[1] / "app.py"
CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
"""What headless Chromium needs to draw without a graphics card and to stay off the network."""

WINDOW = {"width": 1400, "height": 900}
START_TIMEOUT_S = 60.0
TIME_SHOWN = 0.25
"""Where in the first step the picture is taken: tokens are then on their way in front."""

SEEK = """time => {
    const scrub = document.querySelector('.tg-scrub');
    scrub.value = time;
    scrub.dispatchEvent(new Event('input'));
}"""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the page from a folder, whose ``runs/`` it uses; gives its address."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    url = f"http://localhost:{port}"
    # In production mode no files are watched: a server that watches takes many inotify instances.
    command = [sys.executable, "-m", "solara", "run", str(APP)]
    command += ["--no-open", "--production", "--port", str(port)]
    server = subprocess.Popen(command, cwd=folder)
    try:
        _wait(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(10)


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urlopen(url, timeout=5).close()
        except (URLError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the page's server did not answer at {url}")


def take(file: Path) -> None:
    """Write a picture of the page to a PNG file."""
    from playwright.sync_api import sync_playwright

    with served(Path.cwd()) as url, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        page = chromium.new_page(viewport=WINDOW)  # type: ignore[arg-type]
        page.goto(url)
        page.wait_for_selector(".twin-globe[data-draws]", timeout=1000 * START_TIMEOUT_S)
        page.evaluate(SEEK, TIME_SHOWN)
        page.wait_for_timeout(2000)
        page.screenshot(path=file)
        chromium.close()


if __name__ == "__main__":
    take(Path(sys.argv[1]))
