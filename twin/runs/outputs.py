"""Files that a user names for what a command finds: checked before, written whole or not at all.

A device, FIFO or link is written to, never replaced. A regular file is replaced at once, so that
it is never half of one, unless it has a second name or its folder takes no new file.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from twin.errors import InputError, why
from twin.runs.files import MANIFEST


def check(option: str, path: Path, *, makes_folder: bool = False) -> None:
    """Refuse a file that could not be written, before anything is computed for it.

    Parameters
    ----------
    option : str
        What it was named by, for errors.
    path : Path
    makes_folder : bool
        Whether its folder is made where it is missing.

    Raises
    ------
    InputError
    """
    _check(f"{option} {path}", path, makes_folder=makes_folder)


def check_folder(option: str, path: Path) -> None:
    """Refuse a folder in which no file could be made; it is made later if it is missing."""
    if path.exists() and not path.is_dir():
        raise InputError(f"{option} {path}: is no folder")
    _check(f"{option} {path}", path / "any", makes_folder=True)


def _check(label: str, path: Path, *, makes_folder: bool) -> None:
    try:
        mode = _mode(path)
        if mode is not None and stat.S_ISDIR(mode):
            raise InputError(f"{label}: is a folder")
        if mode is not None and not os.access(path, os.W_OK):
            raise InputError(f"{label}: is not to be written to")
        if mode is not None and not stat.S_ISREG(mode):
            if stat.S_ISSOCK(mode):
                raise InputError(f"{label}: is a socket")
            return
        parent = _target(path).parent
        if mode is None and not makes_folder and not parent.is_dir():
            named = parent if path.is_symlink() else path.parent
            raise InputError(f"{label}: there is no folder {named}")
        _check_place(label, parent)
        if mode is None and parent.is_dir():
            with tempfile.TemporaryFile(dir=parent):
                pass
    except OSError as error:
        raise InputError(f"{label}: {why(error)}") from None


def check_apart(named: Iterable[tuple[str, Path]]) -> None:
    """Refuse outputs that are one file, of which only the last would be left."""
    known: dict[Path, str] = {}
    for option, path in named:
        before = known.setdefault(_target(path), option)
        mode = _mode(path)
        if before != option and (mode is None or stat.S_ISREG(mode)):
            raise InputError(f"{before} and {option} must be different files: {path}")


def check_not_read(named: Iterable[tuple[str, Path]], read: Iterable[str]) -> None:
    """Refuse outputs that would replace a file that the command reads."""
    sources = [Path(text) for text in read if text and Path(text).is_file()]
    for option, path in named:
        for source in sources:
            if path.is_file() and path.samefile(source):
                raise InputError(f"{option} {path}: would replace {source}, which is read")


def write(path: Path, content: str | bytes) -> None:
    """Write a file that a user named; OSError if that fails, and an earlier file is as it was."""
    data = content.encode() if isinstance(content, str) else content
    mode = _mode(path)
    if mode is not None and not stat.S_ISREG(mode):
        with path.open("ab") as sink:
            sink.write(data)
        return
    target = _target(path)
    if mode is not None and (target.stat().st_nlink > 1 or not os.access(target.parent, os.W_OK)):
        target.write_bytes(data)
        return
    file, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(file, "wb") as sink:
            sink.write(data)
        if mode is None:
            temporary.chmod(0o666 & ~_umask())
        else:
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_all(*outputs: tuple[str, Callable[[], object]]) -> None:
    """Write every output, also where one fails.

    Parameters
    ----------
    outputs : tuples of str and callable
        What an output was named by, and what writes it.

    Raises
    ------
    InputError
        Names those that could not be written.
    """
    failed = []
    for label, output in outputs:
        try:
            output()
        except InputError as error:
            failed.append(str(error))
        except OSError as error:
            failed.append(f"{label}: {why(error)}")
    if failed:
        raise InputError("; ".join(failed))


def _mode(path: Path) -> int | None:
    """What stands at a path, links followed; None for nothing."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _target(path: Path) -> Path:
    """Where a path leads, also if nothing is there yet."""
    return Path(os.path.realpath(path))


def _check_place(label: str, folder: Path) -> None:
    """Refuse a place in a run or study, or one where no folder can be made."""
    for place in (folder, *folder.parents):
        if (place / MANIFEST).is_file() and (place / "scenario.toml").is_file():
            raise InputError(f"{label}: lies in {place}, which is not to be changed")
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not nearest.is_dir():
        raise InputError(f"{label}: {nearest} is no folder")
    if nearest != folder:
        with tempfile.TemporaryDirectory(dir=nearest):
            pass


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
