"""Which experts tokens choose, addressed by request, token and layer: no order of events matters.

The numbers are a counter put through a mixer (splitmix64: Steele, Lea and Flood, "Fast splittable
pseudorandom number generators", OOPSLA 2014), since a Philox block a token would cost more than
the token.
"""

from typing import Final

import numpy as np
from numba import njit

from twin.serving.engine.records import NONE
from twin.serving.engine.rows import (
    activation,
    count_listed,
    cumulated,
    group_at,
    listed,
    member_at,
    request_at,
    tokens_of,
    weight,
)

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
    """Add one token's choice, top-K without replacement (Plackett-Luce), to the scratch counts.

    Each choice inverts the distribution of the experts that are left: the number drawn is moved up
    by the weights of those taken that are before it, and found among all cumulated weights.
    """
    left = 1.0
    for k in range(x.top_k):
        at = uniform(x.seed, number, position, layer, k) * left
        for i in range(k):
            taken = listed(x, i).value
            if at < cumulated(x, layer, taken) - weight(x, layer, taken):
                break
            at += weight(x, layer, taken)
        chosen = _may_be(x, layer, _first_above(x, layer, at), k)
        left -= weight(x, layer, chosen)
        tokens_of(x, chosen).value += 1
        _list(x, chosen, k)
    count_listed(x).value = x.top_k


@njit(cache=True)
def _first_above(x, layer, at):  # type: ignore[no-untyped-def]
    """The first expert, or the last of all, whose cumulated weight is above a number."""
    low, high = 0, x.experts - 1
    while low < high:
        middle = (low + high) // 2
        if cumulated(x, layer, middle) > at:
            high = middle
        else:
            low = middle + 1
    return low


@njit(cache=True)
def _may_be(x, layer, expert, k):  # type: ignore[no-untyped-def]
    """An expert, or the next that can be chosen where rounding led to one that cannot."""
    e = expert
    while e < x.experts and not _is_left(x, layer, e, k):
        e += 1
    if e == x.experts:
        e = expert - 1
        while e > 0 and not _is_left(x, layer, e, k):
            e -= 1
    return e


@njit(cache=True)
def _is_left(x, layer, expert, k):  # type: ignore[no-untyped-def]
    for i in range(k):
        if listed(x, i).value == expert:
            return False
    return weight(x, layer, expert) > 0.0


@njit(cache=True)
def _list(x, expert, k):  # type: ignore[no-untyped-def]
    """Add to the list of `k` experts, in their order."""
    at = k
    while at > 0 and listed(x, at - 1).value > expert:
        listed(x, at).value = listed(x, at - 1).value
        at -= 1
    listed(x, at).value = expert


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
    for i in range(count_listed(x).value):
        tokens_of(x, listed(x, i).value).value = 0
    count_listed(x).value = 0


@njit(cache=True)
def list_chosen(x, tokens):  # type: ignore[no-untyped-def]
    """List the experts that have any of so many tokens drawn since the counts were 0."""
    if tokens == 1:
        return  # as they were chosen
    count = 0
    for e in range(x.experts):
        if tokens_of(x, e).value:
            listed(x, count).value = e
            count += 1
    count_listed(x).value = count


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
