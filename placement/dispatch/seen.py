"""What a dispatcher knows of requests and of the instances that it may send them to."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """Instances as a dispatcher sees them, R of them, and ways from S sites.

    Attributes
    ----------
    way_s : (R, S) float64
        From each site to each instance's first gateway now, ``inf`` if there is none.
    open : (R,) bool
        Whether an instance lets requests in, as far as is known.
    requests : (R,) float64
        Requests that each has: those it has reported, and those sent to it since.
    left_tokens : (R,) float64
        Tokens that these have still to pass, less what an instance passes at its full rate since
        it has reported.
    rate_per_s : (R,) float64
        Tokens a second that each instance keeps up with, all work counted.
    lit : (R,) float64
        Share of its hosts that are in sunlight, as far as is known.
    """

    way_s: NDArray[np.float64]
    open: NDArray[np.bool_]
    requests: NDArray[np.float64]
    left_tokens: NDArray[np.float64]
    rate_per_s: NDArray[np.float64]
    lit: NDArray[np.float64]

    @property
    def wait_s(self) -> NDArray[np.float64]:
        """Time until an instance has passed all that it has, (R,): an expectation of the wait."""
        return self.left_tokens / self.rate_per_s


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """Requests to be sent, n of them, in the order of asking.

    Attributes
    ----------
    site : (n,) int
    asked_s : (n,) float64
        Since the step's start.
    tokens : (n,) float64
        Of the prompt, and of the answer as long as the mean one.
    cached : callable
        Of a request, by its place: tokens of its prompt that each instance has cached, as far as
        is known, (R,).
    sent : callable
        To be told where a request, by its place, is sent.
    """

    site: NDArray[np.integer]
    asked_s: NDArray[np.float64]
    tokens: NDArray[np.float64]
    cached: Callable[[int], NDArray[np.float64]]
    sent: Callable[[int, int], None]


type Cost = Callable[[int, Seen], NDArray[np.float64]]
"""What it costs to send a request, by its place, to each instance, (R,)."""


def send_in_turn(asked: Asked, seen: Seen, cost: Cost) -> NDArray[np.int32]:
    """Send each request where it costs least, and count it there for those that follow.

    Between two requests instances pass tokens at their full rate. Of equal costs the nearest
    instance is taken. -1 where no instance that is open can be reached.
    """
    to = np.full(len(asked.site), -1, np.int32)
    requests, left_tokens, now_s = seen.requests.copy(), seen.left_tokens.copy(), 0.0
    for k in range(len(to)):
        left_tokens -= seen.rate_per_s * max(asked.asked_s[k] - now_s, 0.0)
        np.maximum(left_tokens, 0.0, out=left_tokens)
        now_s = max(asked.asked_s[k], now_s)
        way_s = seen.way_s[:, asked.site[k]]
        may = seen.open & np.isfinite(way_s)
        if not may.any():
            continue
        now = replace(seen, requests=requests, left_tokens=left_tokens)
        costs = np.where(may, cost(k, now), np.inf)
        best = np.flatnonzero(costs <= costs.min())
        to[k] = best[way_s[best].argmin()]
        requests[to[k]] += 1.0
        left_tokens[to[k]] += asked.tokens[k]
        asked.sent(k, int(to[k]))
    return to
