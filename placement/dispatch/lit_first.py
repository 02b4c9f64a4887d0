"""Send requests to instances in sunlight, where there are any."""

import numpy as np
from numpy.typing import NDArray

from placement.dispatch.seen import Asked, Seen, send_in_turn


def lit_first(asked: Asked, seen: Seen, *, dark_s: float = 60.0) -> NDArray[np.int32]:
    """Join the shortest expected wait, where an instance in the dark counts as so much slower.

    Parameters
    ----------
    asked : Asked
    seen : Seen
    dark_s : float
        How much longer a request waits for an instance in sunlight than for one all of whose hosts
        are in shadow; in proportion where some are.
    """

    def cost(k: int, now: Seen) -> NDArray[np.float64]:
        return now.wait_s + now.way_s[:, asked.site[k]] + dark_s * (1.0 - now.lit)

    return send_in_turn(asked, seen, cost)
