"""What happened in a run, in order."""

from itertools import groupby
from typing import Any

import pyarrow as pa

from twin.report.page import Table
from twin.runs.cells import Cell
from twin.runs.store import Run
from twin.vocabulary import EVENTS, Lane

_ROWS = 40
_TOLD = {kind for kind in EVENTS if EVENTS[kind].lane in (Lane.SATELLITE, Lane.PLAN)}


def story(run: Run) -> Table:
    """Plans, moves, and what befell satellites, in order; what is alike at one time is one row."""
    table = run.table("events", ["t_s", "kind", "cause", "satellite", "value"])
    columns = [
        table["t_s"].to_pylist(),
        *(table[name].cast(pa.string()).fill_null("").to_pylist() for name in ("kind", "cause")),
        *(table[name].to_pylist() for name in ("satellite", "value")),
    ]
    rows = [row for row in zip(*columns, strict=True) if row[1] in _TOLD]
    alike = [list(group) for _, group in groupby(rows, key=lambda row: row[:3])]
    return Table(
        name="story",
        title="What happened, in order",
        header=("s", "what", "cause", "satellite", "value", "how many"),
        rows=[_row(some) for some in alike[:_ROWS]],
        note=f"The first {_ROWS} of {len(alike):,}; twin events has all."
        if len(alike) > _ROWS
        else "",
    )


def _row(some: list[tuple[Any, ...]]) -> list[Cell]:
    t_s, kind, cause, satellite, value = some[0]
    one = [satellite, value] if len(some) == 1 else [None, None]
    return [t_s, EVENTS[kind].sentence, cause, *one, len(some)]
