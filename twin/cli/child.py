"""Commands with plug-ins run in a process of their own, so that its death can be reported."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import NoReturn

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_DIES_WITH_PARENT = 1
"""Linux: prctl(PR_SET_PDEATHSIG)."""


def plugin_files(args: Sequence[str]) -> list[str]:
    """Plug-ins that a command line names."""
    named = [after for option, after in pairwise(args) if option == "--plugin"]
    return named + [a.partition("=")[2] for a in args if a.startswith("--plugin=")]


def is_own_process() -> bool:
    """Whether this process is the command and nothing else, which may then be divided in two."""
    main = getattr(sys.modules["__main__"], "__file__", None) or ""
    return sys.platform == "linux" and Path(main).name == "twin"


def run_apart(command: Callable[[], int | None]) -> str:
    """Run a command in a child and end as it does; return only where it died instead of ending.

    Signals are passed on.

    Parameters
    ----------
    command : callable
        Returns its exit code, or None.

    Returns
    -------
    str
        How it died.
    """
    reader, writer = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _be_child(command, writer, parent)
    os.close(writer)

    def forward(number: int, _: FrameType | None) -> None:
        os.kill(child, number)

    for number in _FORWARDED:
        signal.signal(number, forward)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ended = os.read(reader, 1)
    if status < 0 and -status not in _FORWARDED:
        return f"the process died of {signal.Signals(-status).name}"
    if status < 0:  # as whoever asked for it expects
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    if not ended:
        return f"the process was ended with status {status}"
    sys.exit(status)


def _be_child(command: Callable[[], int | None], writer: int, parent: int) -> NoReturn:
    # In a group of its own: what the terminal sends reaches it once, through its parent.
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    try:
        sys.exit(command())
    finally:
        os.write(writer, b".")
