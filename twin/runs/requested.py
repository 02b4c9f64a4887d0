"""What became of a run's requests, as its figures need it."""

import numpy as np

from twin.runs.rules import Floats
from twin.runs.run_figure import Requested
from twin.runs.steady import grows, mser5
from twin.runs.store import Run
from twin.scenario.serving import Requests
from twin.vocabulary import Cause

_FIRST = 10
"""Requests that show how long one takes before there are many."""
_LONG = 4
"""Times as long as its first requests take a run must be to say that more and more wait."""


def requested(run: Run) -> Requested | None:
    """Return what became of a complete run's requests; None where only tokens are served."""
    scenario = run.scenario
    if scenario.serving.mode == "tokens":
        return None
    rows, load = run.table("requests"), run.table("load", ["running", "waiting"])
    time_s = run.table("steps", ["t_s"])["t_s"].to_numpy()
    step_s = float(time_s[1] - time_s[0]) if len(time_s) > 1 else np.nan
    start_s, end_s = float(time_s[0]), float(time_s[0]) + len(time_s) * step_s
    until_s = end_s - scenario.requests.drain_s
    names = ("asked_s", "admitted_s", "ttft_s", "tpot_s", "e2e_s", "longest_gap_s", "waiting_s")
    columns = {name: np.asarray(rows[name].to_numpy(), np.float64) for name in names}
    cause = rows["cause"].to_pylist()
    asked_s = columns.pop("asked_s")
    unfinished = np.array([word == Cause.UNFINISHED.word for word in cause], bool)
    inside = np.asarray(load["running"].to_numpy() + load["waiting"].to_numpy(), np.float64)
    growing, growth_per_s = _growth(
        time_s + step_s, inside, asked_s, columns["e2e_s"], start_s, until_s, scenario.requests
    )
    warm_up_s = 0.0
    if not growing and not _transient(scenario.requests):
        warm_up_s = _warm_up_s(asked_s, columns["ttft_s"], start_s)
    return Requested(
        asked_s=asked_s,
        served=np.array([word is None for word in cause], bool),
        unfinished=unfinished,
        site=np.asarray(rows["site"].to_numpy()),
        made_tokens=int(np.sum(rows["made_tokens"].to_numpy())),
        prompt_tokens=int(np.sum(rows["prompt_tokens"].to_numpy()[~unfinished])),
        start_s=start_s,
        warm_up_s=warm_up_s,
        until_s=until_s,
        end_s=end_s,
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
    time_s: Floats,
    inside: Floats,
    asked_s: Floats,
    e2e_s: Floats,
    start_s: float,
    until_s: float,
    table: Requests,
) -> tuple[bool | None, float]:
    """Whether more and more are inside, and how many more a second, in the second half of arrivals.

    None where the run is too short to tell, since it still fills: a request takes too long.
    """
    middle_s = (start_s + until_s) / 2
    late = (time_s >= middle_s) & (time_s <= until_s * (1 + 1e-12))
    if late.sum() < 2:
        return None, float("nan")
    found, span_s = inside[late], time_s[late][-1] - time_s[late][0]
    per_s = float(found[-1] - found[0]) / span_s
    if table.arrivals == "closed":
        return False, per_s  # who waits does not ask
    first = e2e_s[np.argsort(asked_s, kind="stable")[:_FIRST]]
    alone_s = float(np.median(np.where(np.isnan(first), np.inf, first))) if len(first) else np.inf
    if until_s - start_s < _LONG * alone_s:
        return None, per_s
    return grows(found, int((asked_s >= middle_s).sum())), per_s
