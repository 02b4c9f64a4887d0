"""Which copy of an expert a layer's gateway sends tokens to. Compiled.

Each expert's tokens go to the copy whose result is at the next gateway soonest by what the
gateway knows itself: ways, speeds, its own satellite's queue, and what it has sent to the others.
"""

import numpy as np
from numba import njit

from twin.serving.engine.links import leg_s
from twin.serving.engine.places import copies_each, expert_part, is_expert, on_row, row_of
from twin.serving.engine.records import NONE
from twin.serving.engine.rows import group_at, job_at, on_s, out_s, part_at, satellite_at
from twin.serving.engine.times import expert_s, gateway_alone_s, head_s

_JOBS = 64
"""Waiting jobs that are counted; a queue as long as that is one to avoid."""


@njit(cache=True)
def can_be_reached(x, row, e):  # type: ignore[no-untyped-def]
    """Whether any copy of an expert can be reached from its layer's gateway."""
    copies = copies_each(x)
    for column in range(e * copies, (e + 1) * copies):
        if not np.isinf(out_s(x, row, column)):
            return True
    return False


@njit(cache=True)
def choose_copy(x, g, e, tokens, now_s, s):  # type: ignore[no-untyped-def]
    """Column of the copy that a group's tokens for an expert go to, from satellite `s`.

    Where nobody could return a result, the first that can be reached.
    """
    copies = copies_each(x)
    if copies == 1:
        return e
    row, on = row_of(x, g), on_row(x, g)
    best, best_s, until_s = NONE, np.inf, 0.0
    for column in range(e * copies, (e + 1) * copies):
        if np.isinf(out_s(x, row, column)):
            continue
        p = expert_part(x, row, column)
        ends_s = _ends_s(x, p, tokens, out_s(x, row, column), now_s, s)
        back_s = ends_s + leg_s(x, tokens, on_s(x, on, column))
        if best == NONE or back_s < best_s:
            best, best_s, until_s = column, back_s, ends_s
    if not np.isinf(until_s):
        part_at(x, part_at(x, expert_part(x, row, best)).beside).reckoned_s = until_s
    return best


@njit(cache=True)
def _ends_s(x, p, tokens, out, now_s, s):  # type: ignore[no-untyped-def]
    """When an expert is done with tokens that are sent now, as far as the gateway knows."""
    part = part_at(x, p)
    satellite = satellite_at(x, part.satellite)
    if satellite.speed <= 0.0:
        return np.inf
    if part.satellite == s:
        begins_s = now_s + _left_s(x, s, now_s) / satellite.speed
    else:
        begins_s = max(now_s + leg_s(x, tokens, out), part_at(x, part.beside).reckoned_s)
    return begins_s + expert_s(x, p, tokens) / satellite.speed


@njit(cache=True)
def _left_s(x, s, now_s):  # type: ignore[no-untyped-def]
    """Work that a satellite has before it, in seconds at speed 1."""
    satellite = satellite_at(x, s)
    total_s, jobs = 0.0, 0
    if satellite.serving != NONE:
        total_s = max(satellite.ends_s - now_s, 0.0) * satellite.speed
    for c in range(2):
        p = satellite.first[c]
        while p != NONE:
            j = part_at(x, p).first[c]
            while j != NONE and jobs < _JOBS:
                total_s += _alone_s(x, p, j)
                jobs += 1
                j = job_at(x, j).next
            p = part_at(x, p).next[c]
    return total_s


@njit(cache=True)
def _alone_s(x, p, j):  # type: ignore[no-untyped-def]
    """Time of one job at speed 1."""
    if is_expert(x, p):
        return expert_s(x, p, job_at(x, j).tokens)
    if part_at(x, p).layer == x.layers:
        return head_s(x, group_at(x, job_at(x, j).group).gives)
    return gateway_alone_s(x, p, j)
