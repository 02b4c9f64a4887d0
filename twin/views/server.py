"""Start the page's server as a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from twin.errors import InputError

APP = Path(__file__).parents[1] / "app.py"
START_TIMEOUT_S = 60.0
PLUGINS = "ORBITAL_TWIN_PLUGINS"
"""Environment variable by which the page's process learns of plug-ins, as a path's parts."""
RUNS = "ORBITAL_TWIN_RUNS"
"""Environment variable by which it learns where runs are."""


@contextmanager
def served(
    folder: Path,
    *,
    port: int | None = None,
    app: Path = APP,
    plugins: Sequence[str] = (),
    runs_dir: Path = Path("runs"),
) -> Iterator[str]:
    """Serve a page from a folder, whose ``runs/`` it uses; gives its address, and stops at the end.

    Parameters
    ----------
    folder : Path
    port : int, optional
        Any free one by default.
    app : Path
        The page.
    plugins : sequence of str
        Plug-ins that the page's process loads: files or modules.
    runs_dir : Path
        Where the runs are, from `folder`.

    Raises
    ------
    InputError
        If the port is taken, or the server does not start.
    """
    with socket.socket() as probe:
        # A port whose last server has just stopped is free, as it is for the server itself.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("localhost", port or 0))
        except OSError as error:
            raise InputError(f"port {port}: {error.strerror}") from None
        port = probe.getsockname()[1]
    url = f"http://localhost:{port}"
    # In production mode no files are watched: a server that watches takes many inotify instances.
    command = [sys.executable, "-m", "solara", "run", str(app)]
    command += ["--no-open", "--production", "--port", str(port)]
    environment = os.environ | {RUNS: str(runs_dir)}
    environment |= {PLUGINS: os.pathsep.join(plugins)} if plugins else {}
    server = subprocess.Popen(command, cwd=folder, env=environment)
    try:
        _wait(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(10)


def named_plugins() -> list[str]:
    """Plug-ins that were named when this process was started."""
    return [name for name in os.environ.get(PLUGINS, "").split(os.pathsep) if name]


def runs_folder() -> Path:
    """Where the runs of this process are."""
    return Path(os.environ.get(RUNS, "runs"))


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            urlopen(url, timeout=5).close()
        except (URLError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    raise InputError(f"the page's server did not answer at {url}")
