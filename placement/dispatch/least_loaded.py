"""Send each request to the instance that has the fewest."""

import numpy as np
from numpy.typing import NDArray

from placement.dispatch.seen import Asked, Seen, send_in_turn


def least_loaded(asked: Asked, seen: Seen) -> NDArray[np.int32]:
    """Send each request to the instance with the fewest requests, of equal ones to the nearest."""
    return send_in_turn(asked, seen, lambda _, now: now.requests)
