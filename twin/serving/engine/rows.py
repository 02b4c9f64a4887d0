"""Rows of the engine's tables, in compiled code: by address, without copies or counting.

Compiled code takes one record, the core. It holds counters, rules and the addresses of all tables.
Numba passes arrays by value and counts references to them, which would cost more than the events.
"""

from typing import Any, Final

import numba
import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from twin.serving.engine.records import (
    EVENT,
    GRID,
    GROUP,
    INSTANCE,
    JOB,
    LINK,
    MEMBER,
    OUTCOME,
    PART,
    PREFIX,
    REQUEST,
    SATELLITE,
    VISIT,
    WAY,
)


def _row(dtype: np.dtype[Any]) -> Any:
    """Return a compiled function from a table's address and an index to the row."""
    record = numba.from_dtype(dtype)
    size = dtype.itemsize

    @intrinsic  # type: ignore[untyped-decorator]
    def row(_: Any, address: Any, index: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            wide = context.cast(builder, arguments[1], signature.args[1], types.int64)
            step = context.get_constant(types.int64, size)
            at = builder.add(arguments[0], builder.mul(wide, step))
            return builder.inttoptr(at, context.get_value_type(record))

        return record(address, index), code

    return row


_CELL: Final = np.dtype([("value", "f8")])
_SMALL: Final = np.dtype([("value", "i4")])
_COUNT: Final = np.dtype([("value", "i8")])

_event, _request, _member, _group = _row(EVENT), _row(REQUEST), _row(MEMBER), _row(GROUP)
_job, _satellite, _part, _outcome = _row(JOB), _row(SATELLITE), _row(PART), _row(OUTCOME)
_link, _way, _prefix, _visit = _row(LINK), _row(WAY), _row(PREFIX), _row(VISIT)
_instance = _row(INSTANCE)
_cell, _small, _count, _grid = _row(_CELL), _row(_SMALL), _row(_COUNT), _row(GRID)


@njit(cache=True)
def event_at(x, i):  # type: ignore[no-untyped-def]
    """Row of the heap."""
    return _event(x.heap, i)


@njit(cache=True)
def request_at(x, r):  # type: ignore[no-untyped-def]
    """Row of a request."""
    return _request(x.requests, r)


@njit(cache=True)
def member_at(x, m):  # type: ignore[no-untyped-def]
    """Row of a member."""
    return _member(x.members, m)


@njit(cache=True)
def group_at(x, g):  # type: ignore[no-untyped-def]
    """Row of a group."""
    return _group(x.groups, g)


@njit(cache=True)
def job_at(x, j):  # type: ignore[no-untyped-def]
    """Row of a job."""
    return _job(x.jobs, j)


@njit(cache=True)
def satellite_at(x, s):  # type: ignore[no-untyped-def]
    """Row of a satellite."""
    return _satellite(x.satellites, s)


@njit(cache=True)
def part_at(x, p):  # type: ignore[no-untyped-def]
    """Row of a part."""
    return _part(x.parts, p)


@njit(cache=True)
def outcome_at(x, i):  # type: ignore[no-untyped-def]
    """Row of what became of a request."""
    return _outcome(x.outcomes, i)


@njit(cache=True)
def link_at(x, i):  # type: ignore[no-untyped-def]
    """Row of a directed link."""
    return _link(x.links, i)


@njit(cache=True)
def hop_at(x, i):  # type: ignore[no-untyped-def]
    """Row of a link of a leg."""
    return _way(x.ways, i)


@njit(cache=True)
def way_first(x, way):  # type: ignore[no-untyped-def]
    """Where a leg's links begin; they end where the next leg's begin."""
    return _small(x.first, way).value


@njit(cache=True)
def tokens_passed(x, way):  # type: ignore[no-untyped-def]
    """Row of a leg: tokens that have cut through its links in the step."""
    return _count(x.passed, way)


@njit(cache=True)
def visit_at(x, i):  # type: ignore[no-untyped-def]
    """Row of a service that a recorded request was in."""
    return _visit(x.visits, i)


@njit(cache=True)
def tokens_of(x, expert):  # type: ignore[no-untyped-def]
    """Scratch row: tokens of an expert, for the group at hand."""
    return _small(x.scratch, expert)


@njit(cache=True)
def listed(x, i):  # type: ignore[no-untyped-def]
    """Scratch row: one of the experts that have tokens, in the order of experts."""
    return _small(x.listed, i + 1)


@njit(cache=True)
def count_listed(x):  # type: ignore[no-untyped-def]
    """Scratch row: how many experts are listed."""
    return _small(x.listed, 0)


@njit(cache=True)
def grid_at(x, kind):  # type: ignore[no-untyped-def]
    """Row of a table of measured times; without rows if there is none."""
    return _grid(x.grids, kind)


@njit(cache=True)
def prefix_at(x, p):  # type: ignore[no-untyped-def]
    """Row of a piece of prompts."""
    return _prefix(x.prefixes, p)


@njit(cache=True)
def hash_first(x, number):  # type: ignore[no-untyped-def]
    """Where the pieces of a request's prompt begin."""
    return _count(x.hash_first, number).value


@njit(cache=True)
def hash_piece(x, i):  # type: ignore[no-untyped-def]
    """Which piece it is."""
    return _small(x.hash_piece, i).value


@njit(cache=True)
def number(x, i):  # type: ignore[no-untyped-def]
    """One of the numbers of the tables of measured times."""
    return _cell(x.numbers, i).value


@njit(cache=True)
def instance_at(x, i):  # type: ignore[no-untyped-def]
    """Row of an instance."""
    return _instance(x.instances, i)


@njit(cache=True)
def instance_of(x, r):  # type: ignore[no-untyped-def]
    """Row of a request's instance."""
    return _instance(x.instances, request_at(x, r).instance)


@njit(cache=True)
def out_s(x, row, column):  # type: ignore[no-untyped-def]
    """Way from a row's gateway to a copy of an expert."""
    return _cell(x.out_s, row * x.columns + column).value


@njit(cache=True)
def on_s(x, row, column):  # type: ignore[no-untyped-def]
    """Way from a copy of an expert to the next gateway, or to an LM head; see `on_row`."""
    return _cell(x.on_s, row * x.columns + column).value


@njit(cache=True)
def back_s(x, head):  # type: ignore[no-untyped-def]
    """Way from an LM head to the first gateway of its instance."""
    return _cell(x.back_s, head).value


@njit(cache=True)
def entry_s(x, instance, site):  # type: ignore[no-untyped-def]
    """Way from a site to the first gateway of an instance."""
    return _cell(x.entry_s, instance * x.sites + site).value


@njit(cache=True)
def way_s(x, i):  # type: ignore[no-untyped-def]
    """Way between a satellite and a gateway, or an LM head; see `twin.serving.engine.places`."""
    return _cell(x.reach_s, i).value


@njit(cache=True)
def exit_s(x, head, site):  # type: ignore[no-untyped-def]
    """Way from an LM head down to a site."""
    return _cell(x.exit_s, head * x.sites + site).value


@njit(cache=True)
def weight(x, layer, expert):  # type: ignore[no-untyped-def]
    """Router weight; a layer's sum to 1."""
    return _cell(x.weight, layer * x.experts + expert).value


@njit(cache=True)
def cumulated(x, layer, expert):  # type: ignore[no-untyped-def]
    """Sum of a layer's router weights up to an expert's."""
    return _cell(x.cumulated, layer * x.experts + expert).value


@njit(cache=True)
def activation(x, layer, expert):  # type: ignore[no-untyped-def]
    """How often an expert is chosen; a layer's sum to top-K."""
    return _cell(x.activation, layer * x.experts + expert).value


@njit(cache=True)
def is_local(x, row):  # type: ignore[no-untyped-def]
    """Whether a row's gateway, experts and the next gateway are one satellite."""
    return _small(x.local, row).value != 0
