"""What became of a run's requests, as its figures need it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from twin.runs.rules import Columns, Floats
from twin.runs.run_figure import Requested
from twin.runs.steady import grows, mser5
from twin.scenario.schema import Scenario
from twin.scenario.serving import Requests
from twin.vocabulary import Cause

_COLUMNS = ("asked_s", "admitted_s", "ttft_s", "tpot_s", "e2e_s", "longest_gap_s", "waiting_s")
_BUSY = 0.95
"""Share of the time from which on a satellite is busy all the time."""
_FIRST = 10
"""Requests that show how long one takes before there are many."""
_LONG = 4
"""Times as long as its first requests take a run must be to say that more and more wait."""


class Recorded(Protocol):
    """A run on disk, or one that is being written."""

    @property
    def scenario(self) -> Scenario:
        """As it ran."""

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """One table, or some of its columns."""


@dataclass(frozen=True, kw_only=True)
class _Load:
    """What a run carried, T steps.

    Attributes
    ----------
    time_s : (T,) float64
        End of each step.
    step_s : float
    inside, waiting : (T,) float64
        Requests inside, and of those the ones that are not let in, then.
    busiest : (T,) float64
        Share of the step that the busiest satellite worked.
    """

    time_s: Floats
    step_s: float
    inside: Floats
    waiting: Floats
    busiest: Floats


def _load(run: Recorded) -> _Load:
    time_s = np.asarray(run.table("steps", ["t_s"])["t_s"].to_numpy(), np.float64)
    step_s = float(time_s[1] - time_s[0]) if len(time_s) > 1 else np.nan
    table = run.table("load", ["running", "waiting", "busiest_share"])
    running, waiting, busiest = (
        np.asarray(table[name].to_numpy(), np.float64) for name in table.column_names
    )
    return _Load(
        time_s=time_s + step_s,
        step_s=step_s,
        inside=running + waiting,
        waiting=waiting,
        busiest=busiest,
    )


def requested(run: Recorded) -> Requested | None:
    """Return what became of a run's requests; None where only tokens are served."""
    scenario = run.scenario
    if scenario.serving.mode == "tokens":
        return None
    rows, load = run.table("requests"), _load(run)
    start_s, end_s = load.time_s[0] - load.step_s, load.time_s[-1]
    until_s = end_s - scenario.requests.drain_s
    columns = {name: np.asarray(rows[name].to_numpy(), np.float64) for name in _COLUMNS}
    cause = rows["cause"].to_pylist()
    unfinished = np.array([word == Cause.UNFINISHED.word for word in cause], bool)
    growing, growth_per_s = _growth(load, columns, until_s, scenario.requests)
    warm_up_s = 0.0
    if not growing and not _transient(scenario.requests):
        warm_up_s = _warm_up_s(columns["asked_s"], columns["ttft_s"], float(start_s))
    return Requested(
        served=np.array([word is None for word in cause], bool),
        unfinished=unfinished,
        site=np.asarray(rows["site"].to_numpy()),
        energy_j=float(np.sum(rows["energy_j"].to_numpy())),
        made_tokens=int(np.sum(rows["made_tokens"].to_numpy())),
        prompt_tokens=int(np.sum(rows["prompt_tokens"].to_numpy()[~unfinished])),
        start_s=float(start_s),
        warm_up_s=warm_up_s,
        until_s=float(until_s),
        end_s=float(end_s),
        overloaded=growing,
        growth_per_s=growth_per_s,
        ttft_target_s=scenario.requests.ttft_target_s,
        tpot_target_s=scenario.requests.tpot_target_s,
        **columns,
    )


def _transient(table: Requests) -> bool:
    """Whether what comes changes over the run, so that all of it counts."""
    return table.arrivals == "trace" or table.daily > 0


def _warm_up_s(asked_s: Floats, ttft_s: Floats, start_s: float) -> float:
    """Time that MSER-5 cuts from first tokens in the order in which they were asked for."""
    known = np.flatnonzero(np.isfinite(ttft_s))
    order = known[np.argsort(asked_s[known], kind="stable")]
    cut = mser5(ttft_s[order])
    return float(asked_s[order[cut]]) - start_s if cut else 0.0


def _growth(
    load: _Load, rows: Columns, until_s: float, table: Requests
) -> tuple[bool | None, float]:
    """Whether more and more are inside, and how many more a second, in the second half of arrivals.

    None where that cannot be known: the constellation may still be filling with requests that take
    as long as the run, if no satellite is always busy and no line grows at the first gateway.
    """
    start_s, end_s = load.time_s[0] - load.step_s, until_s * (1 + 1e-12)
    middle_s = (start_s + until_s) / 2
    late = (load.time_s >= middle_s) & (load.time_s <= end_s)
    if late.sum() < 2:
        return None, float("nan")
    inside = load.inside[late]
    per_s = float(inside[-1] - inside[0]) / float(np.ptp(load.time_s[late]))
    if table.arrivals == "closed":
        return False, per_s  # who waits does not ask
    came = int((rows["asked_s"] >= middle_s).sum())
    growing = grows(inside, came)
    if not growing or load.busiest[late].mean() >= _BUSY or grows(load.waiting[late], came):
        return growing, per_s
    first = rows["e2e_s"][np.argsort(rows["asked_s"], kind="stable")[:_FIRST]]
    alone_s = float(np.median(np.where(np.isnan(first), np.inf, first)))
    return (None if until_s - start_s < _LONG * alone_s else growing), per_s
