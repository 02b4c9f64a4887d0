"""Files of runs and studies: names that are free, texts and manifests that are whole or refused."""

import hashlib
import json
import os
import platform
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from twin.errors import InputError, why
from twin.runs import lock

PARTIAL = ".partial"
"""Ending of a folder that is not complete."""
MANIFEST = "manifest.json"
SUMS = "sha256"
"""What a manifest says of the other files: the SHA-256 of each."""
_SEAL = "sha256_of_manifest"
_OF_ANY = {"status": str, "written_utc": str, "versions": dict, "wall_time_s": float | int}
_OF_RUN = _OF_ANY | {
    "run_id": str,
    "scenario_hash": str,
    "rows": dict,
    "notes": list,
    "conclusion": dict,
}
_OF_STUDY = _OF_ANY | {"points": int, "done": int, "failed": int, "sessions": int}
"""What is read of a manifest, and of which type it is."""
_SPARE = "spare"
"""A file that is given up to have room for the manifest when the disk is full."""
_SPARE_BYTES = 16_384


def reserve(root: Path, what: str, ending: str = "") -> str:
    """Make an empty partial folder below `root`, and return the name that nobody else gets.

    It says the time, what it is, and an ending.

    Raises
    ------
    InputError
        If no folder can be made there.
    """
    stem = f"{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}-{what}"
    name, n = stem + ending, 1
    try:
        root.mkdir(parents=True, exist_ok=True)
        while not _made(root, name):
            n += 1
            name = f"{stem}-{n}{ending}"
    except OSError as error:
        raise InputError(f"{root / (name + PARTIAL)}: cannot be made: {why(error)}") from None
    return name


def _made(root: Path, name: str) -> bool:
    partial = root / (name + PARTIAL)
    try:
        partial.mkdir()
    except FileExistsError:
        return False
    # Looked for afterwards: a run could have been completed in between.
    if (root / name).exists():
        partial.rmdir()
        return False
    return True


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of it."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)  # noqa: PTH105 (the atomic one, also where `path` exists)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def sync(path: Path) -> None:
    """Have a file outlast a power cut."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sealed(data: dict[str, Any]) -> str:
    """Plain data as JSON that holds its own SHA-256."""
    plain = json.loads(json.dumps(data))
    return json.dumps(plain | {_SEAL: _digest(plain)}, indent=2) + "\n"


def unsealed(text: str) -> dict[str, Any] | None:
    """Plain data of a sealed JSON text, or of an older one without a seal; None if it is neither.

    Raises
    ------
    ValueError
        If it is not what was sealed.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    seal = data.pop(_SEAL, None)
    # Whoever has sums was sealed: one flipped bit cannot spoil both names.
    if (seal is not None or SUMS in data) and seal != _digest(data):
        raise ValueError("its SHA-256 differs")
    return data


def _digest(data: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of a run or study, and keep room on the disk to write it once more."""
    text = sealed(manifest)
    write_text(folder / MANIFEST, text)
    spare = folder / _SPARE
    if not spare.exists():
        # Random, for a file system may keep no room for zeros.
        spare.write_bytes(os.urandom(_SPARE_BYTES + 2 * len(text)))


def make_room(folder: Path) -> None:
    """Give up the spare room, and files that were not written to their end."""
    for file in (folder / _SPARE, *folder.rglob("*.tmp")):
        with suppress(OSError):
            file.unlink()


def clear(folder: Path) -> None:
    """Remove all that is in a folder but its lock."""
    for item in folder.iterdir():
        if item.name != lock.NAME:
            shutil.rmtree(item) if item.is_dir() and not item.is_symlink() else item.unlink()


def read_manifest(folder: Path, key: str = "run_id") -> dict[str, Any] | None:
    """The manifest of a run, or of what else has `key` for its name; None if it has none.

    Raises
    ------
    InputError
        If it is not what was written.
    """
    file = folder / MANIFEST
    try:
        manifest = unsealed(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    except ValueError as error:
        raise InputError(f"{file}: damaged: not what was written ({error})") from None
    if manifest is None or not {"status", key} <= manifest.keys():
        return None
    if SUMS not in manifest:
        _check_older(file, manifest)
    return manifest


def _check_older(file: Path, manifest: dict[str, Any]) -> None:
    """Refuse a manifest without a seal that lacks what is read of it, or has it otherwise."""
    for name, kind in (_OF_STUDY if "study_id" in manifest else _OF_RUN).items():
        if not isinstance(manifest.get(name), kind):
            raise InputError(f"{file}: damaged: {name} is lost")


def versions() -> dict[str, str]:
    """Version of Python, of the twin and of what decides its figures."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    packages = ("orbital-twin", "numpy", "scipy", "numba", "astropy", "boinor", "sgp4", "Mesa")
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package.lower()] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package.lower()] = "not installed"
    return found


def complete_manifest(folder: Path, what: str, *, key: str, command: str) -> dict[str, Any]:
    """The manifest of a complete run or study; InputError if it is none, or was interrupted.

    `what` it is, the `key` of its name, and the `command` that finishes it.
    """
    manifest = read_manifest(folder, key)
    if manifest is None:
        raise InputError(f"{folder}: not a {what} (no readable manifest.json)")
    if manifest["status"] != "complete" or folder.name.endswith(PARTIAL):
        raise InputError(
            f"{folder}: this {what} is not complete (status {manifest['status']}); "
            f"finish it with: {command} --resume {folder}"
        )
    return manifest
