"""The loop: takes events in their order until a time. Compiled."""

from typing import Final

import numpy as np
from numba import njit

from twin.serving.engine.admission import (
    admit,
    admit_all,
    count_inside,
    free_request,
    join,
    leave_line,
    wait,
    write_row,
)
from twin.serving.engine.edge import book
from twin.serving.engine.groups import alive, drop, free_group, free_job, new_group, new_job
from twin.serving.engine.heap import remove_first
from twin.serving.engine.passage import (
    crossed,
    expert_done,
    fan_out,
    head_done,
    next_chunks,
    ready_again,
    send_back,
)
from twin.serving.engine.queues import add_event, enqueue, start
from twin.serving.engine.records import (
    ARRIVE,
    COMING,
    CROSSED,
    DONE,
    HELD,
    JOBS,
    NONE,
    READY,
    START,
    WAITING,
)
from twin.serving.engine.rows import event_at, group_at, job_at, part_at, request_at, satellite_at
from twin.vocabulary import Cause

REFUSED: Final = int(Cause.REFUSED)

GROWING: Final = ("heap", "members", "groups", "jobs", "outcomes")
_SPARE: Final = 8


@njit(cache=True)
def advance(x, until_s):  # type: ignore[no-untyped-def]
    """Take all events before a time.

    Returns
    -------
    int
        -1, or which of `GROWING` must grow before the next event can be taken.
    """
    while x.events and event_at(x, 0).t_s < until_s:
        lacking = _lacking(x)
        if lacking >= 0:
            return lacking
        t_s, order, kind, what = (
            event_at(x, 0).t_s, event_at(x, 0).order, event_at(x, 0).kind, event_at(x, 0).what,
        )  # fmt: skip
        remove_first(x)
        if kind == JOBS:
            _jobs_arrive(x, what, t_s)
        elif kind == DONE:
            if satellite_at(x, what).done_order == order:
                _done(x, what, t_s, order)
        elif kind == START:
            _begin(x, what, t_s)
        elif kind == READY:
            _tokens_back(x, what, t_s)
        elif kind == CROSSED:
            s = crossed(x, what, t_s, order)
            if s != NONE:
                _begin_soon(x, s, t_s)
        else:
            _request_arrives(x, what, t_s)
    return -1


@njit(cache=True)
def _lacking(x):  # type: ignore[no-untyped-def]
    """Return which table may be too small for the next event, as its place in `GROWING`, or -1."""
    inside = x.inside + _SPARE
    jobs = inside
    if event_at(x, 0).kind == DONE:
        jobs += satellite_at(x, event_at(x, 0).what).jobs * x.experts
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
    return -1


@njit(cache=True)
def _request_arrives(x, r, now_s):  # type: ignore[no-untyped-def]
    request = request_at(x, r)
    request.came_s = now_s
    most = request.prompt + request.output - 1
    if (most + x.block - 1) // x.block > x.all_blocks:
        _refuse(x, r, REFUSED)
        return
    count_inside(x, now_s, 1)
    wait(x, r)
    _let_in(x, now_s)
    if request.phase == WAITING and x.waiting > x.queue_most:
        leave_line(x, r)
        count_inside(x, now_s, -1)
        _refuse(x, r, REFUSED)


@njit(cache=True)
def _refuse(x, r, cause):  # type: ignore[no-untyped-def]
    write_row(x, r, cause)
    free_request(x, r)


@njit(cache=True)
def try_again(x, now_s):  # type: ignore[no-untyped-def]
    """Let requests that were held back wait at the first gateway again; `x.open` may be new."""
    for r in range(x.size_requests):
        if request_at(x, r).phase == HELD:
            wait(x, r)
    _let_in(x, now_s)


@njit(cache=True)
def _let_in(x, now_s):  # type: ignore[no-untyped-def]
    """Admit what has room, and start the first gateway if it is idle."""
    if x.micro == 0:
        admit_all(x, now_s)
    _begin(x, part_at(x, 0).satellite, now_s)


@njit(cache=True)
def _begin(x, s, now_s):  # type: ignore[no-untyped-def]
    """Start what a satellite can start, if it is idle."""
    satellite = satellite_at(x, s)
    if satellite.serving != NONE:
        return
    if satellite.first[0] == NONE and satellite.first[1] == NONE:
        if not (x.micro and s == part_at(x, 0).satellite):
            return
        _form_batch(x, now_s)
    start(x, s, now_s)


@njit(cache=True)
def _begin_soon(x, s, now_s):  # type: ignore[no-untyped-def]
    """Start what a satellite can start, once all that happens at this instant has happened."""
    if x.events and event_at(x, 0).t_s <= now_s:
        add_event(x, now_s, START, s)
    else:
        _begin(x, s, now_s)


@njit(cache=True)
def begin_idle(x, satellites, now_s):  # type: ignore[no-untyped-def]
    """Start what satellites can start that have got back to work."""
    for s in range(satellites):
        _begin(x, s, now_s)


@njit(cache=True)
def _form_batch(x, now_s):  # type: ignore[no-untyped-def]
    """Gather what is ready into one group, the oldest first, then let others in."""
    g = new_group(x)
    left, members = x.batch_tokens, 0
    preemptions = x.preemptions
    r = x.running_first
    while r != NONE and left > 0 and members < x.batch_requests:
        after = request_at(x, r).next
        if request_at(x, r).ready:
            before = group_at(x, g).tokens
            if not join(x, g, r, min(left, x.chunk)):
                break
            left -= group_at(x, g).tokens - before
            members += 1
            after = request_at(x, r).next
        r = after
    while left > 0 and members < x.batch_requests and x.preemptions == preemptions:
        r = admit(x, now_s)
        if r == NONE:
            break
        before = group_at(x, g).tokens
        if not join(x, g, r, min(left, x.chunk)):
            break
        left -= group_at(x, g).tokens - before
        members += 1
    if members:
        enqueue(x, new_job(x, g, 0, group_at(x, g).tokens), now_s)
    else:
        free_group(x, g)


@njit(cache=True)
def _jobs_arrive(x, j, now_s):  # type: ignore[no-untyped-def]
    s = part_at(x, job_at(x, j).part).satellite
    while j != NONE:
        after = job_at(x, j).next
        if alive(x, job_at(x, j).group):
            enqueue(x, j, now_s)
        else:
            drop(x, j)
        j = after
    _begin_soon(x, s, now_s)


@njit(cache=True)
def _done(x, s, now_s, stamp):  # type: ignore[no-untyped-def]
    """End a satellite's service: each job's group goes on, and the next service starts."""
    satellite = satellite_at(x, s)
    j = satellite.serving
    satellite.serving = NONE
    book(x, s, now_s, satellite.speed)
    serve_s = now_s - satellite.started_s
    layers = x.layers
    back = NONE
    while j != NONE:
        job = job_at(x, j)
        after, g, part, wait_s = job.next, job.group, job.part, job.wait_s
        if not alive(x, g):
            drop(x, j)
        elif part > layers:
            job.serve_s = serve_s
            expert_done(x, j, now_s, s, stamp)
        else:
            free_job(x, j)
            group = group_at(x, g)
            group.pending -= 1
            group.wait_s += wait_s
            group.serve_s += serve_s
            if part == 0:
                next_chunks(x, g, now_s)
            if satellite.reached == layers:
                back = head_done(x, g, now_s, back)
            else:
                group.layer = satellite.reached
                fan_out(x, g, now_s, s, stamp)
        j = after
    if back != NONE:
        send_back(x, back, now_s, s)
    if x.waiting:
        _let_in(x, now_s)
    _begin_soon(x, s, now_s)


@njit(cache=True)
def _tokens_back(x, m, now_s):  # type: ignore[no-untyped-def]
    ready_again(x, m, now_s)
    _let_in(x, now_s)


@njit(cache=True)
def add_requests(x, number, site, prompt, output, asked_s, arrives_s):  # type: ignore[no-untyped-def]
    """Let requests be on their way to the first gateway; there must be free rows."""
    for i in range(len(number)):
        _add_request(x, number[i], site[i], prompt[i], output[i], asked_s[i], arrives_s[i])


@njit(cache=True)
def _add_request(x, number, site, prompt, output, asked_s, arrives_s):  # type: ignore[no-untyped-def]
    r = x.free_requests
    request = request_at(x, r)
    x.free_requests = request.next
    x.left_requests -= 1
    request.number, request.site, request.prompt, request.output = number, site, prompt, output
    request.age = x.age
    x.age += 1
    request.phase, request.due, request.sent, request.made = COMING, prompt, 0, 0
    request.context = request.blocks = request.ready = request.preempted = request.tries = 0
    request.asked_s, request.admitted_s = asked_s, np.nan
    request.first_s = request.last_s = np.nan
    request.gap_s = request.wait_s = request.serve_s = request.way_s = 0.0
    add_event(x, arrives_s, ARRIVE, r)
