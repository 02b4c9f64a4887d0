"""The loop: takes events in their order until a time. Compiled."""

from numba import njit

from twin.serving.engine.admission import (
    count_inside,
    leave,
    wait,
)
from twin.serving.engine.arrivals import ask
from twin.serving.engine.begin import begin, begin_soon, let_in
from twin.serving.engine.drain import hand_on, has_moved, hold_behind, let_follow
from twin.serving.engine.edge import book
from twin.serving.engine.groups import (
    alive,
    charge,
    drop,
    free_job,
    lacking_table,
)
from twin.serving.engine.head import head_done, ready_again, send_back
from twin.serving.engine.heap import remove_first
from twin.serving.engine.overload import (
    QUEUE_FULL,
    TOO_LONG,
    cancel,
    drop_late,
    give_up,
    is_too_long,
    refuse_too_long,
    set_deadlines,
)
from twin.serving.engine.passage import (
    crossed,
    expert_done,
    fan_out,
    next_chunks,
    pass_layer,
    pass_on,
)
from twin.serving.engine.places import gateway_part, head_row, is_expert
from twin.serving.engine.queues import enqueue
from twin.serving.engine.records import (
    ASK,
    CROSSED,
    DONE,
    DRAIN,
    GIVE_UP,
    HELD,
    JOBS,
    NONE,
    READY,
    RELEASE,
    RESULT,
    RETRY,
    START,
    WAITING,
)
from twin.serving.engine.rows import (
    event_at,
    group_at,
    instance_at,
    instance_of,
    job_at,
    part_at,
    request_at,
    satellite_at,
)
from twin.serving.engine.visits import note_visit


@njit(cache=True)
def advance(x, until_s):  # type: ignore[no-untyped-def]
    """Take all events before a time.

    Returns
    -------
    int
        -1, or which of `groups.GROWING` must grow before the next event can be taken.
    """
    while x.events and event_at(x, 0).t_s < until_s:
        lacking = lacking_table(x)
        if lacking >= 0:
            return lacking
        t_s, order, kind, what = (
            event_at(x, 0).t_s, event_at(x, 0).order, event_at(x, 0).kind, event_at(x, 0).what,
        )  # fmt: skip
        remove_first(x)
        x.now_s = t_s
        if kind <= START or kind == RESULT:
            _work_event(x, kind, what, t_s, order)
        elif kind == CROSSED:
            s = crossed(x, what, t_s, order)
            if s != NONE:
                begin_soon(x, s, t_s)
        elif kind == RELEASE:
            if group_at(x, what).held:
                pass_on(x, what, t_s, NONE, order)
        elif kind == ASK:
            ask(x, what, t_s)
        elif kind == RETRY:
            _arrives_again(x, what, t_s)
        else:
            _gone(x, what, t_s, kind, order)
    return -1


@njit(cache=True)
def _work_event(x, kind, what, now_s, order):  # type: ignore[no-untyped-def]
    if kind == RESULT:
        _handed_on(x, what, now_s, order)
    elif kind == JOBS:
        _jobs_arrive(x, what, now_s, order)
    elif kind == DONE:
        if satellite_at(x, what).done_order == order:
            _done(x, what, now_s, order)
    elif kind == START:
        begin(x, what, now_s)
    elif kind == READY:
        _tokens_back(x, what, now_s)
    else:
        _request_arrives(x, what, now_s)


@njit(cache=True)
def _request_arrives(x, r, now_s):  # type: ignore[no-untyped-def]
    request = request_at(x, r)
    request.came_s = now_s
    if is_too_long(x, r):
        leave(x, r, TOO_LONG, now_s)
        return
    count_inside(x, now_s, 1)
    wait(x, r)
    let_in(x, request.instance, now_s)
    if request.phase == WAITING and instance_of(x, r).waiting > x.queue_most:
        cancel(x, r, QUEUE_FULL, now_s)
    else:
        set_deadlines(x, r, now_s)


@njit(cache=True)
def _arrives_again(x, r, now_s):  # type: ignore[no-untyped-def]
    """Let a request that comes from another instance wait, unless it has gone or waits already."""
    if request_at(x, r).phase == HELD:
        wait(x, r)
        let_in(x, request_at(x, r).instance, now_s)


@njit(cache=True)
def _gone(x, r, now_s, kind, order):  # type: ignore[no-untyped-def]
    """Let a request go if its user has left or it is too late, and others in where it was."""
    i = request_at(x, r).instance
    if kind == GIVE_UP:
        give_up(x, r, now_s, order)
    else:
        drop_late(x, r, now_s, order)
    let_in(x, i, now_s)


@njit(cache=True)
def try_again(x, now_s):  # type: ignore[no-untyped-def]
    """Let requests that were held back wait again; what first gateways let in may be new."""
    for r in range(x.size_requests):
        if request_at(x, r).phase == HELD:
            wait(x, r)
    for i in range(x.copies):
        refuse_too_long(x, i, now_s)
        let_in(x, i, now_s)


@njit(cache=True)
def _jobs_arrive(x, j, now_s, stamp):  # type: ignore[no-untyped-def]
    s = part_at(x, job_at(x, j).part).satellite
    while j != NONE:
        after = job_at(x, j).next
        if not alive(x, job_at(x, j).group):
            drop(x, j)
        elif x.handover == DRAIN and hold_behind(x, j, now_s):
            pass
        elif not pass_layer(x, j, now_s, stamp):
            enqueue(x, j, now_s)
        j = after
    begin_soon(x, s, now_s)


@njit(cache=True)
def _done(x, s, now_s, stamp):  # type: ignore[no-untyped-def]
    """End a satellite's service: each job's group goes on, and the next service starts."""
    satellite = satellite_at(x, s)
    j = satellite.serving
    satellite.serving = NONE
    book(x, s, now_s, satellite.speed)
    charge(x, j, satellite.work_s / satellite.pace)
    serve_s = now_s - satellite.started_s
    i = part_at(x, job_at(x, j).part).instance
    back, head = NONE, 0
    while j != NONE:
        job = job_at(x, j)
        after, g, part, wait_s = job.next, job.group, job.part, job.wait_s
        if x.record_every:
            note_visit(x, j, s, now_s)
        if not alive(x, g):
            drop(x, j)
        elif is_expert(x, part):
            job.serve_s = serve_s
            expert_done(x, j, now_s, s, stamp)
        else:
            group = group_at(x, g)
            group.wait_s += wait_s
            group.serve_s += serve_s
            group.layer = satellite.reached
            if has_moved(x, part, s):
                hand_on(x, j, s, now_s)
            else:
                head = part - x.first_head if part >= x.first_head else i * x.heads
                back = _go_on(x, j, now_s, s, stamp, back)
        j = after
    if back != NONE:
        send_back(x, back, now_s, s, head)
    if instance_at(x, i).waiting:
        let_in(x, i, now_s)
    begin_soon(x, s, now_s)


@njit(cache=True)
def _go_on(x, j, now_s, s, stamp, back):  # type: ignore[no-untyped-def]
    """Let a group go on from a gateway, or an LM head, that has served it; returns the tokens."""
    g, part = job_at(x, j).group, job_at(x, j).part
    free_job(x, j)
    group = group_at(x, g)
    group.pending -= 1
    first = group.instance * x.layers
    if part == first:
        next_chunks(x, g, now_s)
        if part_at(x, first).satellite != s:
            begin_soon(x, part_at(x, first).satellite, now_s)
    if group.layer == x.layers:
        return head_done(x, g, now_s, back)
    if x.handover == DRAIN:
        let_follow(x, g, now_s)
    group.at = group.layer
    fan_out(x, g, now_s, s, stamp)
    return back


@njit(cache=True)
def _handed_on(x, j, now_s, stamp):  # type: ignore[no-untyped-def]
    """Let a group go on that was served where its gateway, or LM head, has left."""
    g = job_at(x, j).group
    if not alive(x, g):
        drop(x, j)
        return
    s, head, i = part_at(x, gateway_part(x, g)).satellite, head_row(x, g), group_at(x, g).instance
    back = _go_on(x, j, now_s, s, stamp, NONE)
    if back != NONE:
        send_back(x, back, now_s, s, head)
    if instance_at(x, i).waiting:
        let_in(x, i, now_s)
    begin_soon(x, s, now_s)


@njit(cache=True)
def _tokens_back(x, m, now_s):  # type: ignore[no-untyped-def]
    i = ready_again(x, m, now_s)
    if i != NONE:
        let_in(x, i, now_s)
