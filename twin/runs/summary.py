"""A run in its figures."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from twin.runs.distribution import Distribution
from twin.runs.figures import FIGURES, QUANTITIES, draw, merge_rows
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


def figures_of_steps(run: Run, names: Sequence[str], first: int, last: int) -> dict[str, float]:
    """Figures that are merges of steps, of those from `first` to `last` alone; NaN without one."""
    columns = step_columns(run)
    here = (columns["step"] >= first) & (columns["step"] <= last)
    together = {}
    for quantity in QUANTITIES:
        table = run.table(quantity)
        mine = (table["step"].to_numpy() >= first) & (table["step"].to_numpy() <= last)
        value_s, count = (table[name].to_numpy()[mine] for name in ("value_s", "count"))
        together[quantity] = Distribution.weighted(value_s, count)
    row = merge_rows({name: values[here] for name, values in columns.items()}, None, together)
    totals = RunTotals(row=row, events={}, conclusion={}, wall_time_s=0.0)
    drawn = {name: FIGURES[name].draw(totals) for name in names}
    return {name: float("nan") if value is None else value for name, value in drawn.items()}


def step_columns(run: Run) -> dict[str, Floats]:
    """Columns of a run's steps, NaN where there is no such figure."""
    table = run.table("steps")
    return {name: np.asarray(table[name].to_numpy(), np.float64) for name in table.column_names}


def distribution(run: Run, quantity: str) -> Distribution:
    """How long all tokens of a run took, by a name in `QUANTITIES`."""
    table = run.table(quantity, ["value_s", "count"])
    return Distribution.weighted(table["value_s"].to_numpy(), table["count"].to_numpy())
