"""Requests that go unserved since there is too much to do, or too little memory. Compiled."""

from typing import Final

from numba import njit

from twin.serving.engine.admission import count_inside, leave, leave_line, leave_running
from twin.serving.engine.groups import alive, drop
from twin.serving.engine.queues import add_event
from twin.serving.engine.records import DROP, GIVE_UP, NONE, RUNNING, WAITING
from twin.serving.engine.rows import (
    instance_at,
    instance_of,
    job_at,
    part_at,
    request_at,
    satellite_at,
)
from twin.vocabulary import Cause

TOO_LONG: Final = int(Cause.TOO_LONG)
QUEUE_FULL: Final = int(Cause.QUEUE_FULL)
IMPATIENT: Final = int(Cause.IMPATIENT)
TOO_LATE: Final = int(Cause.TOO_LATE)


@njit(cache=True)
def is_too_long(x, r):  # type: ignore[no-untyped-def]
    """Whether the whole cache cannot hold a request's prompt and answer."""
    most = request_at(x, r).prompt + request_at(x, r).output - 1
    return (most + x.block - 1) // x.block > instance_of(x, r).all_blocks


@njit(cache=True)
def cancel(x, r, cause, now_s):  # type: ignore[no-untyped-def]
    """Let a request inside go, and drop its work."""
    phase = request_at(x, r).phase
    if phase == WAITING:
        leave_line(x, r)
    elif phase == RUNNING:
        x.cancels += 1
        leave_running(x, r)
    count_inside(x, now_s, -1)
    leave(x, r, cause, now_s)


@njit(cache=True)
def refuse_too_long(x, i, now_s):  # type: ignore[no-untyped-def]
    """Refuse what waits for an instance and would never fit, now that memory may be less."""
    r = instance_at(x, i).waiting_first
    while r != NONE:
        after = request_at(x, r).next
        if is_too_long(x, r):
            cancel(x, r, TOO_LONG, now_s)
        r = after


@njit(cache=True)
def set_deadlines(x, r, now_s):  # type: ignore[no-untyped-def]
    """Note when the user of a request that has just come will leave, and when it is too late."""
    request = request_at(x, r)
    if x.patience_s > 0.0:
        # The user leaves without a first token by then, and the gateway hears of it a way later.
        leaves_s = now_s + x.patience_s
        request.leave_order = add_event(x, leaves_s, GIVE_UP, r)
    if x.drop_s > 0.0 and request.phase == WAITING:
        late_s = max(now_s, request.asked_s + x.drop_s)
        request.drop_order = add_event(x, late_s, DROP, r)


@njit(cache=True)
def give_up(x, r, now_s, order):  # type: ignore[no-untyped-def]
    """Let a request go whose user has left before the first token was there."""
    request = request_at(x, r)
    if request.leave_order != order:
        return
    if not request.first_s <= request.asked_s + x.patience_s:  # no token has a time that is nan
        cancel(x, r, IMPATIENT, now_s)


@njit(cache=True)
def drop_late(x, r, now_s, order):  # type: ignore[no-untyped-def]
    """Drop a request that waits without a token when its first one is late."""
    request = request_at(x, r)
    if request.drop_order == order and request.phase == WAITING and request.made == 0:
        cancel(x, r, TOO_LATE, now_s)


@njit(cache=True)
def drop_cancelled(x, s):  # type: ignore[no-untyped-def]
    """Drop jobs that no request wants, where a satellite would serve them next."""
    satellite = satellite_at(x, s)
    while satellite.stay_first != NONE:
        j = satellite.stay_first
        if alive(x, job_at(x, j).group):
            break
        satellite.stay_first = job_at(x, j).next
        drop(x, j)
    for c in range(2):
        while satellite.first[c] != NONE:
            part = part_at(x, satellite.first[c])
            while part.first[c] != NONE:
                j = part.first[c]
                if alive(x, job_at(x, j).group):
                    break
                part.first[c] = job_at(x, j).next
                drop(x, j)
            if part.first[c] != NONE:
                break
            satellite.first[c] = part.next[c]
