"""Users who ask again after each answer: a closed loop. Compiled.

What a user asks next, and after which time, is drawn by the user and the number of the request, so
that it depends neither on the order of events nor on how many users there are.
"""

from typing import Final

import numpy as np
from numba import njit

from twin.scenario.serving import MAX_TOKENS, MAX_USERS
from twin.serving.engine.draws import uniform
from twin.serving.engine.queues import add_event
from twin.serving.engine.records import ASK, THINKING
from twin.serving.engine.rows import request_at

MOST_TOKENS: Final = float(10 * MAX_TOKENS)


@njit(cache=True)
def ask_again(x, r, now_s):  # type: ignore[no-untyped-def]
    """Draw a user's next request, who begins to think now."""
    request = request_at(x, r)
    request.number += MAX_USERS
    number = request.number
    think_s = x.think_s
    if x.think_fixed == 0:
        think_s *= -np.log(1.0 - uniform(x.users_seed, number, 0, 0, 0))
    # Two normal numbers from two uniform ones: Box and Muller 1958.
    radius = np.sqrt(-2.0 * np.log(1.0 - uniform(x.users_seed, number, 0, 0, 1)))
    angle = 2.0 * np.pi * uniform(x.users_seed, number, 0, 0, 2)
    request.prompt = _length(x.prompt_mean, x.prompt_sigma, radius * np.cos(angle))
    request.output = _length(x.output_mean, x.output_sigma, radius * np.sin(angle))
    request.asked_s = now_s + think_s
    request.phase = THINKING
    add_event(x, request.asked_s, ASK, r)


@njit(cache=True)
def _length(mean, sigma, normal):  # type: ignore[no-untyped-def]
    """Lognormal, of sigma 0 fixed."""
    length = np.rint(mean * np.exp(sigma * normal - sigma * sigma / 2.0))
    return min(max(length, 1.0), MOST_TOKENS)
