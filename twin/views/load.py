"""What a step carried of requests, as the page draws it: the same from a run and from a model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.model import TwinModel
from agents.request_rows import load_row, request_rows
from twin.runs.rules import LAST, MOST, SUM, Mean, StepFigure, column, merge_blocks, share
from twin.runs.store import Run
from twin.scenario.schema import Scenario
from twin.vocabulary import Cause

type Floats = NDArray[np.float64]

_OF_LOAD = {
    "requests_running": "running",
    "requests_waiting": "waiting",
    "answer_tokens": "tokens_out",
    "batch_mean": "batch_mean",
    "cache_share": "cache_share",
    "busiest_share": "busiest_share",
    "busiest_link_share": "link_most_share",
}
"""Columns of table ``load`` by the names that they have among the figures of steps."""

_SERVED = Mean("requests_served")

LOAD: dict[str, StepFigure] = {
    figure.name: figure
    for figure in (
        column("requests_running", "requests running", LAST, "Let in, at the end of the step."),
        column("requests_waiting", "requests waiting", LAST, "Not let in, at the end of the step."),
        column("requests_ended", "requests ended", SUM, "Served or not."),
        column("requests_served", "requests served", SUM, "Of those that ended."),
        column("requests_good", "good requests", SUM, "Served within both targets."),
        column("request_ttft_s", "first token", _SERVED, "Of requests served, mean.", unit="s"),
        column("request_tpot_s", "further token", _SERVED, "Of requests served, mean.", unit="s"),
        column("answer_tokens", "tokens of answers", SUM, "That came out of the model."),
        column("batch_mean", "tokens served together", Mean(), "Mean of all services."),
        share("cache_share", "cache in use", MOST, "Mean of the copies, at the end of the step."),
        share("busiest_share", "busiest satellite", MOST, "Of the step that it worked."),
        share("busiest_link_share", "busiest link", MOST, "Of the step that it was taken."),
    )
}
"""Figures of a step of requests; NaN where only tokens are served."""

_TIMES = ("ttft_s", "tpot_s")

COPIES = ("instance_open", "instance_running", "instance_waiting", "instance_cache")
"""What the page knows of every copy of the model at a frame, where there are several."""


def of_model(model: TwinModel) -> dict[str, float]:
    """Figures of the step that a model has just made."""
    if model.requests is None:
        return {}
    step, done = model.snapshot.step, model.requested
    carried, ended = load_row(model, step, done), request_rows(model, step, done)
    found = {name: float(carried[theirs]) for name, theirs in _OF_LOAD.items()}
    counted = _ended(model.config, ended["cause"], ended["ttft_s"], ended["tpot_s"])
    found |= {name: float(mine.sum()) for name, mine in counted.items()}
    served, zero = counted["requests_served"], np.zeros(len(ended["request"]), np.int64)
    for name in _TIMES:
        found[f"request_{name}"] = float(_means(ended[name], zero, served, 1)[0])
    return found


def of_run(run: Run, first: int, steps: int) -> dict[str, Floats]:
    """The same of every step of a run on disk."""
    if run.scenario.serving.mode == "tokens":
        return {}
    carried = run.table("load", list(_OF_LOAD.values()))
    found = {name: carried[theirs].to_numpy().astype(float) for name, theirs in _OF_LOAD.items()}
    rows = run.table("requests", ["step", "cause", "ttft_s", "tpot_s"])
    ttft_s, tpot_s = (rows[name].to_numpy().astype(float) for name in ("ttft_s", "tpot_s"))
    at = rows["step"].to_numpy() - first
    counted = _ended(run.scenario, rows["cause"].to_pylist(), ttft_s, tpot_s)
    for name, mine in counted.items():
        found[name] = np.bincount(at[mine], minlength=steps).astype(float)
    for name, value in zip(_TIMES, (ttft_s, tpot_s), strict=True):
        found[f"request_{name}"] = _means(value, at, counted["requests_served"], steps)
    return found


def _means(value: Floats, step: NDArray[Any], served: NDArray[np.bool_], steps: int) -> Floats:
    """Mean of each step over the requests served that have it; NaN where none has."""
    mine = served & np.isfinite(value)
    total = np.bincount(step[mine], value[mine], steps)
    count = np.bincount(step[mine], minlength=steps)
    return np.asarray(np.divide(total, count, out=np.full(steps, np.nan), where=count > 0))


def _ended(
    scenario: Scenario, causes: Sequence[str | None], ttft_s: Floats, tpot_s: Floats
) -> dict[str, NDArray[np.bool_]]:
    """Which requests ended, were served, and were good."""
    served = np.array([cause is None for cause in causes], bool)
    ended = np.array([cause != Cause.UNFINISHED.word for cause in causes], bool)
    targets = scenario.requests
    # A request of one token has no further one.
    further = np.isnan(tpot_s) | (tpot_s <= targets.tpot_target_s)
    good = served & (ttft_s <= targets.ttft_target_s) & further
    return {"requests_ended": ended, "requests_served": served, "requests_good": good}


def merged(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """Figures of all steps that a frame stands for, in the order of `LOAD`."""
    columns = {n: np.array([row.get(n, np.nan) for row in rows], np.float64) for n in LOAD}
    found = merge_blocks(LOAD, columns, np.zeros(1, np.intp))
    return [float(found[name][0]) for name in LOAD]


def of_steps(run: Run, first: int, last: int) -> dict[str, float]:
    """Figures of a run on disk, merged over the steps from `first` to `last`."""
    steps = run.scenario.simulation.steps - run.first_step
    mine = slice(first - run.first_step, last + 1 - run.first_step)
    columns = {n: values[mine] for n, values in of_run(run, run.first_step, steps).items()}
    return {n: float(v[0]) for n, v in merge_blocks(LOAD, columns, np.zeros(1, np.intp)).items()}


def copies_of_model(model: TwinModel) -> dict[str, NDArray[Any]]:
    """How every copy was at the end of a step, (R,) each; empty where there is one."""
    if len(model.instances) < 2:
        return {name: np.zeros(0) for name in COPIES}
    done = model.requested
    values = model.dispatcher.state.open, done.running, done.waiting, done.blocks_share
    return {name: np.array(value, float) for name, value in zip(COPIES, values, strict=True)}


def copies_of_run(run: Run, steps: int) -> dict[str, Floats]:
    """The same of every step of a run on disk, (T, R) each."""
    names = ["open", "running", "waiting", "cache_share"]
    table = run.table("instances", names)
    return {
        mine: table[theirs].to_numpy().astype(float).reshape(steps, -1)
        for mine, theirs in zip(COPIES, names, strict=True)
    }
