"""How the command begins and ends as a process: signals, the one line on standard error, the code.

Only what a moment takes is imported here: until `guarded` runs, Python handles signals.
"""

import errno
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from twin.cli import child
from twin.errors import InputError, StopSignal, is_stop, reason

WRONG = 2
"""Exit code where something is wrong; of a signal it is 128 and its number."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_IMPATIENT_S = 2.0
"""Time after a signal from which another ends the process at once."""


def main() -> None:
    """Entry point: a user's mistake is one line on standard error and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may have no other than ASCII
            stream.reconfigure(errors="replace")
    files = child.plugin_files(sys.argv[1:])
    if files and child.is_own_process():
        died = child.run_apart(_command)
        print(f"twin: {', '.join(files)}: {died} after it loaded this", file=sys.stderr)  # noqa: T201
        sys.exit(WRONG)
    sys.exit(_command())


def _command() -> int:
    """Call the command that the command line asks for; what comes later ends the process."""
    code = call(sys.argv[1:])
    code = _flushed() or code
    for number in _SIGNALS:
        signal.signal(number, _too_late)
    return code


def _too_late(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    """End at once while Python tidies up, where an exception would be a traceback."""
    with suppress(OSError):
        os.write(2, b"twin: interrupted after its end\n")
    os._exit(128 + number)


def call(args: Sequence[str]) -> int:
    """Call the ``twin`` command in this process; return its exit code."""

    def command() -> None:
        from typer import BadParameter

        from twin import clash

        clash.check()
        from twin.cli.main import app, bare_json

        # Of typer's own or of click's, by typer's version.
        misused: type[Exception] = BadParameter.__mro__[1]
        try:
            told = bare_json(list(args)) or ["--help"]
            app(args=told, prog_name="twin", standalone_mode=False)
        except misused as error:
            raise InputError(_misuse(error)) from None

    return guarded(command)


def _misuse(error: Any) -> str:
    """What is wrong with a command line, after the command that it is of."""
    of = error.ctx.command_path if error.ctx is not None else "twin"
    text = error.format_message().rstrip(".")
    command = of.removeprefix("twin").strip()
    text = text[:1].lower() + text[1:]
    return f"{command}: {text}; see: {of} --help" if command else f"{text}; see: {of} --help"


def guarded(command: Callable[[], object], name: str = "twin") -> int:
    """Call a command; what ends it is one line on standard error, and an exit code.

    Parameters
    ----------
    command : callable
    name : str
        Begins the line.
    """
    try:
        with _stopped_by_signals():
            command()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except InputError as error:
        _say(name, str(error), error)
    except MemoryError as error:
        _say(name, f"not enough memory: {error}", error)
    except OSError as error:
        if error.errno == errno.EPIPE:
            return 1  # the reader has seen enough
        _say(name, reason(error), error)
    except BaseException as stop:
        if not is_stop(stop):
            raise
        _say(name, "interrupted", stop, otherwise="nothing is kept; start it again")
        return 128 + (stop.number if isinstance(stop, StopSignal) else signal.SIGINT)
    else:
        return 0
    return WRONG


def _say(name: str, text: str, error: BaseException, *, otherwise: str = "") -> None:
    """Print the line; the note that was added last is of what the user has called."""
    note = getattr(error, "__notes__", [otherwise])[-1]
    with suppress(OSError):
        print(f"{name}: {text}" + (f"; {note}" if note else ""), file=sys.stderr)  # noqa: T201


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let signals end the block with `StopSignal`, once."""
    first_s: float | None = None

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        nonlocal first_s
        if first_s is None:
            first_s = time.monotonic()
            raise StopSignal(number)
        if time.monotonic() - first_s > _IMPATIENT_S:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _flushed() -> int:
    """Write what is buffered; give the code of an end at which that fails, else 0."""
    try:
        sys.stdout.flush()
    except OSError as error:
        # Else Python tries again when it ends, and prints more than one line.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno != errno.EPIPE:
            _say("twin", reason(error, "standard output"), error)
            return WRONG
    return 0
