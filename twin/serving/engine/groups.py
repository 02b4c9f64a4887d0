"""Rows of groups, their members and jobs: taken, given back, cancelled, lacking. Compiled."""

from typing import Final

from numba import njit

from twin.serving.engine.heap import push
from twin.serving.engine.places import is_expert
from twin.serving.engine.records import DONE, NONE, RELEASE, RESULT
from twin.serving.engine.rows import (
    event_at,
    group_at,
    instance_at,
    job_at,
    member_at,
    part_at,
    request_at,
    satellite_at,
)

GROWING: Final = ("heap", "members", "groups", "jobs", "outcomes", "visits")
_SPARE: Final = 8


@njit(cache=True)
def lacking_table(x):  # type: ignore[no-untyped-def]
    """Return which table may be too small for the next event, as its place in `GROWING`, or -1."""
    inside = x.inside + _SPARE
    jobs = inside
    if event_at(x, 0).kind == DONE:
        jobs += satellite_at(x, event_at(x, 0).what).jobs * x.experts
    elif event_at(x, 0).kind == RESULT:
        jobs += x.experts
    elif x.settled:
        jobs += x.inside * x.top_k
    if x.size_heap - x.events < jobs:
        return 0
    if x.left_members < 2 * inside:
        return 1
    if x.left_groups < inside:
        return 2
    if x.left_jobs < jobs:
        return 3
    if x.size_outcomes - x.done < inside:
        return 4
    if x.record_every and x.size_visits - x.visited < jobs:
        return 5
    return -1


@njit(cache=True)
def new_group(x, i):  # type: ignore[no-untyped-def]
    """Take a free row for a group of an instance, empty and before the first layer."""
    g = x.free_groups
    group = group_at(x, g)
    x.free_groups = group.next
    x.left_groups -= 1
    group.instance = i
    group.first = group.next = group.ahead = group.after = NONE
    group.at = group.held = 0
    group.there_s = x.now_s
    group.tokens = group.gives = group.layer = group.pending = 0
    group.reads = group.scores = group.chunk = group.behind = group.chunk_reads = 0
    group.busy_s, group.hops = 0.0, 0
    group.join_s = group.wait_s = group.serve_s = group.way_s = 0.0
    return g


@njit(cache=True)
def charge(x, j, busy_s):  # type: ignore[no-untyped-def]
    """Divide a service's work among the groups of a chain of jobs, by their tokens."""
    tokens, first = 0, j
    while j != NONE:
        tokens += job_at(x, j).tokens
        j = job_at(x, j).next
    j = first
    while j != NONE:
        job = job_at(x, j)
        group_at(x, job.group).busy_s += busy_s * job.tokens / tokens
        j = job.next


@njit(cache=True)
def settle(x, g):  # type: ignore[no-untyped-def]
    """Divide a group's work among its requests, by their tokens; some may not want it any more."""
    group = group_at(x, g)
    m = group.first
    while m != NONE:
        member = member_at(x, m)
        request = request_at(x, member.request)
        share = member.tokens / group.tokens
        if request.epoch == member.epoch:
            request.busy_s += share * group.busy_s
            request.hops += share * group.hops
        else:
            x.unwanted_busy_s += share * group.busy_s
            x.unwanted_hops += share * group.hops
        m = member.next
    group.busy_s, group.hops = 0.0, 0


@njit(cache=True)
def free_group(x, g):  # type: ignore[no-untyped-def]
    """Give the rows of a group and its members back."""
    settle(x, g)
    group = group_at(x, g)
    m = group.first
    while m != NONE:
        after = member_at(x, m).next
        request = request_at(x, member_at(x, m).request)
        if request.last_chunk == g:
            request.last_chunk = NONE
        free_member(x, m)
        m = after
    _leave(x, g)
    group.next = x.free_groups
    x.free_groups = g
    x.left_groups += 1


@njit(cache=True)
def follow(x, g, ahead):  # type: ignore[no-untyped-def]
    """Keep a new group behind another, if there is one."""
    if ahead != NONE:
        group_at(x, g).ahead = ahead
        group_at(x, ahead).after = g


@njit(cache=True)
def _leave(x, g):  # type: ignore[no-untyped-def]
    """Take a group out of the order; the one behind it may go on."""
    group = group_at(x, g)
    ahead, after = group.ahead, group.after
    instance = instance_at(x, group.instance)
    if instance.last_batch == g:
        instance.last_batch = ahead
    if ahead != NONE:
        group_at(x, ahead).after = after
    if after != NONE:
        group_at(x, after).ahead = ahead
        if group_at(x, after).held:
            push(x, x.now_s, x.order, RELEASE, after)
            x.order += 1
    group.held = 0


@njit(cache=True)
def free_member(x, m):  # type: ignore[no-untyped-def]
    """Give a member's row back."""
    member_at(x, m).next = x.free_members
    x.free_members = m
    x.left_members += 1


@njit(cache=True)
def new_job(x, group, part, tokens):  # type: ignore[no-untyped-def]
    """Take a free row for a job."""
    j = x.free_jobs
    job = job_at(x, j)
    x.free_jobs = job.next
    x.left_jobs -= 1
    job.group, job.part, job.tokens, job.next = group, part, tokens, NONE
    job.hop = job.last_hop = job.back = 0
    job.wait_s = job.way_s = 0.0
    group_at(x, group).pending += 1
    return j


@njit(cache=True)
def free_job(x, j):  # type: ignore[no-untyped-def]
    """Give a job's row back."""
    job_at(x, j).next = x.free_jobs
    x.free_jobs = j
    x.left_jobs += 1


@njit(cache=True)
def alive(x, g):  # type: ignore[no-untyped-def]
    """Whether any of a group's requests still wants it."""
    m = group_at(x, g).first
    while m != NONE:
        member = member_at(x, m)
        if request_at(x, member.request).epoch == member.epoch:
            return True
        m = member.next
    return False


@njit(cache=True)
def drop(x, j):  # type: ignore[no-untyped-def]
    """Cancel a job, and its group with the last of them."""
    job = job_at(x, j)
    g = job.group
    job.hop = job.last_hop
    if is_expert(x, job.part) and not job.back:
        part_at(x, job.part).coming -= 1
    free_job(x, j)
    group_at(x, g).pending -= 1
    if group_at(x, g).pending == 0:
        free_group(x, g)
