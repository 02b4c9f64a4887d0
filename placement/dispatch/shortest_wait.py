"""Send each request where its way and the work before it take the least time."""

import numpy as np
from numpy.typing import NDArray

from placement.dispatch.seen import Asked, Seen, send_in_turn


def shortest_wait(asked: Asked, seen: Seen) -> NDArray[np.int32]:
    """Join the shortest expected wait: tokens that are before it at full rate, and its way."""
    return send_in_turn(asked, seen, lambda k, now: now.wait_s + now.way_s[:, asked.site[k]])
