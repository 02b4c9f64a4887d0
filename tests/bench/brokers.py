"""A mosquitto of one's own, which can be killed and started again."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
ANYBODY = ("allow_anonymous true",)
SAVES_AT_ONCE = (*ANYBODY, "autosave_interval 1", "autosave_on_changes true")
SAVES_OFTEN = (*ANYBODY, "autosave_interval 100", "autosave_on_changes true")
"""After so many changes: what it loses, a plant sends again; each time it saves all that waits."""


class Running:
    """A broker on a free port of loopback; it runs at once.

    Parameters
    ----------
    folder : Path
        Where it keeps what it has.
    more : str
        Lines of its configuration.
    """

    def __init__(self, folder: Path, *more: str) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self._file = folder / "mosquitto.conf"
        lines = [
            f"listener {self.port} 127.0.0.1",
            "persistence true",
            f"persistence_location {folder}/",
            "max_queued_messages 0",
            "set_tcp_nodelay true",
            *(more or ANYBODY),
        ]
        if os.getuid() == 0:
            lines.append("user root")
        self._file.write_text("\n".join(lines))
        self.start()

    def start(self) -> None:
        """Start, and wait until it listens."""
        assert MOSQUITTO is not None
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self._file)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline_s = time.monotonic() + 10
        while time.monotonic() < deadline_s:
            with socket.socket() as found:
                if found.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("mosquitto does not start")

    def kill(self) -> None:
        """Kill it, as -9 does."""
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Stop it, so that it saves what it has, and start it again."""
        self._process.terminate()
        self._process.wait()
        self.start()
