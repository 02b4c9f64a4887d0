"""Writes one run: locked, so that nobody else does, and such that its end at any moment is safe.

Until it is complete a run is in ``<run-id>.partial``. The order of what is written there decides
what an end leaves: scenario and attachments, what a fork began from, the manifest; then parts of
the tables, and checkpoints that count them; at last the tables, the manifest with their sums, and
the folder's name.
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow.parquet as pq

from twin.errors import InputError, is_stop, why
from twin.runs import files as kept_files
from twin.runs import sums
from twin.runs.files import PARTIAL, SUMS, read_manifest, versions, write_manifest, write_text
from twin.runs.lock import Lock
from twin.runs.rows import Rows
from twin.runs.store import HOSTS, PARTS, SOURCES, SUMMED, keep_sources, new_run_id
from twin.scenario import attachments, loader
from twin.scenario.attachments import Attachment
from twin.scenario.schema import Scenario


class RunWriter:
    """Writes one run; use it as a context manager.

    Leaving the block normally completes the run; an exception leaves the ``.partial`` folder with
    status ``failed`` or ``interrupted``, its last checkpoints and the scenario, and a note on the
    exception that says how to go on; or nothing at all if not even one step was recorded.

    Rows become row groups at fixed steps, whatever happens in between: each is a file of its own
    in ``parts/``, closed and synced, until the run is complete.

    Parameters
    ----------
    root : Path
    scenario : Scenario
    run_id : str, optional
        Reserved here if not given.
    rows : Rows, optional
        Those of a checkpoint.
    earlier_s : float
        Time that earlier sessions spent.
    files : sequence of Attachment, optional
        What the scenario refers to; read from where it says by default.
    forked : dict, optional
        Of a run that began in the middle of another: which, where, and what was changed.
    lock : Lock, optional
        Of the interrupted run that goes on, whose scenario and attachments stay as they are.

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
        What is known of links and batteries only at the end.
    steps : int
        How long the run takes as far as known.
    prolonged : dict or None
        Of a run that may go on: how long, and how well it knows its mean then.
    checkpoints : dict
        How many this session has written, and what the last cost.
    kind : str
        What it is if not a scenario that was run: ``live``, a mirror of telemetry.
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
        forked: dict[str, Any] | None = None,
        lock: Lock | None = None,
    ) -> None:
        self._scenario = scenario
        self._files = attachments.collect(scenario) if files is None else files
        self.run_id = run_id or new_run_id(root, scenario)
        self.folder = root / self.run_id
        self.partial = root / (self.run_id + PARTIAL)
        self._goes_on, self._lock, self._earlier_s = lock is not None, lock, earlier_s
        self.left_out: dict[str, str] = {}
        self.conclusion: dict[str, Any] = {}
        self._forked = forked
        self.steps = scenario.simulation.steps
        self.prolonged: dict[str, Any] | None = None
        self.checkpoints: dict[str, Any] = {}
        self.kind = ""
        self._notes: list[str] = []
        self._concluding = False
        self.rows = rows or Rows(scenario)

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        try:
            if not self._goes_on:
                self._begin_folder()
            (self.partial / PARTS).mkdir(exist_ok=True)
            self.rows.drop_newer(self.partial / PARTS)
            if self._goes_on:
                earlier = read_manifest(self.partial) or {}
                self._sources = {name: earlier.get(name, {}) for name in SOURCES}
            else:
                write_text(self.partial / "scenario.toml", loader.to_toml(self._scenario))
                self._sources = keep_sources(self.partial, self._files)
            kept = attachments.kept(self.partial, self._sources["attachments"])
            self.scenario = attachments.relocated(self._scenario, kept)
            self._hash = loader.scenario_hash(self.scenario)
        except BaseException as error:
            self._give_up()
            if isinstance(error, OSError):
                raise InputError(f"{self.partial}: cannot be made: {why(error)}") from None
            raise
        return self

    def _begin_folder(self) -> None:
        if self.folder.exists():
            raise InputError(f"{self.folder}: is there already")
        self.partial.mkdir(parents=True, exist_ok=True)
        self._lock = Lock.take(self.partial)
        kept_files.clear(self.partial)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._break_off(error)
            return
        try:
            self._complete()
        except BaseException as failure:
            self._break_off(failure)
            raise

    def began(self) -> None:
        """Write the manifest: from now on the run can go on after whatever happens.

        Also whenever it turns out to take longer.
        """
        self._write_manifest("running")

    def _complete(self) -> None:
        self.rows.write_tables(self.partial)
        self._write_manifest("complete")
        self._concluding = True  # parts go now: it can be finished, but not gone on with
        assert self._lock is not None
        conclude(self.partial, self._lock)

    def _break_off(self, error: BaseException) -> None:
        """Leave what is worth keeping, and note on the error how to go on with it."""
        if not self.partial.is_dir():
            error.add_note(f"the run is complete, in {self.folder}")
        elif self._goes_on or self.rows.count["steps"]:
            kept_files.make_room(self.partial)
            interrupted = is_stop(error) or type(error).__name__ == "RunCancelledError"
            if not self._concluding:
                with suppress(OSError):
                    self._write_manifest("interrupted" if interrupted else "failed", str(error))
            if isinstance(error, OSError) and error.errno and error.filename is None:
                error.filename = str(self.partial)
            if not isinstance(error, InputError):
                error.add_note(self._how_to_go_on())
        self._give_up()

    def _give_up(self) -> None:
        """Unlock, and leave nothing of a run that did not come to its first step."""
        if self._lock is None:
            return
        if not self._goes_on and not self.rows.count["steps"]:
            shutil.rmtree(self.partial, ignore_errors=True)
        self._lock.release(self.partial if self.partial.is_dir() else self.folder)

    def _how_to_go_on(self) -> str:
        first = self._forked["step"] if self._forked else 0
        steps = self.steps - first
        return (
            f"{self.rows.count['steps']} of {steps} steps; "
            f"go on with: twin run --resume {self.partial}"
        )

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
        temporary = self.partial / f"{HOSTS}.tmp"
        pq.write_table(rows.waiting("placements"), temporary, compression="zstd")
        temporary.replace(self.partial / HOSTS)

    def end_step(self, step: int) -> None:
        """Close the row groups that end with a step."""
        self.rows.end_step(step, self.partial / PARTS)

    def _write_manifest(self, status: str, error: str | None = None) -> None:
        simulation = self._scenario.simulation
        summed = SUMMED if status == "complete" else ("scenario.toml",)
        manifest = {
            "run_id": self.run_id,
            **({"kind": self.kind} if self.kind else {}),
            "status": status,
            "error": error,
            "scenario": self._scenario.name,
            "scenario_hash": self._hash,
            "strategy": self._scenario.placement.strategy,
            "policy": self._scenario.controller.policy,
            "seed": simulation.seed,
            "replicate": simulation.replicate,
            "steps": self.steps,
            "written_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "wall_time_s": round(self.wall_time_s, 3),
            "rows": self.rows.count,
            "forked": self._forked,
            "prolonged": self.prolonged,
            **self._sources,
            "checkpoints": self.checkpoints,
            "notes": self._notes,
            "left_out": self.left_out,
            "conclusion": self.conclusion,
            "versions": versions(),
            SUMS: sums.of(self.partial, summed),
        }
        write_manifest(self.partial, manifest)


def conclude(partial: Path, lock: Lock) -> Path:
    """Give a run whose tables and manifest are complete its name; return where it is then."""
    folder = partial.with_name(partial.name.removesuffix(PARTIAL))
    shutil.rmtree(partial / PARTS, ignore_errors=True)
    kept_files.make_room(partial)
    partial.rename(folder)
    lock.release(folder)
    return folder
