"""A live run that is asked about: what is known of it, whether it is followed or complete."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from twin.errors import InputError
from twin.live import record
from twin.live.record import FOLDER
from twin.live.state import LiveState
from twin.live.watch import Alarm
from twin.runs.store import Run, read_parquet
from twin.scenario.schema import Scenario
from twin.views.columns import columns
from twin.views.following import Followed
from twin.vocabulary.live import KIND, AlarmKind

type Answer = dict[str, Any]
type Array = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """A live run, complete or followed or, for a moment, both, and what is asked about it.

    `allowed` says whether the visitor may change it, and `more` is what the question says.
    """

    run: Run | None
    live: Followed | None
    allowed: bool
    more: Mapping[str, Any]

    @cached_property
    def folder(self) -> Path:
        """Where the run is now.

        Raises
        ------
        InputError
            If it is none.
        """
        if self.live is not None:
            return self.live.folder
        if self.run is None or self.run.manifest.get("kind") != KIND:
            raise InputError("this is no live run")
        return self.run.path

    @property
    def state(self) -> LiveState | None:
        """What the mirror carries, of its newest checkpoint; None before, and of a complete run."""
        return self.live.newest if self.live is not None and self.run is None else None

    @cached_property
    def scenario(self) -> Scenario:
        """What is mirrored."""
        if self.run is not None:
            return self.run.scenario
        assert self.live is not None
        return self.live.runs[0].scenario

    @cached_property
    def times_s(self) -> Array:
        """Start of the run, and its end as far as it has come."""
        if self.live is not None:
            steps = 0 if self.live.newest is None else self.live.newest.twin.step
            return np.array([0.0, steps * self.live.step_s])
        assert self.run is not None
        t_s = columns(self.run, "steps", ("t_s",))["t_s"].to_numpy()
        return np.array([t_s[0], 2 * t_s[-1] - t_s[-2] if len(t_s) > 1 else t_s[-1] + 1.0])

    @property
    def now_s(self) -> float:
        """How far the run has come, s since the scenario's start."""
        return float(self.times_s[1])

    @cached_property
    def step_s(self) -> float:
        """Length of a step."""
        if self.live is not None:
            return self.live.step_s
        steps = self.scenario.simulation.steps
        return float(self.times_s[1] - self.times_s[0]) / steps

    def alarms(self) -> list[Alarm]:
        """All of the run, as they came."""
        if self.state is not None:
            return record.alarms_of(self.state.record)
        file = self.folder / FOLDER / record.ALARMS
        if not file.is_file():
            return []
        rows = read_parquet(file).to_pylist()
        return [Alarm(**row | {"kind": AlarmKind(row["kind"])}) for row in rows]

    def stands(self, alarm: Alarm) -> bool | None:
        """Whether what an alarm is about still holds; None where that is not known."""
        if self.state is None or alarm.kind is not AlarmKind.SILENT:
            return None
        return bool(self.state.mirror.watch.told_silent[alarm.satellite])

    def residual_w(self, satellite: int, t_s: float) -> tuple[float | None, float | None]:
        """Battery power over what was expected last before a time, and its expected deviation."""
        found = self.estimates(satellite, ("residual_power_w", "residual_power_sd_w"))
        known = (found["step"] + 1) * self.step_s <= t_s + 1e-6
        known &= np.isfinite(found["residual_power_w"])
        at = np.flatnonzero(known)
        if not len(at):
            return None, None
        values = (float(found[n][at[-1]]) for n in ("residual_power_w", "residual_power_sd_w"))
        off_w, spread_w = values
        return off_w, spread_w

    def estimates(self, satellite: int, names: Sequence[str]) -> dict[str, Array]:
        """Columns of the estimates of one satellite, and ``step``, by step."""
        parts = sorted((self.folder / FOLDER).glob("estimates-*.parquet"))
        tables = [t for file in parts if (t := _part(file, tuple(names))) is not None]
        mine = [_of(table, satellite) for table in tables]
        steps = np.concatenate([[], *(table["step"].to_numpy() for table in mine)])
        found = {n: np.concatenate([[], *(t[n].to_numpy() for t in mine)]) for n in names}
        state = None if self.state is None else self.state.record
        if state is not None and satellite >= state.rows.shape[2]:
            raise InputError(f"satellite: {satellite}: there are 0 to {state.rows.shape[2] - 1}")
        if state is not None and len(state.steps):
            # A part may have been closed since the checkpoint.
            new = state.steps > steps.max(initial=-1)
            rows = state.rows[new][:, [record.COLUMNS.index(n) for n in names], satellite]
            steps = np.append(steps, state.steps[new])
            found = {n: np.append(found[n], rows[:, k]) for k, n in enumerate(names)}
        return {"step": steps.astype(np.float64)} | found


def _of(table: pa.Table, satellite: int) -> pa.Table:
    return table.filter(pa.compute.equal(table["satellite"], satellite))


def _part(file: Path, names: tuple[str, ...]) -> pa.Table | None:
    try:
        return _read(file, file.stat().st_mtime_ns, names)
    except OSError:
        return None  # the run has just been completed, and its folder has another name


@lru_cache(maxsize=256)
def _read(file: Path, stamp: int, names: tuple[str, ...]) -> pa.Table:  # noqa: ARG001
    return pq.read_table(file, columns=["step", "satellite", *names])
