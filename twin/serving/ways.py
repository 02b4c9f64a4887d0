"""The links of every leg: from each layer's gateway to its experts, and on to the next gateway."""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from twin.network.routing import NO_PREDECESSOR
from twin.serving.engine.records import WAY, Rows


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Directed links of legs, in the order in which they are passed.

    Attributes
    ----------
    first : (R*(2*L - 1 + H)*C + 1,) int32
        Where each leg's links begin, for R instances, and C copies of a layer's experts: those
        from gateways to experts, then of each
        instance those on from there, and from the last layer to each of H LM heads.
        A leg on one satellite, or one that leads nowhere, has none.
    links : (W,) records
        Entry of the network's CSR skeleton, and its delay.
    """

    first: NDArray[np.int32]
    links: Rows


@dataclass(frozen=True, kw_only=True)
class Paths:
    """A step's shortest paths, and the graph that they are in.

    Attributes
    ----------
    indptr, indices : (N+1,), (nnz,) int32
        CSR skeleton of the network.
    weight_s : (nnz,) float64
        Delay of each entry.
    predecessor : (R*L, N) int32
        From each layer's gateway.
    head_predecessor : (R*H, N) int32
        From each LM head.
    """

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    weight_s: NDArray[np.float64]
    predecessor: NDArray[np.int32]
    head_predecessor: NDArray[np.int32]


def ways(paths: Paths, expert: NDArray[np.int32], instances: int = 1) -> Ways:
    """Return the legs' links; `expert` is the satellite of the copies of experts, (R*L, C)."""
    rows, experts = expert.shape
    to = _on_trees(instances, rows // instances, len(paths.head_predecessor) // instances)
    trees = np.concatenate([paths.predecessor, paths.head_predecessor])
    graph = (trees, expert, *to, paths.indptr, paths.indices)
    first = np.zeros((rows + len(to[0])) * experts + 1, np.int32)
    _trace(*graph, first, np.empty(0, np.int32))
    np.cumsum(first, out=first)
    link = np.empty(first[-1], np.int32)
    _trace(*graph, first, link)
    rows = np.empty(len(link), WAY)
    rows["link"], rows["delay_s"] = link, paths.weight_s[link]
    return Ways(first=first, links=rows)


def _on_trees(
    instances: int, layers: int, heads: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row of the placement that each leg on comes from, and tree of where it leads."""
    rows = np.arange(instances * layers).reshape(instances, layers)
    head = rows.size + np.arange(instances * heads).reshape(instances, heads)
    source = np.concatenate([rows[:, :-1], np.repeat(rows[:, -1:], heads, axis=1)], axis=1)
    target = np.concatenate([rows[:, 1:], head], axis=1)
    return source.ravel(), target.ravel()


@numba.njit(cache=True)
def _trace(predecessor, expert, source, target, indptr, indices, first, link):  # type: ignore[no-untyped-def]
    """Write links if `link` has room, else only count them."""
    rows, experts = expert.shape
    for row in range(rows):
        for e in range(experts):
            way = row * experts + e
            node, at = expert[row, e], first[way + 1]
            while predecessor[row, node] != NO_PREDECESSOR:
                before = predecessor[row, node]
                if link.size:  # from the expert back to the gateway
                    at -= 1
                    link[at] = _entry(indptr, indices, before, node)
                else:
                    first[way + 1] += 1
                node = before
    for row in range(len(source)):
        following = target[row]
        for e in range(experts):
            way = (rows + row) * experts + e
            node, at = expert[source[row], e], first[way]
            while predecessor[following, node] != NO_PREDECESSOR:
                after = predecessor[following, node]
                if link.size:
                    link[at] = _entry(indptr, indices, node, after)
                    at += 1
                else:
                    first[way + 1] += 1
                node = after


@numba.njit(cache=True)
def _entry(indptr, indices, source, target):  # type: ignore[no-untyped-def]
    """Place of a directed link in the skeleton."""
    for j in range(indptr[source], indptr[source + 1]):
        if indices[j] == target:
            return j
    return -1
