"""Shortest paths from many gateways over one snapshot.

The graph is a fixed CSR skeleton (``indptr``, ``indices``); a snapshot is one delay per stored
entry, ``inf`` where the link is down. On a +Grid a label-correcting search with a first-in
first-out queue settles each satellite about once and needs no heap, which makes it several times
faster than Dijkstra's method; both give the same delays (Bertsekas, Network Optimization, 1998,
section 2.4).
"""

import numba
import numpy as np
from numpy.typing import NDArray

NO_PREDECESSOR = -1

_CROWDED = 5
"""Entries a satellite beyond which those that are down are left out before the search: between
shells few of many links that may exist are up. On a plain +Grid that costs more than it saves."""


def shortest_paths(
    indptr: NDArray[np.int32],
    indices: NDArray[np.int32],
    weight_s: NDArray[np.float64],
    sources: NDArray[np.int32],
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Delays and predecessors from each source to every satellite.

    Parameters
    ----------
    indptr, indices : (N+1,), (nnz,) int32
        CSR skeleton of the directed graph.
    weight_s : (nnz,) float64
        Delay of each entry in s, >= 0; ``inf`` for a link that is down.
    sources : (K,) int32
        Satellites to start from.

    Returns
    -------
    delay_s : (K, N) float64
        ``inf`` where a satellite cannot be reached.
    predecessor : (K, N) int32
        The satellite before each one on its path; -1 at the source and where unreachable.
    """
    shape = (len(sources), len(indptr) - 1)
    delay_s = np.empty(shape)
    predecessor = np.empty(shape, np.int32)
    if len(indices) > _CROWDED * shape[1]:
        indptr, indices, weight_s = _up_only(indptr, indices, weight_s)
    _label_correcting(indptr, indices, weight_s, sources, delay_s, predecessor)
    return delay_s, predecessor


def path(predecessor: NDArray[np.int32], target: int) -> list[int]:
    """Satellites from the source to `target`, both included.

    Parameters
    ----------
    predecessor : (N,) int32
        One row of what `shortest_paths` returned.
    target : int
        Where the path ends; must be reachable, else the path is the target alone.
    """
    nodes = [int(target)]
    while (before := int(predecessor[nodes[-1]])) != NO_PREDECESSOR:
        nodes.append(before)
    return nodes[::-1]


@numba.njit(cache=True)
def _label_correcting(indptr, indices, weight_s, sources, delay_s, predecessor):  # type: ignore[no-untyped-def]
    n = indptr.shape[0] - 1
    ring = n + 1
    queue = np.empty(ring, np.int32)
    queued = np.zeros(n, np.bool_)
    for k in range(sources.shape[0]):
        delay = delay_s[k]
        before = predecessor[k]
        delay[:] = np.inf
        before[:] = -1
        source = sources[k]
        delay[source] = 0.0
        queue[0] = source
        queued[source] = True
        head = 0
        tail = 1
        while head != tail:
            u = queue[head]
            head = head + 1 if head + 1 < ring else 0
            queued[u] = False
            delay_u = delay[u]
            for j in range(indptr[u], indptr[u + 1]):
                v = indices[j]
                candidate = delay_u + weight_s[j]
                if candidate < delay[v]:
                    delay[v] = candidate
                    before[v] = u
                    if not queued[v]:
                        queued[v] = True
                        queue[tail] = v
                        tail = tail + 1 if tail + 1 < ring else 0


@numba.njit(cache=True)
def _up_only(indptr, indices, weight_s):  # type: ignore[no-untyped-def]
    """Return the same graph without the entries that are down, the others in their order."""
    first = np.empty_like(indptr)
    up = np.empty(weight_s.shape[0], np.int32)
    count = 0
    for u in range(indptr.shape[0] - 1):
        first[u] = count
        for j in range(indptr[u], indptr[u + 1]):
            if weight_s[j] < np.inf:
                up[count] = j
                count += 1
    first[-1] = count
    return first, indices[up[:count]], weight_s[up[:count]]
