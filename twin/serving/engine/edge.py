"""What changes at a step's edge: speeds, hosts, deaths; requests that cannot go on. Compiled."""

from typing import Final

import numpy as np
from numba import njit

from twin.serving.engine.admission import count_inside, leave, leave_line, leave_running
from twin.serving.engine.groups import charge, drop, free_group
from twin.serving.engine.places import is_expert
from twin.serving.engine.prefixes import evict
from twin.serving.engine.queues import add_event
from twin.serving.engine.records import DONE, DRAIN, HELD, JOBS, LOSE, NONE, RETRY, RUNNING
from twin.serving.engine.rows import (
    group_at,
    instance_at,
    job_at,
    member_at,
    part_at,
    request_at,
    satellite_at,
)
from twin.vocabulary import Cause

UNREACHABLE: Final = int(Cause.UNREACHABLE)
HANDED_OVER: Final = int(Cause.HANDED_OVER)


@njit(cache=True)
def set_speed(x, s, speed, now_s):  # type: ignore[no-untyped-def]
    """Go on with what a satellite serves at another speed; 0 pauses it."""
    satellite = satellite_at(x, s)
    before = satellite.speed
    satellite.speed = speed
    if satellite.serving == NONE or speed == before:
        return
    if before > 0.0:
        satellite.left_s = (satellite.ends_s - now_s) * before
        book(x, s, now_s, before)
    satellite.booked_s = now_s
    if speed > 0.0:
        satellite.ends_s = now_s + satellite.left_s / speed
        satellite.done_order = add_event(x, satellite.ends_s, DONE, s)
    else:
        satellite.done_order = NONE


@njit(cache=True)
def book(x, s, now_s, speed):  # type: ignore[no-untyped-def]
    """Book the work done since it was booked last, in seconds at speed 1."""
    satellite = satellite_at(x, s)
    satellite.busy_s += (now_s - satellite.booked_s) * speed
    satellite.booked_s = now_s


@njit(cache=True)
def book_all(x, satellites, now_s):  # type: ignore[no-untyped-def]
    """Book all satellites' work up to a step's edge."""
    for s in range(satellites):
        satellite = satellite_at(x, s)
        if satellite.serving != NONE and satellite.speed > 0.0:
            book(x, s, now_s, satellite.speed)


@njit(cache=True)
def move(x, p, s, arrives_s):  # type: ignore[no-untyped-def]
    """Give a part to another satellite; jobs that wait are forwarded to it, stay, or are lost."""
    part = part_at(x, p)
    if x.handover == DRAIN:
        _hold_up(x, p, satellite_at(x, part.satellite).serving)
    for c in range(2):
        j = part.first[c]
        if j != NONE:
            _unlist(x, part.satellite, p, c)
            part.first[c] = part.last[c] = NONE
            if x.handover == DRAIN:
                _hold_up(x, p, j)
                _stay(x, part.satellite, j)
            elif x.handover == LOSE:
                _fail_jobs(x, j, HANDED_OVER, 0.0)
            elif np.isinf(arrives_s):
                _fail_jobs(x, j, UNREACHABLE, 0.0)
            else:
                add_event(x, arrives_s, JOBS, j)
        part.stamp[c] = NONE
    part.satellite = s


@njit(cache=True)
def _stay(x, s, j):  # type: ignore[no-untyped-def]
    """Let a chain of jobs stay at a satellite that their part leaves, behind those that do."""
    satellite = satellite_at(x, s)
    if satellite.stay_first == NONE:
        satellite.stay_first = j
    else:
        job_at(x, satellite.stay_last).next = j
    while j != NONE:
        satellite.stay_last = j
        j = job_at(x, j).next


@njit(cache=True)
def _hold_up(x, p, j):  # type: ignore[no-untyped-def]
    """Let groups that a part leaves behind, as a chain of jobs, hold up those behind them."""
    while j != NONE and job_at(x, j).part == p:
        group = group_at(x, job_at(x, j).group)
        if not is_expert(x, p):
            group.at = group.layer - 1
        j = job_at(x, j).next


@njit(cache=True)
def _unlist(x, s, p, c):  # type: ignore[no-untyped-def]
    satellite, before = satellite_at(x, s), NONE
    at = satellite.first[c]
    while at != p:
        before, at = at, part_at(x, at).next[c]
    after = part_at(x, p).next[c]
    if before == NONE:
        satellite.first[c] = after
    else:
        part_at(x, before).next[c] = after
    if after == NONE:
        satellite.last[c] = before


@njit(cache=True)
def fail(x, r, cause, now_s):  # type: ignore[no-untyped-def]
    """Cancel a request's work; it is tried again from the next step on, or lost."""
    request = request_at(x, r)
    leave_running(x, r)
    x.cancels += 1
    request.tries += 1
    if request.tries > x.retries:
        count_inside(x, now_s, -1)
        leave(x, r, cause, now_s)
        return
    request.due = request.prompt + request.made
    request.sent = request.context = request.ready = 0
    request.phase = HELD


@njit(cache=True)
def fail_all(x, i, cause, now_s):  # type: ignore[no-untyped-def]
    """Fail all requests that run on an instance."""
    instance = instance_at(x, i)
    while instance.running_first != NONE:
        fail(x, instance.running_first, cause, now_s)
    evict(x, i, instance.all_blocks)


@njit(cache=True)
def redirect(x, rows, instance, way_s):  # type: ignore[no-untyped-def]
    """Send requests that wait for their instance to another; each is there a way later."""
    for i in range(len(rows)):
        r = rows[i]
        leave_line(x, r)
        request_at(x, r).instance, request_at(x, r).phase = instance[i], HELD
        add_event(x, way_s[i], RETRY, r)


@njit(cache=True)
def fail_group(x, g, cause, now_s):  # type: ignore[no-untyped-def]
    """Fail the requests of a group that has no jobs, and free it."""
    fail_members(x, g, cause, now_s)
    free_group(x, g)


@njit(cache=True)
def fail_members(x, g, cause, now_s):  # type: ignore[no-untyped-def]
    """Fail the requests of a group."""
    m = group_at(x, g).first
    while m != NONE:
        member = member_at(x, m)
        r, m = member.request, member.next
        if request_at(x, r).phase == RUNNING and request_at(x, r).epoch == member.epoch:
            fail(x, r, cause, now_s)


@njit(cache=True)
def done_s(satellite, now_s):  # type: ignore[no-untyped-def]
    """Work that has been done of the service that a satellite is at, in seconds at speed 1."""
    if satellite.speed > 0.0:
        return satellite.work_s - (satellite.ends_s - now_s) * satellite.speed
    return satellite.work_s - satellite.left_s


@njit(cache=True)
def lose_work(x, s, cause, now_s):  # type: ignore[no-untyped-def]
    """Fail the requests of all jobs at a satellite that has died."""
    satellite = satellite_at(x, s)
    charge(x, satellite.serving, done_s(satellite, now_s) / satellite.pace)
    _fail_jobs(x, satellite.serving, cause, now_s)
    _fail_jobs(x, satellite.stay_first, cause, now_s)
    satellite.serving = satellite.done_order = satellite.stay_first = NONE
    for c in range(2):
        p = satellite.first[c]
        while p != NONE:
            part = part_at(x, p)
            _fail_jobs(x, part.first[c], cause, now_s)
            part.first[c] = part.last[c] = NONE
            p = part.next[c]
        satellite.first[c] = satellite.last[c] = NONE


@njit(cache=True)
def _fail_jobs(x, j, cause, now_s):  # type: ignore[no-untyped-def]
    while j != NONE:
        after, g = job_at(x, j).next, job_at(x, j).group
        fail_members(x, g, cause, now_s)
        drop(x, j)
        j = after
