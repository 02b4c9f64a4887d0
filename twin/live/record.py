"""What a live run keeps beside its tables: estimates, what sites said, and alarms, in Parquet.

Estimates are in parts that end at fixed steps, so that the same messages give the same files
whatever happened in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from twin.live.fields import SITE_NUMBERS
from twin.live.filter import Estimates
from twin.live.message import Message
from twin.live.mirror import Step
from twin.live.watch import Alarm
from twin.vocabulary.live import AlarmKind

type Array = NDArray[np.float64]

FOLDER: Final = "live"
ALARMS: Final = "alarms.parquet"
PART_STEPS: Final = 60
"""Steps of a part of the estimates."""
RESIDUALS: Final = (
    "residual_soc",
    "residual_soc_sd",
    "residual_power_w",
    "residual_power_sd_w",
)
"""The last innovation of a step, and its expected standard deviation, of charge and of power."""
COLUMNS: Final = (*Estimates._fields, *RESIDUALS)
_KINDS = tuple(AlarmKind)


@dataclass(kw_only=True)
class RecordState:
    """What waits to be written.

    Attributes
    ----------
    steps : (R,) int64
    rows : (R, C, N) float32
        Estimates of these steps, as `COLUMNS`.
    alarms : (A, 5) float64
        Time, kind, satellite, other and value of every alarm of the run.
    innovations : (N, 4) float64
        Sum of squares of normalised innovations, and how many, of charge and of power.
    sites : (S, 2 + F) float64
        Time, site, and `SITE_NUMBERS`, of messages of sites that wait; NaN where one says nothing.
    said_by_sites : (F,) float64
        Sum of each of these numbers over the run.
    """

    LAYOUT: ClassVar = list(COLUMNS)

    steps: NDArray[np.int64]
    rows: NDArray[np.float32]
    alarms: Array
    innovations: Array
    sites: Array
    said_by_sites: Array


def at_start(n: int) -> RecordState:
    """State before the first step."""
    return RecordState(
        steps=np.empty(0, np.int64),
        rows=np.empty((0, len(COLUMNS), n), np.float32),
        alarms=np.empty((0, 5)),
        innovations=np.zeros((n, 4)),
        sites=np.empty((0, 2 + len(SITE_NUMBERS))),
        said_by_sites=np.zeros(len(SITE_NUMBERS)),
    )


class Record:
    """Writes estimates and alarms into the folder of a run.

    Parameters
    ----------
    folder : Path
        Of the run.
    every : int
        Estimates of every so many steps are kept.
    state : RecordState
        Goes on.
    """

    def __init__(self, folder: Path, *, every: int, state: RecordState) -> None:
        self._folder, self._every = folder / FOLDER, every
        self._folder.mkdir(exist_ok=True)
        self._steps, self._rows = state.steps.tolist(), list(state.rows)
        self.alarms = alarms_of(state)
        self.innovations = state.innovations
        self._sites, self.said_by_sites = state.sites.tolist(), state.said_by_sites

    @property
    def state(self) -> RecordState:
        """What a checkpoint keeps."""
        n = len(self.innovations)
        rows = np.stack(self._rows) if self._rows else np.empty((0, len(COLUMNS), n), np.float32)
        return RecordState(
            steps=np.array(self._steps, np.int64),
            rows=rows,
            alarms=np.array([_numbers(alarm) for alarm in self.alarms]).reshape(-1, 5),
            innovations=self.innovations,
            sites=np.array(self._sites).reshape(-1, 2 + len(SITE_NUMBERS)),
            said_by_sites=self.said_by_sites,
        )

    def add(self, found: Step, messages: Sequence[Message] = ()) -> None:
        """Add what a step has found, and what sites said of it."""
        of_sites = [(m.t_s, m.row, *m.values) for m in messages if m.of_site]
        of_sites = [said for said in of_sites if any(x == x for x in said[2:])]  # no controller's
        self._sites += of_sites
        for said in of_sites:
            self.said_by_sites = self.said_by_sites + np.nan_to_num(np.array(said[2:]))
        rows = np.repeat(np.arange(len(self.innovations)), np.diff(found.measures.first))
        residuals, n = found.residuals, len(self.innovations)
        last = np.full((len(RESIDUALS), n), np.nan)
        for column, value, sd in (
            (0, residuals.soc, residuals.soc_sd),
            (2, residuals.power_w, residuals.power_sd_w),
        ):
            known = np.isfinite(value)
            last[column, rows[known]] = value[known]
            last[column + 1, rows[known]] = sd[known]
            np.add.at(self.innovations[:, column], rows[known], (value / sd)[known] ** 2)
            np.add.at(self.innovations[:, column + 1], rows[known], 1)
        self.alarms += found.alarms
        if found.step % self._every == 0:
            self._steps.append(found.step)
            self._rows.append(np.stack([*found.estimates, *last]).astype(np.float32))
        if (found.step + 1) % PART_STEPS == 0:
            self._close(found.step // PART_STEPS)

    def finish(self, step: int) -> None:
        """Write what is left after the last step, and the alarms."""
        self._close(step // PART_STEPS)
        alarms = [_numbers(alarm) for alarm in self.alarms]
        t_s, kind, satellite, other, value = np.array(alarms).reshape(-1, 5).T
        table = {
            "t_s": t_s,
            "kind": [str(_KINDS[int(k)]) for k in kind],
            "satellite": satellite.astype(np.int32),
            "other": other.astype(np.int32),
            "value": value,
        }
        schema = {"kind": pa.string()}
        columns = {name: pa.array(column, schema.get(name)) for name, column in table.items()}
        pq.write_table(pa.table(columns), self._folder / ALARMS, compression="zstd")

    def _close(self, number: int) -> None:
        if self._sites:
            t_s, site, *numbers = np.array(self._sites).T
            said = {"t_s": t_s, "site": site.astype(np.int32)}
            said |= {one.name: column for one, column in zip(SITE_NUMBERS, numbers, strict=True)}
            self._write(f"sites-{number:06d}.parquet", said)
            self._sites = []
        if not self._steps:
            return
        rows = np.stack(self._rows)
        n = rows.shape[2]
        table = {
            "step": np.repeat(np.array(self._steps, np.int32), n),
            "satellite": np.tile(np.arange(n, dtype=np.int32), len(rows)),
        }
        table |= {name: rows[:, k].ravel() for k, name in enumerate(COLUMNS)}
        self._write(f"estimates-{number:06d}.parquet", table)
        self._steps, self._rows = [], []

    def _write(self, name: str, columns: dict[str, NDArray[Any]]) -> None:
        file = self._folder / name
        temporary = file.with_suffix(".tmp")
        pq.write_table(pa.table(columns), temporary, compression="zstd")
        temporary.replace(file)


def alarms_of(state: RecordState) -> list[Alarm]:
    """Every alarm of the run, as they came."""
    return [_alarm(row) for row in state.alarms.tolist()]


def _numbers(alarm: Alarm) -> tuple[float, ...]:
    kind = _KINDS.index(alarm.kind)
    return alarm.t_s, kind, alarm.satellite, alarm.other, alarm.value


def _alarm(row: list[float]) -> Alarm:
    return Alarm(row[0], _KINDS[int(row[1])], int(row[2]), int(row[3]), row[4])
