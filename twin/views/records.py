"""All recorded tokens and events of a run, chosen and put in order as a page asks for them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from twin.runs.slowest import Found, slowest_columns, slowest_layers
from twin.runs.store import Run
from twin.runs.tables import SLOWEST
from twin.views.columns import columns, kept
from twin.views.rows import chosen, counts, marks, page

type Answer = dict[str, Any]
type Span = tuple[float, float]

_TOKEN: Final = ("step", "token", "latency_s", "cause")
_EVENT: Final = ("step", "t_s", "kind", "cause", "satellite", "other", "value")
_HOPS: Final = [f"hops.list.element.{name}" for name in ("layer", "source", "end_s")]
_FEW: Final = 50_000
"""Tokens of which layers are looked at without being asked for."""
_LOST, _SERVED = "lost", "served"


def tokens(run: Run, asked: Mapping[str, Any], span: Span) -> Answer:
    """Recorded tokens.

    Parameters
    ----------
    run : Run
        Complete.
    asked : mapping
        ``cause`` (a cause, "served" or "lost"), ``layer`` and ``satellite`` (where it took
        longest), ``by``, ``down``, ``page``; see `twin.views.rows.page`.
    span : pair of float
        Start and end of the run, s.
    """
    table = columns(run, "tokens", _TOKEN)
    where = {"slowest_layer": asked.get("layer"), "slowest_satellite": asked.get("satellite")}
    layered = _recorded(run) or table.num_rows <= _FEW or asked.get("by") in SLOWEST
    layered |= any(value is not None for value in where.values())
    if layered:
        slowest = _slowest(run)
        for name in SLOWEST:
            table = table.append_column(name, slowest[name])
    found = chosen(_of_cause(table, asked.get("cause")), where, list(where) if layered else [])
    each_s = (span[1] - span[0]) / max(run.scenario.simulation.steps - run.first_step, 1)
    return {
        "total": table.num_rows,
        "matched": found.num_rows,
        "rows": page(found, asked, "latency_s"),
        "causes": counts(table, "cause"),
        "layered": layered,
        "marks": marks((found["step"].to_numpy() - run.first_step) * each_s, span[1] - span[0]),
    }


def _of_cause(table: pa.Table, wanted: Any) -> pa.Table:
    if wanted == _SERVED:
        return table.filter(pc.is_null(table["cause"]))
    if wanted == _LOST:
        return table.filter(pc.is_valid(table["cause"]))
    return chosen(table, {"cause": wanted}, ("cause",))


def events(run: Run, asked: Mapping[str, Any], span: Span) -> Answer:
    """Events.

    ``kind``, ``cause`` and ``satellite`` (at either end) choose; the rest is as for `tokens`.
    """
    table = columns(run, "events", _EVENT)
    kinds = counts(table, "kind")
    found = chosen(table, asked, ("kind", "cause"))
    one = asked.get("satellite")
    if one is not None:
        ends = [chosen(found, {name: one}, (name,)) for name in ("satellite", "other")]
        found = pa.concat_tables(ends).combine_chunks()
    rows = page(found, {"by": "t_s", "down": False, **asked}, "t_s")
    for row in rows:
        row["t_s"] -= span[0]
    return {
        "total": table.num_rows,
        "matched": found.num_rows,
        "rows": rows,
        "kinds": kinds,
        "causes": counts(found, "cause"),
        "marks": marks(found["t_s"].to_numpy() - span[0], span[1] - span[0]),
    }


def _slowest(run: Run) -> pa.Table:
    """Of every recorded token the layer that took longest, and the satellite that was last in it.

    Hops of runs that did not record it are read a part at a time: all of a long run's would not
    fit into memory.
    """
    return kept(run, "slowest layers", lambda: _read_slowest(run))


def _read_slowest(run: Run) -> pa.Table:
    if _recorded(run):
        return run.table("tokens", list(SLOWEST)).combine_chunks()
    run.check("tokens.parquet")
    nothing = np.zeros(0, np.int64)
    parts = list(_parts(run)) or [(nothing, np.zeros(0), nothing)]
    layer, took_s, satellite = (np.concatenate(each) for each in zip(*parts, strict=True))
    return pa.table(slowest_columns((layer, took_s, satellite)))


def _recorded(run: Run) -> bool:
    """Whether a run's table has it as columns of its own."""
    return set(SLOWEST) <= set(pq.read_schema(run.path / "tokens.parquet").names)


def _parts(run: Run) -> Iterator[Found]:
    with pq.ParquetFile(run.path / "tokens.parquet") as file:
        for batch in file.iter_batches(batch_size=8192, columns=_HOPS):
            lists = batch.column("hops")
            hops = lists.flatten()
            offset = np.concatenate([[0], np.cumsum(pc.list_value_length(lists).fill_null(0))])
            yield slowest_layers(
                offset.astype(np.int64),
                hops.field("layer").to_numpy(),
                hops.field("source").to_numpy(),
                hops.field("end_s").to_numpy(),
            )
