"""Take a picture of the page: ``python -m twin.views.picture FILE.webp``.

Shows the newest run in ``runs/``, or makes one. Needs the development packages and Chromium.
"""

import io
import sys
from pathlib import Path

from twin.views.server import START_TIMEOUT_S, served

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
TIME_SHOWN = 0.42
"""Where in the first step the picture is taken: tokens are then on their way in front."""
QUALITY = 88

SEEK = """time => {
    const scrub = document.querySelector('.tw-scrub');
    scrub.value = time;
    scrub.dispatchEvent(new Event('input'));
}"""
COMPLETE = "document.querySelector('.tw-note') === null"


def take(file: Path) -> None:
    """Write a picture of the page to a WebP file."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with served(Path.cwd()) as url, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        page = chromium.new_page(viewport=WINDOW, color_scheme="dark")  # type: ignore[arg-type]
        page.goto(url)
        page.wait_for_selector(".tw-stage[data-draws]", timeout=1000 * START_TIMEOUT_S)
        page.wait_for_function(COMPLETE, timeout=1000 * START_TIMEOUT_S)
        page.wait_for_timeout(3000)
        page.evaluate(SEEK, TIME_SHOWN)
        page.wait_for_timeout(2000)
        picture = page.screenshot()
        chromium.close()
    Image.open(io.BytesIO(picture)).convert("RGB").save(file, quality=QUALITY, method=6)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
