"""From the LM head to the user: when tokens are there, and when an answer is complete. Compiled.

A token takes the way to its user's site that the step at hand has. Where there is none it waits at
the satellite of the LM head, until a step begins with one. Tokens of a request keep their order:
one that has a shorter way than the one before it is there no earlier.
"""

import numpy as np
from numba import njit

from twin.serving.engine.admission import SERVED, count_inside, leave
from twin.serving.engine.records import UNDELIVERED
from twin.serving.engine.rows import exit_s, request_at


@njit(cache=True)
def deliver(x, r, now_s):  # type: ignore[no-untyped-def]
    """Send a request's newest token, and all that have waited, to its user, if there is a way."""
    request = request_at(x, r)
    way_s = exit_s(x, request.instance * x.heads + request.number % x.heads, request.site)
    if np.isinf(way_s):
        request.kept = 1
        return
    request.kept = 0
    there_s = now_s + way_s
    if np.isnan(request.first_s):
        request.first_s = request.last_s = there_s
        return
    there_s = max(there_s, request.last_s)
    request.gap_s = max(request.gap_s, there_s - request.last_s)
    request.last_s = there_s


@njit(cache=True)
def end(x, r, now_s):  # type: ignore[no-untyped-def]
    """Let a request go whose tokens are all made, unless some of them wait for a way."""
    request = request_at(x, r)
    if request.kept:
        request.phase = UNDELIVERED
        return
    count_inside(x, now_s, -1)
    leave(x, r, SERVED, now_s)


@njit(cache=True)
def deliver_all(x, now_s):  # type: ignore[no-untyped-def]
    """Send the tokens that wait for a way to the users who have one in the step that begins."""
    for r in range(x.size_requests):
        request = request_at(x, r)
        if request.kept:
            deliver(x, r, now_s)
            if request.phase == UNDELIVERED:
                end(x, r, now_s)
