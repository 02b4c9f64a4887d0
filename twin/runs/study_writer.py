"""Writes one study: locked, so that nobody else does, and such that its end at any moment is safe.

Every point that ends leaves a file in ``journal/``. The data set holds no wall-clock times and does
not depend on the order in which points end.
"""

import shutil
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twin.errors import InputError, is_stop, why
from twin.runs import sums
from twin.runs.files import (
    PARTIAL,
    SUMS,
    make_room,
    read_manifest,
    reserve,
    sealed,
    sync,
    unsealed,
    versions,
    write_manifest,
    write_text,
)
from twin.runs.lock import Lock
from twin.runs.store import SOURCES, keep_sources
from twin.runs.studies import ENDING, PARTITIONS, TOLD, Study, data_files, open_study
from twin.scenario import attachments
from twin.scenario.attachments import Attachment

type Result = dict[str, Any]
"""What became of a point, in plain data."""


class StudyWriter:
    """Writes one study; use it as a context manager, made by `new` or `resumed`.

    Leaving the block after `complete` leaves a whole study. An exception, or the end of the
    process at any moment, leaves the ``.partial`` folder with all points that ended, and a note on
    the exception that says how to go on; nothing at all if a new study has none of them yet.
    The folder is locked, by `new` or `resumed`, until the block is left.

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
        self._lock = Lock.take(self.partial, "study")
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
        """Begin a study below `root`, in a folder that nobody else gets."""
        return cls(
            root / reserve(root, name, ENDING),
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
            If there is none at `partial`, or another process goes on with it.
        """
        manifest = read_manifest(partial, "study_id")
        if not partial.name.endswith(ENDING + PARTIAL) or manifest is None:
            raise InputError(
                f"{partial}: not an interrupted study (a folder ending in {ENDING + PARTIAL})"
            )
        sums.check(partial, manifest.get(SUMS, {}), TOLD)
        try:
            writer = cls(
                partial.with_name(partial.name.removesuffix(PARTIAL)),
                study_toml=(partial / "study.toml").read_text(encoding="utf-8"),
                scenario_toml=(partial / "scenario.toml").read_text(encoding="utf-8"),
                points=manifest["points"],
                keep_runs=manifest["keep_runs"],
            )
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{partial}: damaged study: {error}") from None
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
        try:
            if self._earlier is None:
                (self.partial / "journal").mkdir()
                write_text(self.partial / "scenario.toml", self.scenario_toml)
                write_text(self.partial / "study.toml", self.study_toml)
                self._sources = keep_sources(self.partial, self.files)
            self._write_manifest("running")
        except BaseException as error:
            self._give_up()
            if isinstance(error, OSError):
                raise InputError(f"{self.partial}: cannot be made: {why(error)}") from None
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and self.partial.is_dir():
            # A stop may come when a point is on disk, and not yet noted here.
            self.done |= dict(_journal(self.partial / "journal"))
        if error is None:
            pass
        elif not self.partial.is_dir():
            error.add_note(f"the study is complete, in {self.folder}")
        elif not self._worth_keeping:
            error.add_note("no point was done; start it again")
        else:
            make_room(self.partial)
            with suppress(OSError):
                self._write_manifest("interrupted" if is_stop(error) else "failed", str(error))
            error.add_note(
                f"{len(self.done)} of {self.points} points are kept; "
                f"go on with: twin sweep --resume {self.partial}"
            )
        self._give_up()

    @property
    def _worth_keeping(self) -> bool:
        """Whether it went on before, a point has ended, or one has a checkpoint to go on from."""
        begun = any(self.partial.glob("*/*/checkpoints/*.state"))
        return self._earlier is not None or bool(self.done) or begun

    def _give_up(self) -> None:
        """Unlock, and leave nothing of a new study without a point."""
        if not self._worth_keeping:
            shutil.rmtree(self.partial, ignore_errors=True)
        self._lock.release(self.partial if self.partial.is_dir() else self.folder)

    def record(self, number: int, result: Result) -> None:
        """Keep what became of a point, for good, and how far the study has come."""
        write_text(_entry(self.partial / "journal", number), sealed(result))
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
            file = folder / "part-0.parquet"
            pq.write_table(rows, file, compression="zstd")
            sync(file)
        shutil.rmtree(self.work_dir, ignore_errors=True)
        self._write_manifest("complete")
        make_room(self.partial)
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
            SUMS: sums.of(self.partial, [*TOLD, *data_files(self.partial, status)]),
        }
        write_manifest(self.partial, manifest)


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
    """What a journal holds; an entry that is not what was written counts as none."""
    found = []
    for file in sorted(journal.glob("*.json")):
        with suppress(OSError, ValueError):
            result = unsealed(file.read_text(encoding="utf-8"))
            if result is not None:
                found.append((int(file.stem), result))
    return found
