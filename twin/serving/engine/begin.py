"""Satellites and first gateways that begin what they can. Compiled."""

from numba import njit

from twin.serving.engine.admission import admit_all
from twin.serving.engine.batches import form_batches
from twin.serving.engine.overload import drop_cancelled
from twin.serving.engine.places import first_gateway
from twin.serving.engine.queues import add_event, start
from twin.serving.engine.records import NONE, START
from twin.serving.engine.rows import event_at, satellite_at


@njit(cache=True)
def let_in(x, i, now_s):  # type: ignore[no-untyped-def]
    """Admit what has room on an instance, and start its first gateway if it is idle."""
    if x.micro == 0:
        admit_all(x, i, now_s)
    begin(x, first_gateway(x, i), now_s)


@njit(cache=True)
def begin(x, s, now_s):  # type: ignore[no-untyped-def]
    """Start what a satellite can start, if it is idle."""
    satellite = satellite_at(x, s)
    if satellite.serving != NONE:
        return
    if x.cancels:
        drop_cancelled(x, s)
    waits = satellite.first[0] != NONE or satellite.first[1] != NONE
    if not waits and satellite.stay_first == NONE:
        if not x.micro:
            return
        for i in range(x.copies):
            if first_gateway(x, i) == s:
                form_batches(x, i, now_s)
    if satellite.free_s > now_s:
        add_event(x, satellite.free_s, START, s)
    else:
        start(x, s, now_s)


@njit(cache=True)
def begin_soon(x, s, now_s):  # type: ignore[no-untyped-def]
    """Start what a satellite can start, once all that happens at this instant has happened."""
    if x.events and event_at(x, 0).t_s <= now_s:
        add_event(x, now_s, START, s)
    else:
        begin(x, s, now_s)


@njit(cache=True)
def begin_idle(x, satellites, now_s):  # type: ignore[no-untyped-def]
    """Start what satellites can start that have got back to work."""
    for s in range(satellites):
        begin(x, s, now_s)
