"""Requests that are asked: by the row from a source, or by users who ask again. Compiled."""

from typing import Final

import numpy as np
from numba import njit

from twin.scenario.serving import MAX_USERS
from twin.serving.engine.admission import free_request, write_row
from twin.serving.engine.queues import add_event
from twin.serving.engine.records import ARRIVE, COMING, NONE
from twin.serving.engine.rows import entry_s, request_at
from twin.serving.engine.users import ask_again
from twin.vocabulary import Cause

UNSERVED: Final = int(Cause.UNSERVED)


@njit(cache=True)
def ask(x, r, now_s):  # type: ignore[no-untyped-def]
    """Let a user's request be on its way, or go unserved where there is none."""
    request = request_at(x, r)
    # Users may be fewer than there were.
    if request.user >= x.users or now_s >= x.last_ask_s:
        free_request(x, r)
        return
    _begin(x, r)
    way_s = entry_s(x, request.instance, request.site)
    if np.isinf(way_s):
        write_row(x, r, UNSERVED)
        ask_again(x, r, now_s)
    else:
        add_event(x, now_s + way_s, ARRIVE, r)


@njit(cache=True)
def _begin(x, r):  # type: ignore[no-untyped-def]
    """Let a request begin that is asked now."""
    request = request_at(x, r)
    request.age = x.age
    x.age += 1
    request.leave_order = request.drop_order = request.last_chunk = NONE
    request.phase, request.due, request.sent, request.made = COMING, request.prompt, 0, 0
    request.context = request.blocks = request.ready = request.preempted = request.tries = 0
    request.shared = request.reused = request.kept = 0
    request.came_s = request.admitted_s = request.first_s = request.last_s = np.nan
    request.gap_s = request.wait_s = request.serve_s = request.way_s = 0.0
    request.busy_s = request.hops = 0.0


@njit(cache=True)
def _new_request(x, number, site, user):  # type: ignore[no-untyped-def]
    r = x.free_requests
    request = request_at(x, r)
    x.free_requests = request.next
    x.left_requests -= 1
    request.number, request.site, request.user = number, site, user
    request.instance = 0
    return r


@njit(cache=True)
def add_requests(x, number, site, prompt, output, asked_s, instance, arrives_s):  # type: ignore[no-untyped-def]
    """Let requests be on their way to their first gateways; there must be free rows."""
    for i in range(len(number)):
        r = _new_request(x, number[i], site[i], NONE)
        request = request_at(x, r)
        request.instance = instance[i]
        request.prompt, request.output, request.asked_s = prompt[i], output[i], asked_s[i]
        _begin(x, r)
        add_event(x, arrives_s[i], ARRIVE, r)


@njit(cache=True)
def add_users(x, first, site, instance, since_s):  # type: ignore[no-untyped-def]
    """Let users begin to think, each at its time, from user `first` on; there must be free rows."""
    for i in range(len(site)):
        user = first + i
        r = _new_request(x, user - MAX_USERS, site[i], user)
        request_at(x, r).instance = instance[i]
        ask_again(x, r, since_s[i])
