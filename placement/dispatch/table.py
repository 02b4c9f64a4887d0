"""Every dispatch by name; a new one is a file beside this and an entry here."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from placement.dispatch.cache_aware import cache_aware
from placement.dispatch.least_loaded import least_loaded
from placement.dispatch.lit_first import lit_first
from placement.dispatch.nearest import nearest
from placement.dispatch.shortest_wait import shortest_wait
from twin.registry import Registry

DISPATCHES: Registry[Callable[..., NDArray[np.int32]]] = Registry(
    "dispatch",
    {
        "nearest": nearest,
        "least-loaded": least_loaded,
        "shortest-wait": shortest_wait,
        "lit-first": lit_first,
        "cache-aware": cache_aware,
    },
    field="serving.dispatch",
    bounds={"dark_s": (0.0, 1e6)},
)
"""Each takes ``(asked, seen)`` and parameters of its own, and returns an instance for each request,
-1 for one that goes unserved."""
