"""A run in its figures."""

from collections import Counter

import numpy as np
import pyarrow as pa

from twin.runs.distribution import Distribution
from twin.runs.figures import QUANTITIES, draw, merge_rows
from twin.runs.requested import requested
from twin.runs.rules import Floats
from twin.runs.run_figure import RunTotals
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
            requests=requested(run),
        )
    )


def step_columns(run: Run) -> dict[str, Floats]:
    """Columns of a run's steps, NaN where there is no such figure."""
    table = run.table("steps")
    return {name: np.asarray(table[name].to_numpy(), np.float64) for name in table.column_names}


def distribution(run: Run, quantity: str) -> Distribution:
    """How long all tokens of a run took, by a name in `QUANTITIES`."""
    table = run.table(quantity, ["value_s", "count"])
    return Distribution.weighted(table["value_s"].to_numpy(), table["count"].to_numpy())
