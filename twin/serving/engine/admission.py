"""The first gateway: who is let in, blocks of cache, groups that leave. Compiled."""

from typing import Final

from numba import njit

from twin.serving.engine.groups import follow, free_group, new_group, new_job
from twin.serving.engine.prefixes import cached_pieces, evict, let_go, use
from twin.serving.engine.queues import enqueue
from twin.serving.engine.records import FREE, NONE, RUNNING, WAITING
from twin.serving.engine.rows import (
    group_at,
    instance_at,
    instance_of,
    member_at,
    outcome_at,
    request_at,
)
from twin.serving.engine.users import ask_again
from twin.vocabulary import Cause

SERVED: Final = int(Cause.NONE)


@njit(cache=True)
def count_inside(x, now_s, change):  # type: ignore[no-untyped-def]
    """Keep the integral of how many requests are inside, for Little's law."""
    x.inside_s += x.inside * (now_s - x.clock_s)
    x.clock_s = now_s
    x.inside += change


@njit(cache=True)
def wait(x, r):  # type: ignore[no-untyped-def]
    """Put a request in the line before the first gateway, by age."""
    request = request_at(x, r)
    instance = instance_of(x, r)
    request.phase = WAITING
    instance.waiting += 1
    before = instance.waiting_last
    while before != NONE and request_at(x, before).age > request.age:
        before = request_at(x, before).previous
    after = instance.waiting_first if before == NONE else request_at(x, before).next
    _link(x, r, before, after)
    if before == NONE:
        instance.waiting_first = r
    if after == NONE:
        instance.waiting_last = r


@njit(cache=True)
def _link(x, r, before, after):  # type: ignore[no-untyped-def]
    request_at(x, r).previous, request_at(x, r).next = before, after
    if before != NONE:
        request_at(x, before).next = r
    if after != NONE:
        request_at(x, after).previous = r


@njit(cache=True)
def _unlink(x, r):  # type: ignore[no-untyped-def]
    before, after = request_at(x, r).previous, request_at(x, r).next
    if before != NONE:
        request_at(x, before).next = after
    if after != NONE:
        request_at(x, after).previous = before
    return before, after


@njit(cache=True)
def leave_line(x, r):  # type: ignore[no-untyped-def]
    """Take a request out of the line before the first gateway."""
    instance = instance_of(x, r)
    before, after = _unlink(x, r)
    if before == NONE:
        instance.waiting_first = after
    if after == NONE:
        instance.waiting_last = before
    instance.waiting -= 1


@njit(cache=True)
def leave_running(x, r):  # type: ignore[no-untyped-def]
    """Take a request out of those that run, and its blocks back."""
    instance = instance_of(x, r)
    before, after = _unlink(x, r)
    if before == NONE:
        instance.running_first = after
    if after == NONE:
        instance.running_last = before
    instance.running -= 1
    let_go(x, r)
    instance.blocks += request_at(x, r).blocks
    request_at(x, r).blocks = 0
    request_at(x, r).epoch += 1
    request_at(x, r).last_chunk = NONE


@njit(cache=True)
def free_request(x, r):  # type: ignore[no-untyped-def]
    """Give a request's row back."""
    request_at(x, r).phase = FREE
    request_at(x, r).next = x.free_requests
    x.free_requests = r
    x.left_requests += 1


@njit(cache=True)
def write_row(x, r, cause):  # type: ignore[no-untyped-def]
    """Write what became of a request."""
    request = request_at(x, r)
    row = outcome_at(x, x.done)
    x.done += 1
    row.number, row.site, row.cause = request.number, request.site, cause
    row.instance = request.instance
    row.prompt, row.output, row.tries = request.prompt, request.output, request.tries
    row.made, row.preempted, row.reused = request.made, request.preempted, request.reused
    row.asked_s, row.came_s, row.admitted_s = request.asked_s, request.came_s, request.admitted_s
    row.first_s, row.last_s, row.gap_s = request.first_s, request.last_s, request.gap_s
    row.wait_s, row.serve_s, row.way_s = request.wait_s, request.serve_s, request.way_s
    row.busy_s, row.hops = request.busy_s, request.hops


@njit(cache=True)
def leave(x, r, cause, now_s):  # type: ignore[no-untyped-def]
    """Let a request go for good; in a closed loop its user asks again, once the answer is there."""
    write_row(x, r, cause)
    request = request_at(x, r)
    request.leave_order = request.drop_order = NONE
    request.kept = 0
    if 0 <= request.user < x.users:
        way_s = request.came_s - request.asked_s
        ask_again(x, r, request.last_s if cause == SERVED else now_s + way_s)
    else:
        free_request(x, r)


@njit(cache=True)
def _preempt(x, r):  # type: ignore[no-untyped-def]
    """Cancel a request's work; it waits again by its age and computes all of its cache again."""
    request = request_at(x, r)
    leave_running(x, r)
    x.preemptions += 1
    x.cancels += 1
    request.preempted += 1
    request.due = request.prompt + request.made
    request.sent = request.context = 0
    request.ready = 0
    wait(x, r)


@njit(cache=True)
def _reserve(x, r, tokens):  # type: ignore[no-untyped-def]
    """Make a request's blocks hold `tokens`; the youngest of the others give way, or itself."""
    request, instance = request_at(x, r), instance_of(x, r)
    block = x.block
    more = (tokens + block - 1) // block - request.blocks - request.shared * x.prefix_blocks
    evict(x, request.instance, more)
    while more > instance.blocks:
        victim = instance.running_last
        _preempt(x, victim)
        if victim == r:
            return False
        evict(x, request.instance, more)
    if more > 0:
        instance.blocks -= more
        request.blocks += more
    return True


@njit(cache=True)
def first_waiting(x, i, board):  # type: ignore[no-untyped-def]
    """The oldest request that waits for a board of an instance; they take turns by age."""
    r = instance_at(x, i).waiting_first
    while r != NONE and request_at(x, r).age % x.boards != board:
        r = request_at(x, r).next
    return r


@njit(cache=True)
def admit(x, r, now_s):  # type: ignore[no-untyped-def]
    """Let a request in that waits, if its whole prompt has room; returns it."""
    if r == NONE:
        return NONE
    request, instance = request_at(x, r), instance_of(x, r)
    if instance.running >= x.most_running or not instance.open:
        return NONE
    pieces, idle = cached_pieces(x, r)
    needed = (request.due + x.block - 1) // x.block - pieces * x.prefix_blocks
    if needed > instance.blocks + (instance.idle - idle) * x.prefix_blocks:
        return NONE
    leave_line(x, r)
    use(x, r, pieces)
    # Those that run are kept by age: the youngest is the last.
    before = instance.running_last
    while before != NONE and request_at(x, before).age > request.age:
        before = request_at(x, before).previous
    following = instance.running_first if before == NONE else request_at(x, before).next
    _link(x, r, before, following)
    if before == NONE:
        instance.running_first = r
    if following == NONE:
        instance.running_last = r
    instance.running += 1
    request.phase = RUNNING
    request.ready = 1
    if request.preempted == 0:
        request.admitted_s = now_s
    return r


@njit(cache=True)
def admit_all(x, i, now_s):  # type: ignore[no-untyped-def]
    """Let all in that have room; in continuous batching each sends its first group at once."""
    instance = instance_at(x, i)
    r = admit(x, instance.waiting_first, now_s)
    while r != NONE:
        go(x, r, now_s)
        r = admit(x, instance.waiting_first, now_s)


@njit(cache=True)
def go(x, r, now_s):  # type: ignore[no-untyped-def]
    """Send a request's next group, alone, into the queue of the first layer."""
    i = request_at(x, r).instance
    g = new_group(x, i)
    if join(x, g, r, x.chunk):
        if group_at(x, g).chunk:
            follow(x, g, request_at(x, r).last_chunk)
            request_at(x, r).last_chunk = g
        enqueue(x, new_job(x, g, i * x.layers, group_at(x, g).tokens), now_s)
    else:
        free_group(x, g)


@njit(cache=True)
def join(x, g, r, most):  # type: ignore[no-untyped-def]
    """Add a request's next tokens, at most `most`, to a group; False if it had to give way."""
    request, group = request_at(x, r), group_at(x, g)
    left = request.due - request.sent
    tokens = min(left, most) if left > 0 else 1
    if not _reserve(x, r, request.context + tokens):
        return False
    m = x.free_members
    member = member_at(x, m)
    x.free_members = member.next
    x.left_members -= 1
    member.request, member.epoch, member.tokens = r, request.epoch, tokens
    member.position = request.context
    member.gives = left <= tokens
    member.next, group.first = group.first, m
    request.context += tokens
    request.sent += tokens if left > 0 else 0
    request.ready = 0
    x.tokens_passed += tokens
    group.tokens += tokens
    group.gives += member.gives
    group.reads += request.context
    if left > 0:
        group.chunk += tokens
        group.behind += tokens * member.position
        group.chunk_reads += request.context
    group.scores += tokens * member.position + tokens * (tokens + 1) // 2
    return True
