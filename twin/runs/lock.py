"""A run or study that is being computed is locked: a second writer is refused.

The lock is a file in the folder that names the process. The kernel holds it too (``flock``), so
that it ends with its process however that ends; where a file system knows no such locks, or they
do not reach another host, the process's number, start and host decide.
"""

import fcntl
import json
import os
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from twin.errors import BusyError, InputError, reason

NAME = "lock.json"
_PAUSE_S = 0.1


class Lock:
    """Holds the lock of one folder, until `release` or the end of the process."""

    def __init__(self, folder: Path, file: int) -> None:
        self._folder, self._file = folder, file

    @classmethod
    def take(cls, folder: Path, what: str = "run", *, patience_s: float = 0.0) -> Self:
        """Lock a folder; a lock that a process left when it died is taken over.

        Parameters
        ----------
        folder : Path
        what : str
            Says what it holds.
        patience_s : float
            How long to wait for a holder to end.

        Raises
        ------
        BusyError
            If another writer holds it, or may do so on another host.
        InputError
            If no lock can be made.
        """
        path, deadline_s = folder / NAME, time.monotonic() + patience_s
        while True:
            try:
                file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            except OSError as error:
                raise InputError(reason(error, path)) from None
            try:
                _hold(file, path, f"{folder}: this {what}")
                if _is_same(file, path):
                    os.ftruncate(file, 0)
                    os.pwrite(file, json.dumps(_myself()).encode(), 0)
                    return cls(folder, file)
            except OSError as error:
                os.close(file)
                raise InputError(reason(error, path)) from None
            except BusyError:
                os.close(file)
                if time.monotonic() >= deadline_s:
                    raise
                time.sleep(_PAUSE_S)
                continue
            os.close(file)  # its holder has taken it away in between

    def release(self, folder: Path | None = None) -> None:
        """Unlock; `folder` says where it is now, if it was renamed."""
        if self._file < 0:
            return
        path = (folder or self._folder) / NAME
        with suppress(OSError):
            if _is_same(self._file, path):
                path.unlink()
        os.close(self._file)
        self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    def __del__(self) -> None:
        if self._file >= 0:
            os.close(self._file)


def is_held(folder: Path) -> bool:
    """Whether a folder is being written: by a process that lives, or maybe by another host."""
    try:
        file = os.open(folder / NAME, os.O_RDONLY)
    except OSError:
        return False
    try:
        holder = _read(file)
    finally:
        os.close(file)
    if not holder:
        return False
    elsewhere = holder["host"] != socket.gethostname()
    return bool(elsewhere or started(holder["pid"]) == holder["started"])


def _hold(file: int, path: Path, label: str) -> None:
    """Have the kernel hold the lock, and look whether its last holder may still live."""
    free = None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = True
    except BlockingIOError:
        free = False
    except OSError:
        pass  # no such locks here
    holder = _read(file)
    if free is False:
        raise BusyError(f"{label} is being computed by process {holder.get('pid', 'unknown')}")
    if not holder or holder["pid"] == os.getpid():
        return
    mine = _myself()
    if holder["host"] != mine["host"]:
        raise BusyError(
            f"{label} is being computed by process {holder['pid']} on host {holder['host']}; "
            f"if that has ended, remove {path}"
        )
    if not free and started(holder["pid"]) == holder["started"]:
        raise BusyError(f"{label} is being computed by process {holder['pid']}")


def _read(file: int) -> dict[str, Any]:
    """Holder that a lock names; nothing if it was killed while it wrote that."""
    try:
        holder = json.loads(os.pread(file, 4096, 0))
    except ValueError:
        return {}
    whole = isinstance(holder, dict) and holder.keys() >= {"pid", "host", "started"}
    return holder if whole and isinstance(holder["pid"], int) else {}


def _myself() -> dict[str, Any]:
    return {"pid": os.getpid(), "host": socket.gethostname(), "started": started(os.getpid())}


def started(pid: int) -> str | None:
    """When a process began: a later one of the same number began later. None without it."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        return f"{boot} {after_name.split()[19]}"  # field 22: clock ticks since boot
    except OSError:
        pass
    with suppress(OSError):
        found = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return found.stdout.strip() or None
    return None


def _is_same(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
