"""Which layer of a recorded token took longest, and which satellite it waited for in it."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.runs.tables import SLOWEST, TABLES

type Found = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]


def slowest_columns(found: Found) -> dict[str, pa.Array]:
    """Columns of table ``tokens`` from what `slowest_layers` returns; null for no hops."""
    schema, none = TABLES["tokens"], found[0] < 0
    kinds = {name: schema.field(name).type for name in SLOWEST}
    each = zip(kinds.items(), found, strict=True)
    return {name: pa.array(values, kind, mask=none) for (name, kind), values in each}


def slowest_layers(
    offset: NDArray[np.integer],
    layer: NDArray[np.integer],
    source: NDArray[np.integer],
    end_s: NDArray[np.floating],
) -> Found:
    """Which layer of each token took longest, s, and which satellite's result came last in it.

    Parameters
    ----------
    offset : (T + 1,) int
        Where the hops of each token begin; they are in the order of layers.
    layer, source : (H,) int
    end_s : (H,) float

    Returns
    -------
    layer, took_s, satellite : (T,)
        -1 and NaN for a token without hops.
    """
    count = len(offset) - 1
    none, unknown = np.full(count, -1), np.full(count, np.nan)
    if not len(layer):
        return none, unknown, none.copy()
    token = np.repeat(np.arange(count), np.diff(offset))
    new = np.r_[True, (np.diff(layer) != 0) | (np.diff(token) != 0)]
    first, group = np.flatnonzero(new), np.cumsum(new) - 1
    end = np.maximum.reduceat(end_s.astype(float), first)
    begun = np.r_[0.0, end[:-1]]
    begun[np.r_[True, np.diff(token[first]) != 0]] = 0.0
    took = end - begun
    # The last hop of each layer to end, and of each token the layer that took longest.
    last = np.full(len(first), -1)
    ended = np.flatnonzero(end_s >= end[group])
    last[group[ended]] = ended
    order = np.lexsort((took, token[first]))
    longest = order[np.r_[np.diff(token[first][order]) != 0, True]]
    mine = token[first][longest]
    none[mine], unknown[mine] = layer[first][longest], took[longest]
    satellite = np.full(count, -1)
    satellite[mine] = source[last[longest]]
    return none, unknown, satellite
