"""A run in its figures."""

from collections import Counter

import numpy as np
import pyarrow as pa

from twin.runs.distribution import Distribution
from twin.runs.figures import QUANTITIES, draw, merge_rows
from twin.runs.rules import Floats
from twin.runs.run_figure import Requested, RunTotals
from twin.runs.store import Run


def summarise(run: Run) -> dict[str, float | None]:
    """Figures of a complete run, by the names in `twin.runs.figures.FIGURES`, and its wall time.

    None where there is none. A run has no figures of the kinds of link that its constellation
    has not.
    """
    kinds = run.table("events", ["kind"])["kind"].cast(pa.string()).to_pylist()
    return draw(
        RunTotals(
            row=merge_rows(step_columns(run), None, {q: distribution(run, q) for q in QUANTITIES}),
            events=Counter(kinds),
            conclusion=run.manifest["conclusion"],
            wall_time_s=run.manifest["wall_time_s"],
            requests=_requested(run),
        )
    )


def _requested(run: Run) -> Requested | None:
    scenario = run.scenario
    if scenario.serving.mode == "tokens":
        return None
    rows, load = run.table("requests"), run.table("load", ["running", "waiting"])
    time_s = run.table("steps", ["t_s"])["t_s"].to_numpy()
    step_s = float(time_s[1] - time_s[0]) if len(time_s) > 1 else np.nan
    times = {
        name: np.asarray(rows[name].to_numpy(), np.float64)
        for name in ("ttft_s", "tpot_s", "e2e_s", "longest_gap_s", "waiting_s")
    }
    return Requested(
        asked=len(rows),
        served=np.asarray(rows["cause"].is_null().to_numpy()),
        made_tokens=int(np.sum(rows["made_tokens"].to_numpy())),
        prompt_tokens=int(np.sum(rows["prompt_tokens"].to_numpy())),
        inside=int(load["running"][-1].as_py() + load["waiting"][-1].as_py()),
        duration_s=len(time_s) * step_s,
        ttft_target_s=scenario.requests.ttft_target_s,
        tpot_target_s=scenario.requests.tpot_target_s,
        **times,
    )


def step_columns(run: Run) -> dict[str, Floats]:
    """Columns of a run's steps, NaN where there is no such figure."""
    table = run.table("steps")
    return {name: np.asarray(table[name].to_numpy(), np.float64) for name in table.column_names}


def distribution(run: Run, quantity: str) -> Distribution:
    """How long all tokens of a run took, by a name in `QUANTITIES`."""
    table = run.table(quantity, ["value_s", "count"])
    return Distribution.weighted(table["value_s"].to_numpy(), table["count"].to_numpy())
