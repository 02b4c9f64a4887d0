"""Send requests where their prompt is cached already, unless others wait there."""

import numpy as np
from numpy.typing import NDArray

from placement.dispatch.seen import Asked, Seen, send_in_turn


def cache_aware(asked: Asked, seen: Seen) -> NDArray[np.int32]:
    """Join the shortest expected wait, less the time that computing what is cached would take."""

    def cost(k: int, now: Seen) -> NDArray[np.float64]:
        saved_s = asked.cached(k) / now.rate_per_s
        return now.wait_s + now.way_s[:, asked.site[k]] - saved_s

    return send_in_turn(asked, seen, cost)
