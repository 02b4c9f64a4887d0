"""Satellites at work: parts that wait, services that start. Compiled."""

import numpy as np
from numba import njit

from twin.serving.engine.draws import uniform
from twin.serving.engine.groups import alive, drop
from twin.serving.engine.heap import push
from twin.serving.engine.records import DONE, JOBS, NONE
from twin.serving.engine.rows import group_at, job_at, part_at, satellite_at
from twin.serving.engine.times import service_s


@njit(cache=True)
def add_event(x, t_s, kind, what):  # type: ignore[no-untyped-def]
    """Add an event; returns its order."""
    order = x.order
    push(x, t_s, order, kind, what)
    x.order += 1
    return order


@njit(cache=True)
def class_of(x, group):  # type: ignore[no-untyped-def]
    """0 for decoding, 1 for a part of a prompt, where the two do not share a queue."""
    return 1 if group_at(x, group).chunk and not x.one_class else 0


@njit(cache=True)
def enqueue(x, j, t_s):  # type: ignore[no-untyped-def]
    """Put a job in its part's queue; a part that had none goes to the end of its satellite's."""
    job = job_at(x, j)
    part = part_at(x, job.part)
    c = class_of(x, job.group)
    job.since_s, job.next = t_s, NONE
    if part.first[c] == NONE:
        satellite = satellite_at(x, part.satellite)
        part.first[c] = part.last[c] = j
        part.next[c] = NONE
        if satellite.first[c] == NONE:
            satellite.first[c] = job.part
        else:
            part_at(x, satellite.last[c]).next[c] = job.part
        satellite.last[c] = job.part
    else:
        job_at(x, part.last[c]).next = j
        part.last[c] = j


@njit(cache=True)
def send(x, j, now_s, arrives_s, origin, stamp):  # type: ignore[no-untyped-def]
    """Send a job to its part; what one service sends to one part at one time arrives together."""
    job = job_at(x, j)
    part = part_at(x, job.part)
    if part.satellite == origin and arrives_s <= now_s:
        enqueue(x, j, now_s)
        return
    c = class_of(x, job.group)
    job.next = NONE
    if part.stamp[c] == stamp and part.stamp_s[c] == arrives_s:
        job_at(x, part.tail[c]).next = j
    else:
        add_event(x, arrives_s, JOBS, j)
        part.stamp[c], part.stamp_s[c] = stamp, arrives_s
    part.tail[c] = j


@njit(cache=True)
def start(x, s, now_s):  # type: ignore[no-untyped-def]
    """Serve what stays of parts that have moved, then the part that has waited longest.

    Nothing may be in service.
    """
    satellite = satellite_at(x, s)
    if satellite.speed <= 0.0:
        return
    j = satellite.stay_first
    if j == NONE:
        j = _longest_waiting(x, s)
    else:
        satellite.stay_first = _cut(x, j)
    if j != NONE:
        _serve(x, s, j, now_s)


@njit(cache=True)
def _longest_waiting(x, s):  # type: ignore[no-untyped-def]
    """Take jobs of the part that has waited longest; NONE if none waits."""
    satellite = satellite_at(x, s)
    c = x.first_class
    if satellite.first[c] == NONE:
        c = 1 - c
    p = satellite.first[c]
    if p == NONE:
        return NONE
    part = part_at(x, p)
    satellite.first[c] = part.next[c]
    j = part.first[c]
    part.first[c] = _cut(x, j)
    if part.first[c] != NONE:
        _put_back(x, part.satellite, p, c)
    return j


@njit(cache=True)
def _serve(x, s, j, now_s):  # type: ignore[no-untyped-def]
    """Let a satellite serve a chain of jobs of one part."""
    satellite = satellite_at(x, s)
    satellite.serving = j
    duration_s, reached = service_s(x, s, job_at(x, j).part, j, now_s)
    satellite.reached = reached
    satellite.started_s = satellite.booked_s = now_s
    if x.exponential:
        duration_s *= -np.log(1.0 - uniform(x.seed, x.order, 0, 0, 0))
    satellite.work_s = duration_s
    satellite.ends_s = now_s + duration_s / satellite.speed
    satellite.services += 1
    satellite.done_order = add_event(x, satellite.ends_s, DONE, s)


@njit(cache=True)
def _cut(x, j):  # type: ignore[no-untyped-def]
    """Cut a chain of jobs behind those that are served with its first; returns the rest."""
    last = job_at(x, j)
    tokens = last.tokens
    while last.next != NONE:
        if x.cancels and not alive(x, job_at(x, last.next).group):
            cancelled = last.next
            last.next = job_at(x, cancelled).next
            drop(x, cancelled)
            continue
        tokens += job_at(x, last.next).tokens
        if x.boards == 1 if x.micro else tokens > x.service_tokens:
            break
        if job_at(x, last.next).part != last.part:
            break
        last = job_at(x, last.next)
    rest = last.next
    last.next = NONE
    return rest


@njit(cache=True)
def _put_back(x, s, p, c):  # type: ignore[no-untyped-def]
    """Put a part that still has jobs back among those of its satellite, by its oldest job."""
    satellite = satellite_at(x, s)
    since_s = job_at(x, part_at(x, p).first[c]).since_s
    before, after = NONE, satellite.first[c]
    while after != NONE and job_at(x, part_at(x, after).first[c]).since_s <= since_s:
        before, after = after, part_at(x, after).next[c]
    part_at(x, p).next[c] = after
    if before == NONE:
        satellite.first[c] = p
    else:
        part_at(x, before).next[c] = p
    if after == NONE:
        satellite.last[c] = p
