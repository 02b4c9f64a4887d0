"""Which experts tokens choose, addressed by request, token and layer: no order of events matters.

The numbers are a counter put through a mixer (splitmix64: Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", OOPSLA 2014), since a Philox block a token would cost more than
the token.
"""

from typing import Final

import numpy as np
from numba import njit

from twin.serving.engine.records import NONE
from twin.serving.engine.rows import activation, group_at, member_at, request_at, tokens_of, weight

EXACT_TOKENS: Final = 16
"""Groups of up to this many tokens draw token by token; larger ones, see `spread`."""

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_ONE: Final = np.uint64(0xBF58476D1CE4E5B9)
_TWO: Final = np.uint64(0x94D049BB133111EB)


@njit(cache=True)
def uniform(seed, number, position, layer, k):  # type: ignore[no-untyped-def]
    """A number in [0, 1) for one choice."""
    z = _mix(seed + _GOLDEN * (np.uint64(number) + np.uint64(1)))
    z = _mix(z + _GOLDEN * (np.uint64(position) + np.uint64(1)))
    z = _mix(z ^ (np.uint64(layer) << np.uint64(20)) ^ np.uint64(k + 1))
    return np.float64(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True)
def _mix(z):  # type: ignore[no-untyped-def]
    z = (z ^ (z >> np.uint64(30))) * _ONE
    z = (z ^ (z >> np.uint64(27))) * _TWO
    return z ^ (z >> np.uint64(31))


@njit(cache=True)
def choose(x, layer, number, position):  # type: ignore[no-untyped-def]
    """Add one token's choice, top-K without replacement (Plackett-Luce), to the scratch counts."""
    left = 1.0
    for k in range(x.top_k):
        at = uniform(x.seed, number, position, layer, k) * left
        chosen = -1
        for e in range(x.experts):
            if tokens_of(x, e).value & _TAKEN or weight(x, layer, e) <= 0.0:
                continue
            chosen = e
            at -= weight(x, layer, e)
            if at < 0.0:
                break
        tokens = tokens_of(x, chosen)
        tokens.value = (tokens.value + 1) | _TAKEN
        left -= weight(x, layer, chosen)
    for e in range(x.experts):
        tokens_of(x, e).value &= ~_TAKEN


_TAKEN: Final = 1 << 30


@njit(cache=True)
def spread(x, layer, number, position, tokens):  # type: ignore[no-untyped-def]
    """Add many tokens' choices to the scratch counts: what is expected, rounded at random.

    Systematic sampling: the mean of each count is exact, and their sum is. Their spread is less
    than that of independent tokens, an approximation.
    """
    at = uniform(x.seed, number, position, layer, 0)
    before, total = 0, tokens * x.top_k
    for e in range(x.experts):
        at += tokens * activation(x, layer, e)
        after = total if e == x.experts - 1 else min(int(at), total)
        tokens_of(x, e).value += after - before
        before = after


@njit(cache=True)
def clear(x):  # type: ignore[no-untyped-def]
    """Set the scratch counts to 0."""
    for e in range(x.experts):
        tokens_of(x, e).value = 0


@njit(cache=True)
def draw(x, g, layer):  # type: ignore[no-untyped-def]
    """Add the choices of a group's tokens at a layer to the scratch counts."""
    m = group_at(x, g).first
    while m != NONE:
        member = member_at(x, m)
        number = request_at(x, member.request).number
        if member.tokens <= EXACT_TOKENS:
            for i in range(member.tokens):
                choose(x, layer, number, member.position + i)
        else:
            spread(x, layer, number, member.position, member.tokens)
        m = member.next
