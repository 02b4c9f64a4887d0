"""Where requests were worked on, one row a service, for the few that are recorded. Compiled."""

from numba import njit

from twin.serving.engine.places import column_of, copies_each, is_expert
from twin.serving.engine.records import NONE
from twin.serving.engine.rows import (
    group_at,
    job_at,
    member_at,
    part_at,
    request_at,
    satellite_at,
    visit_at,
)


@njit(cache=True)
def note_visit(x, j, s, now_s):  # type: ignore[no-untyped-def]
    """Write a row for each recorded request of a job that has just been served."""
    job = job_at(x, j)
    layer = part_at(x, job.part).layer
    satellite, m = satellite_at(x, s), group_at(x, job.group).first
    while m != NONE:
        member = member_at(x, m)
        request = request_at(x, member.request)
        if request.number % x.record_every == 0 and request.epoch == member.epoch:
            visit = visit_at(x, x.visited)
            x.visited += 1
            visit.number, visit.layer, visit.satellite = request.number, layer, s
            visit.expert = NONE
            if is_expert(x, job.part):
                visit.expert = column_of(x, job.part) // copies_each(x)
            visit.first_token, visit.tokens = member.position, member.tokens
            visit.came_s = satellite.started_s - job.wait_s
            visit.began_s, visit.ended_s = satellite.started_s, now_s
        m = member.next
