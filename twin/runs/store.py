"""The run store: with `twin.runs.writer` the only code that reads or writes ``runs/``.

A run is a folder with ``manifest.json``, ``scenario.toml`` and one Parquet file a table. It is
written under ``<run-id>.partial`` and renamed when complete, so a folder without that suffix is
whole. The tables hold no wall-clock times: the same scenario gives the same tables. The manifest
holds the SHA-256 of every file, and its own; whatever opens a run checks them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from twin import registry
from twin.errors import InputError, why
from twin.runs import sums
from twin.runs.files import PARTIAL, SUMS, complete_manifest, read_manifest, reserve
from twin.runs.tables import LATER, TABLES
from twin.scenario import attachments, loader
from twin.scenario.attachments import Attachment, attachment
from twin.scenario.schema import Scenario

PARTS = "parts"
SOURCES = ("attachments", "plugins")
"""What a manifest says of the files that a run or study was made from."""
START = "start.state"
"""State that a fork began from."""
HOSTS = "placement_at_start.parquet"
"""Placement that a fork began with."""
SUMMED = (*(f"{name}.parquet" for name in TABLES), "scenario.toml", START, HOSTS)
"""Files whose SHA-256 a complete run's manifest holds."""
UNCHECKED = "its manifest holds no checksums, so whether its tables are as written is not known"
"""What a reader should know of a run or study that was made before there were any."""


@dataclass(frozen=True)
class Run:
    """A complete run on disk."""

    path: Path
    manifest: dict[str, Any]

    @cached_property
    def asked(self) -> Scenario:
        """The scenario that it was asked for, with the files that the run has kept of it."""
        self.check("scenario.toml")
        return loader.load(self.path / "scenario.toml")

    @cached_property
    def scenario(self) -> Scenario:
        """The same as it ran: if it went on for longer, over as many steps as it took."""
        return self.changed() if self.manifest.get("prolonged") else self.asked

    def changed(self, changes: Sequence[str] | Mapping[str, Any] = ()) -> Scenario:
        """Return the scenario as it ran, with changes as `twin.scenario.loader.load` takes them."""
        self.check("scenario.toml")
        file, fixed = self.path / "scenario.toml", self._length()
        if isinstance(changes, Mapping):
            return loader.load(file, {**fixed, **changes})
        return loader.load(
            file, [*(f"{name}={value!r}" for name, value in fixed.items()), *changes]
        )

    def _length(self) -> dict[str, float]:
        """Fields that fix the length which it came to."""
        prolonged = self.manifest.get("prolonged")
        if not prolonged:
            return {}
        fixed = {"requests.half_width": 0.0}
        if prolonged["steps"] == prolonged["asked_steps"]:
            return fixed
        taken = {"simulation.steps": prolonged["steps"], "simulation.step_s": prolonged["step_s"]}
        return fixed | taken

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
        table = self._read(f"{name}.parquet", columns=columns, filters=filters)
        return table.unify_dictionaries()

    def _read(self, name: str, **which: Any) -> pa.Table:
        self.check(name)
        return read_parquet(self.path / name, **which)

    def check(self, *files: str) -> None:
        """Hold files against the sums in the manifest, all of them by default.

        Raises
        ------
        InputError
            If one is not what was written.
        """
        sums.check(self.path, self.manifest.get(SUMS, {}), files or None)

    def file(self, name: str) -> Path | None:
        """A file that not every run has, held against its sum; None where there is none."""
        self.check(name)
        file = self.path / name
        return file if file.is_file() else None

    @property
    def remarks(self) -> list[str]:
        """What a reader should know of how far it can be trusted."""
        return [] if SUMS in self.manifest else [UNCHECKED]

    @property
    def first_step(self) -> int:
        """The step it begins at: 0, unless it is a fork."""
        forked = self.manifest.get("forked")
        return int(forked["step"]) if forked else 0

    def placements(self) -> pa.Table:
        """Table ``placements``, with the one that a fork begins with before all others.

        Runs made before there were several instances have instance 0 alone.
        """
        table = self.table("placements")
        if self.file(HOSTS) is not None:
            table = pa.concat_tables([self._read(HOSTS), table])
        if "instance" in table.column_names:
            return table
        return table.append_column("instance", pa.array([0] * len(table), pa.int32()))


def read_parquet(file: Path, **which: Any) -> pa.Table:
    """Read a Parquet file, or a folder of them; InputError if it is damaged."""
    try:
        return pq.read_table(file, **which)
    except (pa.ArrowException, OSError, ValueError) as error:
        told = why(error) if isinstance(error, OSError) and error.errno else str(error)
        raise InputError(f"{file}: damaged table: {told.splitlines()[0]}") from None


def open_run(path: str | Path) -> Run:
    """Open a complete run.

    Raises
    ------
    InputError
        If there is none at `path`, it was interrupted, or a file is not what was written.
    """
    folder = Path(path)
    manifest = complete_manifest(folder, "run", key="run_id", command="twin run")
    needed = [name for name in TABLES if name not in LATER]
    missing = [name for name in needed if not (folder / f"{name}.parquet").is_file()]
    if missing:
        raise InputError(f"{path}: damaged run, tables missing: {', '.join(missing)}")
    run = Run(folder, manifest)
    run.check()
    return run


def any_run(path: Path) -> Run:
    """Open a run, complete or interrupted; of the latter only scenario and checkpoints are there.

    Raises
    ------
    InputError
        If there is none at `path`, or a file is not what was written.
    """
    manifest = read_manifest(path)
    if manifest is None:
        raise InputError(f"{path}: not a run (no readable manifest.json)")
    run = Run(path, manifest)
    run.check()
    return run


def interrupted_scenario(path: Path) -> tuple[str, Scenario]:
    """Run id and scenario of an interrupted run, to run it to its end."""
    if not path.name.endswith(PARTIAL) or not (path / "scenario.toml").is_file():
        raise InputError(f"{path}: not an interrupted run (a folder ending in {PARTIAL})")
    if read_manifest(path) is None:
        raise InputError(
            f"{path}: has no readable manifest.json to go on from; begin again with: "
            f"twin run {path / 'scenario.toml'}"
        )
    run = any_run(path)
    return path.name.removesuffix(PARTIAL), run.as_written(run.asked)


def keep_sources(folder: Path, files: Iterable[Attachment]) -> dict[str, dict[str, Any]]:
    """Keep what a run or study was made from; return what its manifest says of it."""
    plugins = [attachment(name, text.encode()) for name, text in registry.PLUGIN_TEXTS.items()]
    kept = (attachments.keep(each, folder) for each in (files, plugins))
    return dict(zip(SOURCES, kept, strict=True))


def new_run_id(root: Path, scenario: Scenario) -> str:
    """Reserve a name that no other run below `root` gets: time, scenario and strategy."""
    return reserve(root, f"{scenario.name}-{scenario.placement.strategy}")
