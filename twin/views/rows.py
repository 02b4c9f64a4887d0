"""Rows of a table that a page asks for: chosen, ordered, and a page of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.errors import InputError

PAGE_ROWS: Final = 50
MARKS: Final = 400
"""Places along the run at which matches are counted, for the bar of time."""

type Rows = list[dict[str, Any]]


def chosen(table: pa.Table, wanted: Mapping[str, Any], names: Sequence[str]) -> pa.Table:
    """Rows that have the wanted value in each of the named columns; None stands for any."""
    mask = None
    for name in names:
        value = wanted.get(name)
        if value is None:
            continue
        mine = pc.equal(table[name], _scalar(table, name, value))
        mask = mine if mask is None else pc.and_kleene(mask, mine)
    return table if mask is None else table.filter(mask)


def _scalar(table: pa.Table, name: str, value: Any) -> pa.Scalar:
    kind = table.schema.field(name).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    try:
        return pa.scalar(value, kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        raise InputError(f"{name}: {value!r}: no value of this column") from None


def page(table: pa.Table, asked: Mapping[str, Any], default: str) -> Rows:
    """The page of rows that was asked for: ``by`` a column, ``down`` or not, from ``page`` on.

    What is not known comes last.
    """
    by = asked.get("by") or default
    if by not in table.column_names:
        raise InputError(f"by: {by!r}: not one of {', '.join(table.column_names)}")
    first = PAGE_ROWS * whole(asked, "page")
    order = _order(table[by], down=bool(asked.get("down", True)))
    return plain(table.take(order[first : min(first + PAGE_ROWS, table.num_rows)]))


def _order(column: pa.ChunkedArray, *, down: bool) -> Any:
    """Indices in the order of a column; equal ones as they are, what is not known last."""
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        value = column.to_numpy().astype(float)
        return np.argsort(-value if down else value, kind="stable")
    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    order = "descending" if down else "ascending"
    return pc.array_sort_indices(column.combine_chunks(), order=order)


def plain(table: pa.Table) -> Rows:
    """Rows as JSON takes them: what is not known is None."""
    rows: Rows = table.to_pylist()
    return [
        {n: None if isinstance(v, float) and not np.isfinite(v) else v for n, v in row.items()}
        for row in rows
    ]


def counts(table: pa.Table, name: str) -> list[list[Any]]:
    """Each value of a column, and how many rows have it, the most frequent first."""
    found = [[item["values"], item["counts"]] for item in table[name].value_counts().to_pylist()]
    return sorted(found, key=lambda each: (-each[1], str(each[0])))


def marks(t_s: NDArray[np.float64], end_s: float) -> list[list[int]]:
    """Where along a run rows are: [place, how many], places 0 to `MARKS` - 1."""
    place = np.clip((t_s / max(end_s, 1e-9) * MARKS).astype(int), 0, MARKS - 1)
    each = np.bincount(place, minlength=MARKS)
    return [[int(k), int(each[k])] for k in np.flatnonzero(each)]


def whole(asked: Mapping[str, Any], name: str) -> int:
    """A whole number of a question, 0 or more; 0 where it says none."""
    value = asked.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise InputError(f"{name}: {value!r}: must be a whole number, 0 or more")
    return value
