"""Services worked out before they begin, where nothing can come between. Compiled.

A part that is alone on its satellite and serves one token at a time serves in the order of
arrival. An expert's tokens all come from one gateway over one way, so in the order in which they
leave it: when one leaves, it is known when the expert is free, and so when its result is there
(Lindley's recursion). Arrival and end of its service need be no events. The same holds for the
gateway from the moment of an arrival on. What is worked out ahead is what the events would give,
to the last bit; `settled` says of a stretch of time that nothing in it can cancel work, and all
that would end after it is left to events.
"""

from numba import njit

from twin.serving.engine.links import leg_s, passes
from twin.serving.engine.places import expert_part, on_row, row_of
from twin.serving.engine.records import NONE
from twin.serving.engine.rows import group_at, job_at, on_s, out_s, part_at, satellite_at
from twin.serving.engine.times import expert_s, gateway_alone_s


@njit(cache=True)
def is_free(x, j):  # type: ignore[no-untyped-def]
    """Whether a job that has just come to a gateway can be worked out: a token, none waiting."""
    job = job_at(x, j)
    part = part_at(x, job.part)
    if not (x.settled and part.alone) or job.part >= x.rows:
        return False
    group, satellite = group_at(x, job.group), satellite_at(x, part.satellite)
    waits = part.first[0] != NONE or part.first[1] != NONE or satellite.serving != NONE
    return group.tokens == 1 and not group.chunk and not waits and satellite.speed > 0.0


@njit(cache=True)
def gateway_ends_s(x, j, now_s):  # type: ignore[no-untyped-def]
    """Serve a gateway's job ahead and give it back; returns when it ends, or -1 if not in time."""
    job = job_at(x, j)
    group, satellite = group_at(x, job.group), satellite_at(x, part_at(x, job.part).satellite)
    start_s = max(now_s, satellite.free_s)
    ends_s = start_s + gateway_alone_s(x, job.part, j) / satellite.speed
    if ends_s >= x.until_s:
        return -1.0
    _serve(satellite, group, start_s, ends_s)
    group.wait_s += start_s - now_s
    group.serve_s += ends_s - start_s
    return ends_s


@njit(cache=True)
def expert_ahead(x, g, column, now_s):  # type: ignore[no-untyped-def]
    """Work out an expert's result for a token that leaves its gateway; False if events must."""
    group, place = group_at(x, g), row_of(x, g)
    p = expert_part(x, place, column)
    part = part_at(x, p)
    if not (x.settled and part.alone) or part.coming or group.tokens != 1 or group.chunk:
        return False
    satellite, out = satellite_at(x, part.satellite), out_s(x, place, column)
    if satellite.speed <= 0.0:
        return False
    way_s = leg_s(x, 1, out)
    arrives_s = now_s + way_s
    start_s = max(arrives_s, satellite.free_s)
    ends_s = start_s + expert_s(x, p, 1) / satellite.speed
    if ends_s >= x.until_s:
        return False
    _serve(satellite, group, start_s, ends_s)
    row = on_row(x, g)
    back_s = leg_s(x, 1, on_s(x, row, column))
    passes(x, g, place * x.columns + column, 1)
    passes(x, g, (x.rows + row) * x.columns + column, 1)
    if ends_s + back_s > group.join_s:
        group.join_s = ends_s + back_s
        group.branch_wait_s = start_s - arrives_s
        group.branch_serve_s = ends_s - start_s
        group.branch_way_s = way_s + back_s
    return True


@njit(cache=True)
def _serve(satellite, group, start_s, ends_s):  # type: ignore[no-untyped-def]
    work_s = (ends_s - start_s) * satellite.speed
    satellite.free_s = ends_s
    satellite.busy_s += work_s
    group.busy_s += work_s / satellite.pace
    satellite.services += 1
    satellite.served_tokens += 1
