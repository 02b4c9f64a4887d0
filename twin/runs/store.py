"""The run store: the only code that writes or reads ``runs/``.

A run is a folder with ``manifest.json``, ``scenario.toml`` and one Parquet file a table. It is
written under ``<run-id>.partial`` and renamed when complete, so a folder without that suffix is
whole. The tables hold no wall-clock times: the same scenario gives the same tables.
"""

import json
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from twin import registry
from twin.errors import InputError
from twin.runs.files import (
    PARTIAL,
    complete_manifest,
    free_name,
    read_manifest,
    versions,
    write_text,
)
from twin.runs.rows import Rows
from twin.runs.tables import TABLES
from twin.scenario import attachments, loader
from twin.scenario.attachments import Attachment, attachment
from twin.scenario.schema import Scenario

PARTS = "parts"
SOURCES = ("attachments", "plugins")
"""What a manifest says of the files that a run or study was made from."""
START = "start.state"
"""State that a fork began from."""
_HOSTS = "placement_at_start.parquet"


class RunWriter:
    """Writes one run; use it as a context manager.

    Leaving the block normally completes the run; an exception leaves the ``.partial`` folder with
    status ``failed`` or ``interrupted``, its last checkpoints and the scenario, or nothing at all
    if not even one step was recorded.

    Rows become row groups at fixed steps, whatever happens in between: each is a file of its own
    in ``parts/``, closed and synced, until the run is complete.

    Attributes
    ----------
    run_id : str
    folder : Path
        Where the run will be.
    partial : Path
        Where it is until then.
    scenario : Scenario
        With the files that the run has kept, once it is entered.
    left_out : dict of str to str
        Satellites of the user's file that the run does without, and why.
    conclusion : dict
        What can be told of links and batteries only at the end.
    forked : dict or None
        Of a run that began in the middle of another: which, where, and what was changed.
    checkpoints : dict
        How many this session has written, and what the last cost.
    """

    def __init__(
        self,
        root: Path,
        scenario: Scenario,
        *,
        run_id: str | None = None,
        rows: Rows | None = None,
        earlier_s: float = 0.0,
        files: Sequence[Attachment] | None = None,
    ) -> None:
        self.run_id = run_id or new_run_id(root, scenario)
        self.folder = root / self.run_id
        self.partial = root / (self.run_id + PARTIAL)
        self._scenario = scenario
        self._files = attachments.collect(scenario) if files is None else files
        self._goes_on, self._earlier_s = rows is not None, earlier_s
        self.left_out: dict[str, str] = {}
        self.conclusion: dict[str, Any] = {}
        self.forked: dict[str, Any] | None = None
        self.checkpoints: dict[str, Any] = {}
        self._notes: list[str] = []
        self.rows = rows or Rows(scenario)

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        parts = self.partial / PARTS
        try:
            if self._goes_on:
                self.rows.drop_newer(parts)
            else:
                shutil.rmtree(self.partial, ignore_errors=True)
                parts.mkdir(parents=True)
        except OSError as error:
            raise InputError(f"{self.partial}: cannot be made: {error.strerror}") from None
        if not self._goes_on:
            text = loader.to_toml(self._scenario)
            (self.partial / "scenario.toml").write_text(text, encoding="utf-8")
            self._sources = keep_sources(self.partial, self._files)
        else:
            earlier = read_manifest(self.partial) or {}
            self._sources = {name: earlier.get(name, {}) for name in SOURCES}
        kept = attachments.kept(self.partial, self._sources["attachments"])
        self.scenario = attachments.relocated(self._scenario, kept)
        self._hash = loader.scenario_hash(self.scenario)
        self._write_manifest("running")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.rows.write_tables(self.partial)
            self._write_manifest("complete")
            shutil.rmtree(self.partial / PARTS, ignore_errors=True)
            self.partial.rename(self.folder)
        elif not self.rows.count["steps"]:
            shutil.rmtree(self.partial, ignore_errors=True)
        else:
            interrupted = kind.__name__ in ("KeyboardInterrupt", "RunCancelledError")
            self._write_manifest("interrupted" if interrupted else "failed", str(error))

    @property
    def wall_time_s(self) -> float:
        """Time spent on the run up to now, in all sessions."""
        return self._earlier_s + time.perf_counter() - self._began

    def note(self, text: str) -> None:
        """Add a remark for the reader of the run, such as what a TLE file was found to hold."""
        self._notes.append(text)

    def add(self, name: str, columns: Mapping[str, Any]) -> None:
        """Append rows to a table; see `Rows.add`."""
        self.rows.add(name, columns)

    def write_hosts_at_start(self, columns: Mapping[str, Any]) -> None:
        """Keep the placement that a fork begins with, rows as in table ``placements``."""
        rows = Rows(self._scenario)
        rows.add("placements", columns)
        pq.write_table(rows.waiting("placements"), self.partial / _HOSTS, compression="zstd")

    def end_step(self, step: int) -> None:
        """Close the row groups that end with a step."""
        self.rows.end_step(step, self.partial / PARTS)

    def _write_manifest(self, status: str, error: str | None = None) -> None:
        simulation = self._scenario.simulation
        manifest = {
            "run_id": self.run_id,
            "status": status,
            "error": error,
            "scenario": self._scenario.name,
            "scenario_hash": self._hash,
            "strategy": self._scenario.placement.strategy,
            "policy": self._scenario.controller.policy,
            "seed": simulation.seed,
            "replicate": simulation.replicate,
            "steps": simulation.steps,
            "written_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "wall_time_s": round(self.wall_time_s, 3),
            "rows": self.rows.count,
            "forked": self.forked,
            **self._sources,
            "checkpoints": self.checkpoints,
            "notes": self._notes,
            "left_out": self.left_out,
            "conclusion": self.conclusion,
            "versions": versions(),
        }
        write_text(self.partial / "manifest.json", json.dumps(manifest, indent=2) + "\n")


@dataclass(frozen=True)
class Run:
    """A complete run on disk."""

    path: Path
    manifest: dict[str, Any]

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario it ran, with the files that the run has kept of it."""
        return loader.load(self.path / "scenario.toml")

    def as_written(self, scenario: Scenario) -> Scenario:
        """Return a scenario of this run's with the paths that its files came from."""
        kept = attachments.kept(self.path, self.manifest.get("attachments", {}))
        return attachments.relocated(scenario, {str(file): path for path, file in kept.items()})

    def table(
        self, name: str, columns: Sequence[str] | None = None, filters: Any = None
    ) -> pa.Table:
        """One table, or some of its columns, or the rows that an Arrow expression picks."""
        if name not in TABLES:
            raise InputError(f"no table {name!r} in a run; there are: {', '.join(TABLES)}")
        table = pq.read_table(self.path / f"{name}.parquet", columns=columns, filters=filters)
        return table.unify_dictionaries()

    @property
    def first_step(self) -> int:
        """The step it begins at: 0, unless it is a fork."""
        forked = self.manifest.get("forked")
        return int(forked["step"]) if forked else 0

    def placements(self) -> pa.Table:
        """Table ``placements``, with the one that a fork begins with before all others."""
        table = self.table("placements")
        file = self.path / _HOSTS
        return pa.concat_tables([pq.read_table(file), table]) if file.is_file() else table


def open_run(path: str | Path) -> Run:
    """Open a complete run.

    Raises
    ------
    InputError
        If there is none at `path`, or it was interrupted.
    """
    folder = Path(path)
    manifest = complete_manifest(folder, "run", key="run_id", command="twin run")
    missing = [name for name in TABLES if not (folder / f"{name}.parquet").is_file()]
    if missing:
        raise InputError(f"{path}: damaged run, tables missing: {', '.join(missing)}")
    return Run(folder, manifest)


def any_run(path: Path) -> Run:
    """Open a run, complete or interrupted; of the latter only scenario and checkpoints are there.

    Raises
    ------
    InputError
        If there is none at `path`.
    """
    manifest = read_manifest(path)
    if manifest is None:
        raise InputError(f"{path}: not a run (no readable manifest.json)")
    return Run(path, manifest)


def list_runs(root: Path) -> list[Run]:
    """Complete runs below `root`, newest first."""
    if not root.is_dir():
        return []
    found = [(read_manifest(f), f) for f in sorted(root.iterdir()) if not f.name.endswith(PARTIAL)]
    runs = [Run(f, m) for m, f in found if m is not None and m.get("status") == "complete"]
    return sorted(runs, key=lambda r: (r.manifest["written_utc"], r.manifest["run_id"]))[::-1]


def interrupted_scenario(path: Path) -> tuple[str, Scenario]:
    """Run id and scenario of an interrupted run, to run it to its end."""
    if not path.name.endswith(PARTIAL) or not (path / "scenario.toml").is_file():
        raise InputError(f"{path}: not an interrupted run (a folder ending in {PARTIAL})")
    run = any_run(path)
    return path.name.removesuffix(PARTIAL), run.as_written(run.scenario)


def keep_sources(folder: Path, files: Iterable[Attachment]) -> dict[str, dict[str, Any]]:
    """Keep what a run or study was made from; return what its manifest says of it."""
    plugins = [attachment(name, text.encode()) for name, text in registry.PLUGIN_TEXTS.items()]
    kept = (attachments.keep(each, folder) for each in (files, plugins))
    return dict(zip(SOURCES, kept, strict=True))


def new_run_id(root: Path, scenario: Scenario) -> str:
    """A name that no run below `root` has: time, scenario and strategy."""
    return free_name(root, f"{scenario.name}-{scenario.placement.strategy}")
