"""Requests of a run as a page asks for them: many as rows, one over its life."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.errors import InputError
from twin.runs.store import Run
from twin.views.columns import columns
from twin.views.rows import Rows, chosen, counts, marks, page, plain, whole
from twin.vocabulary import EVENTS, Cause, Lane

type Floats = NDArray[np.float64]
type Answer = dict[str, Any]

_COLUMNS: Final = (
    "step", "request", "site", "instance", "cause", "prompt_tokens", "output_tokens",
    "made_tokens", "asked_s", "admitted_s", "ttft_s", "tpot_s", "e2e_s", "longest_gap_s",
    "waiting_s", "computing_s", "way_s", "reused_tokens", "energy_j", "preemptions", "retries",
)  # fmt: skip
_LOST: Final = "lost"
_SERVED: Final = "served"
_TELLING: Final = frozenset((Lane.GROUND, Lane.PLAN))
"""Lanes of events that say why a token took long."""
_MOST_EVENTS: Final = 200


def rows(run: Run, asked: Mapping[str, Any], span: tuple[float, float]) -> Answer:
    """The rows that were asked for, and what else there is to choose.

    Parameters
    ----------
    run : Run
        Complete.
    asked : mapping
        ``site``, ``instance``, ``cause`` (a cause, "served", or "lost": all that are neither
        served nor inside at the end), ``by``, ``down``, ``page``; see `twin.views.rows.page`.
    span : pair of float
        Start and end of the run, s.
    """
    everything = columns(run, "requests", _COLUMNS)
    found = _of_cause(chosen(everything, asked, ("site", "instance")), asked.get("cause"))
    return {
        "total": everything.num_rows,
        "matched": found.num_rows,
        "rows": _timed(page(found, asked, "e2e_s"), span[0]),
        "causes": counts(everything, "cause"),
        "sites": counts(everything, "site"),
        "instances": counts(everything, "instance"),
        "marks": marks(found["asked_s"].to_numpy() - span[0], span[1] - span[0]),
    }


def _of_cause(table: pa.Table, wanted: Any) -> pa.Table:
    cause = table["cause"]
    if wanted is None:
        return table
    if wanted == _SERVED:
        return table.filter(pc.is_null(cause))
    if wanted == _LOST:
        inside = pc.equal(cause, Cause.UNFINISHED.word)
        return table.filter(pc.and_(pc.is_valid(cause), pc.invert(inside)))
    return chosen(table, {"cause": wanted}, ("cause",))


def life(run: Run, asked: Mapping[str, Any], span: tuple[float, float]) -> Answer:
    """One request: its row, each pass through the model if it is recorded, and what happened.

    A pass is a chunk of the prompt or one further token. Times count from the run's start.
    """
    number, table = whole(asked, "request"), columns(run, "requests", _COLUMNS)
    at = pc.index(table["request"], pa.scalar(number, pa.int64())).as_py()
    if at < 0:
        raise InputError(f"request {number}: not among the {table.num_rows} of this run")
    (row,) = _timed(plain(table.slice(at, 1)), span[0])
    end_s = row["asked_s"] + row["e2e_s"] if row["e2e_s"] is not None else span[1] - span[0]
    every = run.scenario.requests.record_every
    recorded = every is not None and number % every == 0
    return {
        "row": row,
        "end_s": end_s,
        "recorded": recorded,
        "record_every": every,
        "passes": _passes(run, row, span[0]) if recorded else [],
        "events": _events(run, row["site"], row["asked_s"], end_s, span[0]),
    }


def _timed(found: Rows, start_s: float) -> Rows:
    """Rows with times that count from the run's start."""
    for row in found:
        for name in ("asked_s", "admitted_s"):
            row[name] = None if row[name] is None else row[name] - start_s
    return found


_VISIT: Final = (
    "layer", "expert", "satellite", "first_token", "tokens", "came_s", "began_s", "ended_s"
)  # fmt: skip


_MOST_VISITS: Final = 4_000_000
"""That are kept in memory: of longer tables a request's own are read each time."""


def _passes(run: Run, row: Mapping[str, Any], start_s: float) -> list[list[float]]:
    """Passes in their order.

    Of each its first token, its tokens, when they came to the first gateway, when the last
    service ended, s that all services waited and worked, how many, and the first one's satellite.
    """
    mine = pc.field("request") == row["request"]
    if run.manifest["rows"].get("visits", 0) > _MOST_VISITS:
        table = run.table("visits", list(_VISIT), mine)
    else:
        table = columns(run, "visits", ("request", *_VISIT)).filter(mine)
    if not table.num_rows:
        return []
    value = {name: table[name].to_numpy() for name in _VISIT}
    order = np.lexsort((value["came_s"], value["first_token"]))
    value = {name: column[order] for name, column in value.items()}
    # What is done once more, after a preemption or a loss, begins at the first gateway again.
    again = (value["layer"] == 0) & (value["expert"] < 0)
    first = np.flatnonzero(again | np.r_[True, np.diff(value["first_token"]) != 0])
    came = np.minimum.reduceat(value["came_s"], first) - start_s
    ended = np.maximum.reduceat(value["ended_s"], first) - start_s
    waited = np.add.reduceat(value["began_s"] - value["came_s"], first)
    worked = np.add.reduceat(value["ended_s"] - value["began_s"], first)
    services = np.diff(np.append(first, table.num_rows))
    tokens = np.maximum.reduceat(value["tokens"], first)
    made = np.column_stack(
        [
            value["first_token"][first], tokens, came, ended, waited, worked, services,
            value["satellite"][first],
        ]
    )  # fmt: skip
    rows: list[list[float]] = made[np.argsort(came, kind="stable")].tolist()
    return rows


def _events(run: Run, site: int, from_s: float, to_s: float, start_s: float) -> Rows:
    """What happened to the site and to the placement while a request was inside."""
    table = columns(run, "events", ("t_s", "kind", "cause", "satellite", "other", "value"))
    t_s = table["t_s"]
    inside = pc.and_(pc.greater_equal(t_s, from_s + start_s), pc.less_equal(t_s, to_s + start_s))
    found = []
    for event in plain(table.filter(inside)):
        lane = EVENTS[event["kind"]].lane
        mine = lane is not Lane.GROUND or event["value"] == site
        if lane in _TELLING and mine:
            found.append(event | {"t_s": event["t_s"] - start_s})
    return found[:_MOST_EVENTS]
