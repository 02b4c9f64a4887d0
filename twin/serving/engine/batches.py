"""Micro-batches: what the first gateway sends together. Compiled."""

from numba import njit

from twin.serving.engine.admission import admit, first_waiting, join
from twin.serving.engine.groups import follow, free_group, new_group, new_job
from twin.serving.engine.queues import enqueue
from twin.serving.engine.records import NONE
from twin.serving.engine.rows import group_at, instance_at, request_at


@njit(cache=True)
def form_batches(x, i, now_s):  # type: ignore[no-untyped-def]
    """Gather what is ready on an instance into one group a board, the oldest first, and let in."""
    instance = instance_at(x, i)
    for board in range(x.boards):
        g = new_group(x, i)
        follow(x, g, instance.last_batch)
        instance.last_batch = g
        if _fill(x, g, board, now_s):
            enqueue(x, new_job(x, g, i * x.layers, group_at(x, g).tokens), now_s)
        else:
            free_group(x, g)


@njit(cache=True)
def _fill(x, g, board, now_s):  # type: ignore[no-untyped-def]
    """Fill a batch; returns how many requests are in it."""
    members, preemptions = 0, x.preemptions
    group = group_at(x, g)
    i = group.instance
    r = instance_at(x, i).running_first
    while r != NONE and group.tokens < x.batch_tokens and members < x.batch_requests:
        request = request_at(x, r)
        after = request.next
        if request.ready and request.age % x.boards == board:
            if not join(x, g, r, min(x.batch_tokens - group.tokens, x.chunk)):
                break
            members += 1
            after = request_at(x, r).next
        r = after
    while group.tokens < x.batch_tokens and members < x.batch_requests:
        if x.preemptions != preemptions:
            break
        r = admit(x, first_waiting(x, i, board), now_s)
        if r == NONE or not join(x, g, r, min(x.batch_tokens - group.tokens, x.chunk)):
            break
        members += 1
    return members
