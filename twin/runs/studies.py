"""The study store: beside `twin.runs`, the only code that writes or reads studies in ``runs/``.

A study is a folder ``<time>-<name>.study`` with ``manifest.json``, ``study.toml``,
``scenario.toml`` (what its points have in common) and ``points/``, a Parquet data set with one row
a point, a folder for each strategy and policy. It is written under ``<...>.study.partial``, where
every point that ends leaves a file in ``journal/``, and renamed when complete. The data set holds
no wall-clock times and does not depend on the order in which points end.
"""

import json
import shutil
import time
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twin.errors import InputError
from twin.runs.files import (
    PARTIAL,
    complete_manifest,
    free_name,
    read_manifest,
    versions,
    write_text,
)
from twin.runs.store import SOURCES, keep_sources
from twin.scenario import attachments
from twin.scenario.attachments import Attachment

ENDING = ".study"
PARTITIONS = ("strategy", "policy")
"""Columns that are folders of the data set."""

type Result = dict[str, Any]
"""What became of a point, in plain data."""


class StudyWriter:
    """Writes one study; use it as a context manager, made by `new` or `resumed`.

    Leaving the block after `complete` leaves a whole study. An exception, or the end of the
    process at any moment, leaves the ``.partial`` folder with all points that ended; nothing at
    all if a new study has none of them yet.

    Attributes
    ----------
    folder : Path
        Where the study will be.
    partial : Path
        Where it is until then.
    study_toml, scenario_toml : str
        What is studied.
    points : int
        How many points there are.
    keep_runs : bool
        Whether the points' complete runs stay, in `runs_dir`.
    files : list of Attachment
        What the scenarios of the points refer to.
    done : dict of int to dict
        What became of the points that have ended, by number.
    """

    def __init__(
        self, folder: Path, *, study_toml: str, scenario_toml: str, points: int, keep_runs: bool
    ) -> None:
        self.folder = folder
        self.partial = folder.with_name(folder.name + PARTIAL)
        self.study_toml, self.scenario_toml = study_toml, scenario_toml
        self.points, self.keep_runs = points, keep_runs
        self.files: list[Attachment] = []
        self.done: dict[int, Result] = {}
        self._sources: dict[str, Any] = {}
        self._failed = 0
        self._earlier: dict[str, Any] | None = None
        self._versions = versions()

    @classmethod
    def new(
        cls,
        root: Path,
        name: str,
        *,
        study_toml: str,
        scenario_toml: str,
        points: int,
        keep_runs: bool = False,
    ) -> Self:
        """Begin a study below `root`."""
        return cls(
            root / free_name(root, name, ENDING),
            study_toml=study_toml,
            scenario_toml=scenario_toml,
            points=points,
            keep_runs=keep_runs,
        )

    @classmethod
    def resumed(cls, partial: Path) -> Self:
        """Go on with an interrupted study.

        Raises
        ------
        InputError
            If there is none at `partial`.
        """
        manifest = read_manifest(partial, "study_id")
        if not partial.name.endswith(ENDING + PARTIAL) or manifest is None:
            raise InputError(
                f"{partial}: not an interrupted study (a folder ending in {ENDING + PARTIAL})"
            )
        try:
            writer = cls(
                partial.with_name(partial.name.removesuffix(PARTIAL)),
                study_toml=(partial / "study.toml").read_text(encoding="utf-8"),
                scenario_toml=(partial / "scenario.toml").read_text(encoding="utf-8"),
                points=manifest["points"],
                keep_runs=manifest["keep_runs"],
            )
        except OSError as error:
            raise InputError(f"{partial}: damaged study: {error.strerror}") from None
        writer.done = dict(_journal(partial / "journal"))
        writer._failed = sum(result["status"] == "failed" for result in writer.done.values())
        writer._earlier = manifest
        writer._sources = {name: manifest.get(name, {}) for name in SOURCES}
        kept = attachments.kept(partial, writer._sources["attachments"])
        writer.files = [
            attachments.attachment(path, attachments.read_bytes(file))
            for path, file in kept.items()
        ]
        return writer

    @property
    def runs_dir(self) -> Path:
        """Where complete runs are kept, if they are."""
        return self.partial / "runs"

    @property
    def work_dir(self) -> Path:
        """Where points are run that are not kept."""
        return self.partial / "work"

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        if self._earlier is not None:
            self._write_manifest("running")
            return self
        try:
            (self.partial / "journal").mkdir(parents=True)
        except OSError as error:
            raise InputError(f"{self.partial}: cannot be made: {error.strerror}") from None
        (self.partial / "scenario.toml").write_text(self.scenario_toml, encoding="utf-8")
        (self.partial / "study.toml").write_text(self.study_toml, encoding="utf-8")
        self._sources = keep_sources(self.partial, self.files)
        self._write_manifest("running")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            return
        if self._earlier is None and not self.done:
            shutil.rmtree(self.partial, ignore_errors=True)
        else:
            interrupted = issubclass(kind, KeyboardInterrupt)
            self._write_manifest("interrupted" if interrupted else "failed", str(error))

    def record(self, number: int, result: Result) -> None:
        """Keep what became of a point, for good, and how far the study has come."""
        write_text(_entry(self.partial / "journal", number), json.dumps(result) + "\n")
        self.done[number] = result
        self._failed += result["status"] == "failed"
        self._write_manifest("running")

    def complete(self, table: pa.Table) -> "Study":
        """Write the data set, a row for each point in the order of points, and conclude."""
        target = self.partial / "points"
        shutil.rmtree(target, ignore_errors=True)
        for part, rows in _parts(table.sort_by("point")):
            folder = target.joinpath(*(f"{n}={quote(v, safe='')}" for n, v in part.items()))
            folder.mkdir(parents=True)
            pq.write_table(rows, folder / "part-0.parquet", compression="zstd")
        shutil.rmtree(self.work_dir, ignore_errors=True)
        self._write_manifest("complete")
        self.partial.rename(self.folder)
        # Last: had it gone before, a death in between would have lost what it holds.
        shutil.rmtree(self.folder / "journal", ignore_errors=True)
        return open_study(self.folder)

    def _write_manifest(self, status: str, error: str | None = None) -> None:
        earlier = self._earlier or {}
        manifest = {
            "study_id": self.folder.name,
            "status": status,
            "error": error,
            "points": self.points,
            "done": len(self.done),
            "failed": self._failed,
            "keep_runs": self.keep_runs,
            "written_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "wall_time_s": round(
                earlier.get("wall_time_s", 0.0) + time.perf_counter() - self._began, 3
            ),
            "sessions": earlier.get("sessions", 0) + 1,
            "versions": self._versions,
            **self._sources,
        }
        write_text(self.partial / "manifest.json", json.dumps(manifest, indent=2) + "\n")


@dataclass(frozen=True)
class Study:
    """A complete study on disk."""

    path: Path
    manifest: dict[str, Any]

    def points(self) -> pa.Table:
        """Every point's row, in the order of points."""
        # Here, since writing a study does not need it, and it takes long to import.
        import pyarrow.dataset as ds

        folders = ds.partitioning(pa.schema([(n, pa.string()) for n in PARTITIONS]), flavor="hive")
        return pq.read_table(self.path / "points", partitioning=folders).sort_by("point")


def open_study(path: Path) -> Study:
    """Open a complete study.

    Raises
    ------
    InputError
        If there is none at `path`, or it was interrupted.
    """
    return Study(path, complete_manifest(path, "study", key="study_id", command="twin sweep"))


def interrupted(root: Path, name: str) -> Path | None:
    """Folder of the interrupted study of that name below `root`, the newest; None without one."""
    found = sorted(root.glob(f"*-{name}*{ENDING + PARTIAL}"))
    mine = [folder for folder in found if _study_name(folder) == name]
    return mine[-1] if mine else None


def _study_name(folder: Path) -> str | None:
    try:
        text = (folder / "study.toml").read_text(encoding="utf-8")
        return str(tomllib.loads(text).get("name"))
    except (OSError, tomllib.TOMLDecodeError):
        return None


def _parts(table: pa.Table) -> list[tuple[dict[str, str], pa.Table]]:
    """Rows of each strategy and policy, without these two columns."""
    keys = table.select(PARTITIONS).group_by(PARTITIONS, use_threads=False).aggregate([])
    found = []
    for part in keys.to_pylist():
        chosen = pc.and_(*(pc.equal(table[name], value) for name, value in part.items()))
        found.append((part, table.filter(chosen).drop_columns(PARTITIONS)))
    return found


def _entry(journal: Path, number: int) -> Path:
    return journal / f"{number:07d}.json"


def _journal(journal: Path) -> list[tuple[int, Result]]:
    """What a journal holds; an entry that cannot be read counts as none."""
    found = []
    for file in sorted(journal.glob("*.json")):
        try:
            found.append((int(file.stem), json.loads(file.read_text(encoding="utf-8"))))
        except (OSError, ValueError):
            continue
    return found
