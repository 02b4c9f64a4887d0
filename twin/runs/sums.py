"""Checksums of what a run or study has written: a file is read only if it is what it was."""

import hashlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from twin.errors import InputError, reason

_SETTLED_NS = 100_000_000
"""Age from which a change would show in a file's time stamps, which are coarser than the clock."""

_known: dict[str, tuple[tuple[int, ...], str]] = {}
"""SHA-256 of files that this process has read, while their identity is the same."""


def sha256(file: Path) -> str:
    """SHA-256 of a file in hex digits; computed once as long as its identity stays the same."""
    status = file.stat()
    identity = (
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )  # fmt: skip
    name = str(file.absolute())
    known = _known.get(name)
    if known is not None and known[0] == identity:
        return known[1]
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) > _SETTLED_NS:
        _known[name] = identity, digest
    return digest


def of(folder: Path, files: Iterable[str]) -> dict[str, str]:
    """SHA-256 of those of the named files that are in a folder, for a manifest."""
    return {name: sha256(folder / name) for name in files if (folder / name).is_file()}


def check(folder: Path, sums: Mapping[str, str], files: Iterable[str] | None = None) -> None:
    """Hold files of a folder against their sums: all that have one, or the named ones.

    Raises
    ------
    InputError
        If one is missing, cannot be read, or is not what was written.
    """
    for name in sums if files is None else files:
        if name in sums:
            same(folder / name, sums[name])


def same(file: Path, digest: str) -> None:
    """Refuse a file that has another SHA-256."""
    try:
        found = sha256(file)
    except OSError as error:
        raise InputError(f"{reason(error, file)}; the file is damaged or lost") from None
    if found != digest:
        raise InputError(f"{file}: damaged: not what was written (its SHA-256 differs)")
