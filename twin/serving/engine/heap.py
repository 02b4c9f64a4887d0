"""The events to come: a heap of (time, order), compiled.

Events at one time are taken in the order in which they were made, so that runs repeat.
"""

from typing import Final

from numba import njit

from twin.serving.engine.rows import event_at

_CHILDREN: Final = 4


@njit(cache=True)
def push(x, t_s, order, kind, what):  # type: ignore[no-untyped-def]
    """Add an event; its order is larger than all before."""
    at = x.events
    x.events += 1
    while at > 0:
        parent = (at - 1) // _CHILDREN
        above = event_at(x, parent)
        if above.t_s <= t_s:
            break
        _copy(x, parent, at)
        at = parent
    event = event_at(x, at)
    event.t_s, event.order, event.kind, event.what = t_s, order, kind, what


@njit(cache=True)
def remove_first(x):  # type: ignore[no-untyped-def]
    """Take the first event out."""
    x.events -= 1
    last = x.events
    moved = event_at(x, last)
    t_s, order = moved.t_s, moved.order
    at = 0
    while True:
        child = _CHILDREN * at + 1
        if child >= last:
            break
        least = child
        least_s, least_order = event_at(x, child).t_s, event_at(x, child).order
        for other in range(child + 1, min(child + _CHILDREN, last)):
            event = event_at(x, other)
            if event.t_s < least_s or (event.t_s == least_s and event.order < least_order):
                least, least_s, least_order = other, event.t_s, event.order
        if least_s > t_s or (least_s == t_s and least_order > order):
            break
        _copy(x, least, at)
        at = least
    if at != last:
        _copy(x, last, at)


@njit(cache=True)
def _copy(x, origin, target):  # type: ignore[no-untyped-def]
    one, other = event_at(x, origin), event_at(x, target)
    other.t_s, other.order, other.kind, other.what = one.t_s, one.order, one.kind, one.what
