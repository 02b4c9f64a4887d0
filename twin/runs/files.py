"""Files of runs and studies: names that are free, manifests, writing all or nothing."""

import json
import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from twin.errors import InputError

PARTIAL = ".partial"
"""Ending of a folder that is not complete."""


def free_name(root: Path, what: str, ending: str = "") -> str:
    """Name of a folder below `root` that is not there: time, what it is, an ending."""
    stem = f"{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}-{what}"
    name, n = stem + ending, 1
    while (root / name).exists() or (root / (name + PARTIAL)).exists():
        n += 1
        name = f"{stem}-{n}{ending}"
    return name


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of it."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)  # noqa: PTH105 (the atomic one, also where `path` exists)


def read_manifest(folder: Path, key: str = "run_id") -> dict[str, Any] | None:
    """The manifest of a run, or of what else has `key` for its name; None if it has none."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and {"status", key} <= manifest.keys() else None


def versions() -> dict[str, str]:
    """Version of Python, of the twin and of what decides its figures."""
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
