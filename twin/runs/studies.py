"""The study store: with `twin.runs.study_writer` the only code that reads or writes studies.

A study is a folder ``<time>-<name>.study`` with ``manifest.json``, ``study.toml``,
``scenario.toml`` (what its points have in common) and ``points/``, a Parquet data set with one row
a point, a folder for each strategy and policy. It is written under ``<...>.study.partial``, where
every point that ends leaves a file in ``journal/``, and renamed when complete. The data set holds
no wall-clock times and does not depend on the order in which points end.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from twin.errors import InputError
from twin.runs import sums
from twin.runs.files import PARTIAL, SUMS, complete_manifest
from twin.runs.store import UNCHECKED, read_parquet

ENDING = ".study"
TOLD = ("study.toml", "scenario.toml")
"""Files that say what is studied."""
PARTITIONS = ("strategy", "policy")
"""Columns that are folders of the data set."""


@dataclass(frozen=True)
class Study:
    """A complete study on disk."""

    path: Path
    manifest: dict[str, Any]

    def check(self) -> None:
        """Refuse a study of which a file is not what was written."""
        sums.check(self.path, self.manifest.get(SUMS, {}))
        unknown = set(data_files(self.path, "complete")) - self.manifest.get(SUMS, {}).keys()
        if SUMS in self.manifest and unknown:
            raise InputError(f"{self.path / min(unknown)}: damaged: was not written by the study")

    @property
    def remarks(self) -> list[str]:
        """What a reader should know of how far it can be trusted."""
        return [] if SUMS in self.manifest else [UNCHECKED]

    def points(self) -> pa.Table:
        """Every point's row, in the order of points."""
        self.check()
        # Here, since writing a study does not need it, and it takes long to import.
        import pyarrow.dataset as ds

        folders = ds.partitioning(pa.schema([(n, pa.string()) for n in PARTITIONS]), flavor="hive")
        return read_parquet(self.path / "points", partitioning=folders).sort_by("point")


def open_study(path: Path) -> Study:
    """Open a complete study.

    Raises
    ------
    InputError
        If there is none at `path`, it was interrupted, or a file is not what was written.
    """
    manifest = complete_manifest(path, "study", key="study_id", command="twin sweep")
    study = Study(path, manifest)
    study.check()
    return study


def interrupted(root: Path, name: str) -> Path | None:
    """Folder of the interrupted study of that name below `root`, the newest; None without one."""
    found = sorted(root.glob(f"*-{name}*{ENDING + PARTIAL}"))
    mine = [f for f in found if (f / "manifest.json").is_file() and _study_name(f) == name]
    return mine[-1] if mine else None


def _study_name(folder: Path) -> str | None:
    try:
        text = (folder / "study.toml").read_text(encoding="utf-8")
        return str(tomllib.loads(text).get("name"))
    except (OSError, ValueError):
        return None


def data_files(folder: Path, status: str) -> list[str]:
    """Files of the data set of a complete study."""
    found = sorted((folder / "points").rglob("*.parquet")) if status == "complete" else []
    return [str(file.relative_to(folder)) for file in found]
