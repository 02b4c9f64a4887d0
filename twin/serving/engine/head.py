"""Behind the LM head: tokens that were made, and their way back to the first gateway. Compiled."""

from typing import Final

import numpy as np
from numba import njit

from twin.serving.engine.admission import go, leave_running
from twin.serving.engine.delivery import deliver, end
from twin.serving.engine.edge import fail
from twin.serving.engine.groups import free_group, free_member, settle
from twin.serving.engine.places import first_gateway
from twin.serving.engine.prefixes import share
from twin.serving.engine.queues import add_event
from twin.serving.engine.records import NONE, READY, RUNNING
from twin.serving.engine.rows import back_s, group_at, instance_of, member_at, request_at
from twin.vocabulary import Cause

UNREACHABLE: Final = int(Cause.UNREACHABLE)


@njit(cache=True)
def head_done(x, g, now_s, back):  # type: ignore[no-untyped-def]
    """Note the tokens that a group has made; returns the chain of those that go on."""
    settle(x, g)
    group = group_at(x, g)
    m = group.first
    while m != NONE:
        member = member_at(x, m)
        after = member.next
        r = member.request
        request = request_at(x, r)
        if member.gives and request.epoch == member.epoch:
            request.wait_s += group.wait_s
            request.serve_s += group.serve_s
            request.way_s += group.way_s
            x.tokens_made += 1
            instance_of(x, r).made += 1
            request.made += 1
            if request.made == 1:
                share(x, r)
            deliver(x, r, now_s)
            if request.made >= request.output:
                leave_running(x, r)
                end(x, r, now_s)
            else:
                # The member becomes a link of the chain.
                c = x.free_members
                x.free_members = member_at(x, c).next
                x.left_members -= 1
                link = member_at(x, c)
                link.request, link.epoch, link.next = r, request.epoch, back
                back = c
        m = after
    free_group(x, g)
    return back


@njit(cache=True)
def send_back(x, back, now_s, s, head):  # type: ignore[no-untyped-def]
    """Send a chain of tokens from an LM head to the first gateway, the first made first."""
    back = _turned_round(x, back)
    if np.isinf(back_s(x, head)):
        while back != NONE:
            member = member_at(x, back)
            after = member.next
            fail(x, member.request, UNREACHABLE, now_s)
            free_member(x, back)
            back = after
    elif back_s(x, head) <= 0.0 and s == first_gateway(x, head // x.heads):
        ready_again(x, back, now_s)
    else:
        add_event(x, now_s + back_s(x, head), READY, back)


@njit(cache=True)
def _turned_round(x, m):  # type: ignore[no-untyped-def]
    turned = NONE
    while m != NONE:
        member = member_at(x, m)
        after, member.next = member.next, turned
        turned, m = m, after
    return turned


@njit(cache=True)
def ready_again(x, m, now_s):  # type: ignore[no-untyped-def]
    """Tokens are at the first gateway: each may go round again; returns their instance or NONE."""
    i = NONE
    while m != NONE:
        member = member_at(x, m)
        after, r, epoch = member.next, member.request, member.epoch
        free_member(x, m)
        request = request_at(x, r)
        if request.phase == RUNNING and request.epoch == epoch:
            i = request.instance
            if x.micro:
                request.ready = 1
            else:
                go(x, r, now_s)
        m = after
    return i
