"""What happened in a run: its events, chosen by kind, satellite and time, and counted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from twin.errors import InputError
from twin.export.ephemeris import satellite_number, utc
from twin.runs.store import Run
from twin.space import constellation as constellations
from twin.text import meant
from twin.vocabulary import EVENTS

"""Kinds of events that a run may hold."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Events:
    """Events of a run, in order of time.

    Attributes
    ----------
    table : pyarrow.Table
        Columns of the run's events table, chosen rows.
    names : tuple of str
        Of all satellites; their numbers if the file that named them is gone.
    epoch_utc : str
        What `t_s` counts from.
    """

    table: pa.Table
    names: tuple[str, ...]
    epoch_utc: str

    def counts(self) -> list[tuple[str, str, int]]:
        """(kind, cause, number of events), by kind and cause; the cause may be empty."""
        groups = self.table.select(["kind", "cause"]).group_by(["kind", "cause"])
        rows = groups.aggregate([([], "count_all")]).to_pylist()
        return sorted((row["kind"], row["cause"] or "", row["count_all"]) for row in rows)

    def records(self, most: int | None = None) -> list[dict[str, Any]]:
        """The first events, or all, as plain data with names and UTC."""
        rows = self.table.slice(0, most).to_pylist()
        when = utc(self.epoch_utc, np.array([row["t_s"] for row in rows], np.float64))
        return [
            {
                "step": row["step"],
                "t_s": row["t_s"],
                "utc": str(text),
                "kind": row["kind"],
                "cause": row["cause"],
                "satellite": row["satellite"],
                "name": self._name(row["satellite"]),
                "other": row["other"],
                "other_name": self._name(row["other"]),
                "value": row["value"],
            }
            for row, text in zip(rows, when, strict=True)
        ]

    def rows(self, most: int) -> list[list[str]]:
        """The first events as text: seconds, kind, cause, satellite, other, value."""
        return [
            [
                f"{e['t_s']:.3f}",
                e["kind"],
                e["cause"] or "",
                e["name"] or "",
                e["other_name"] or "",
                "" if e["value"] is None else f"{e['value']:.6g}",
            ]
            for e in self.records(most)
        ]

    def _name(self, satellite: int | None) -> str | None:
        return None if satellite is None else self.names[satellite]


def select(
    run: Run,
    *,
    kinds: Sequence[str] = (),
    satellite: str | None = None,
    from_s: float | None = None,
    to_s: float | None = None,
) -> Events:
    """Read the events that fit all that is given.

    Parameters
    ----------
    run : Run
    kinds : sequence of str
        Any of these; all if empty.
    satellite : str, optional
        Name or number; also as the other end of a link or a move.
    from_s, to_s : float, optional
        Seconds since the start of the run, both included.

    Raises
    ------
    InputError
        If a kind or the satellite is unknown, or the time runs backwards.
    """
    names, epoch_utc = _names_and_epoch(run)
    conditions = []
    if kinds:
        _check(kinds, run)
        conditions.append(pc.field("kind").isin(list(kinds)))
    if satellite is not None:
        row = satellite_number(names, satellite)
        conditions.append((pc.field("satellite") == row) | (pc.field("other") == row))
    for option, t_s in (("--from", from_s), ("--to", to_s)):
        if t_s is not None and not math.isfinite(t_s):
            raise InputError(f"{option} {t_s}: must be a finite number of seconds")
    if from_s is not None:
        conditions.append(pc.field("t_s") >= from_s)
    if to_s is not None:
        if from_s is not None and to_s < from_s:
            raise InputError(f"--to {to_s:g}: must not be before --from {from_s:g}")
        conditions.append(pc.field("t_s") <= to_s)
    chosen = None
    for condition in conditions:
        chosen = condition if chosen is None else chosen & condition
    table = run.table("events", filters=chosen)
    return Events(table=table, names=names, epoch_utc=epoch_utc)


def _names_and_epoch(run: Run) -> tuple[tuple[str, ...], str]:
    try:
        body = constellations.build(run.scenario)
    except InputError:
        start_utc = run.scenario.simulation.start_utc
        if start_utc is None:
            raise
        last = pc.max(run.table("satellites", ["satellite"])[0])
        return tuple(str(i) for i in range(last.as_py() + 1)), start_utc
    return body.names, body.epoch_utc


def _check(kinds: Sequence[str], run: Run) -> None:
    there = pc.unique(run.table("events", ["kind"])["kind"].cast(pa.string())).to_pylist()
    for kind in kinds:
        if kind not in EVENTS and kind not in there:
            known = sorted({*EVENTS, *there})
            listed = f"{', '.join(known)}{meant(kind, known)}"
            raise InputError(f"--kind {kind}: unknown; kinds of events are: {listed}")
