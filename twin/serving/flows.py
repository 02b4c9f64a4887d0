"""Bulk on links: caches and weights share every directed link by max-min fairness.

No flow can have more but at the cost of one that has no more than itself. Progressive filling finds
these rates: all rise together until a link is full, whose flows stay as they are while the others
go on (Bertsekas and Gallager, Data Networks, 1992, section 6.5.2). They hold until a flow ends,
which frees its share for the rest.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from twin.network.routing import NO_PREDECESSOR, shortest_paths
from twin.serving.shipments import GROUND, Shipment
from twin.world.topology import Snapshot

_TOGETHER = 1e-12
"""Flows whose ends are no further apart than this share of the time to them end together."""


class Flow(NamedTuple):
    """A shipment that flows in a step, and the directed links that it takes."""

    shipment: Shipment
    source: int
    links: NDArray[np.int32]


class Routes:
    """Shortest paths to all targets of shipments in a step."""

    def __init__(
        self,
        shipments: list[Shipment],
        snapshot: Snapshot,
        indptr: NDArray[np.int32],
        indices: NDArray[np.int32],
    ) -> None:
        targets = np.unique([shipment.target for shipment in shipments]).astype(np.int32)
        self._row = {int(target): row for row, target in enumerate(targets)}
        self._indptr, self._indices = indptr, indices
        self._delay_s, self._predecessor = shortest_paths(
            indptr, indices, snapshot.weight_s, targets
        )

    def delay_s(self, target: int) -> NDArray[np.float64]:
        """Delay between a target and every satellite, (N,)."""
        return np.asarray(self._delay_s[self._row[target]])

    def links(self, source: int, target: int) -> NDArray[np.int32]:
        """Directed links from a source to a target; the way up from the ground is the last."""
        if source == GROUND:
            return np.array([len(self._indices)], np.int32)
        before = self._predecessor[self._row[target]]
        found: NDArray[np.int32] = _links_between(before, source, self._indptr, self._indices)
        return found


def carry(
    links: list[NDArray[np.int32]],
    room_bytes: NDArray[np.float64],
    wanted_bytes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Carry flows for one step; return the bytes of each that have come, (F,).

    Parameters
    ----------
    links : list of F int32 arrays
        Directed links that each flow takes, each once.
    room_bytes : (links,) float64
        What each link can carry in the step.
    wanted_bytes : (F,) float64
    """
    left_bytes = wanted_bytes.astype(np.float64)
    first, used, link = _joined(links)
    _carry(first, link, room_bytes[used], left_bytes)
    return np.asarray(wanted_bytes - left_bytes)


def fair_rates(
    links: list[NDArray[np.int32]], capacity: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rates of flows by max-min fairness, (F,); ``inf`` for a flow that takes no link.

    Parameters
    ----------
    links : list of F int32 arrays
        Directed links that each flow takes, each once.
    capacity : (links,) float64
        Of the links.
    """
    first, used, link = _joined(links)
    rate = np.empty(len(links))
    _fill(first, link, capacity[used], np.ones(len(links), np.bool_), rate)
    return rate


def _joined(
    links: list[NDArray[np.int32]],
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Where each flow's links begin, the links in use, and the place of each among them."""
    first = np.cumsum([0, *map(len, links)])
    used, link = np.unique(np.concatenate(links), return_inverse=True)
    return first, used, link


@numba.njit(cache=True)
def _links_between(predecessor, source, indptr, indices):  # type: ignore[no-untyped-def]
    """Return the directed links from a satellite to the root of a tree of shortest paths."""
    found = np.empty(predecessor.shape[0], np.int32)
    count = 0
    node = source
    while predecessor[node] != NO_PREDECESSOR:
        after = predecessor[node]
        for j in range(indptr[node], indptr[node + 1]):
            if indices[j] == after:
                found[count] = j
                count += 1
        node = after
    return found[:count].copy()


@numba.njit(cache=True)
def _carry(first, link, room, left):  # type: ignore[no-untyped-def]
    """Take what comes in one unit of time from `left`, from one flow's end to the next."""
    going = left > 0.0
    rate = np.empty(left.size)
    time_left = 1.0
    while time_left > 0.0 and going.any():
        _fill(first, link, room, going, rate)
        to_end = np.inf
        for f in range(left.size):
            if going[f] and rate[f] > 0.0:
                to_end = min(to_end, left[f] / rate[f])
        taken = min(to_end, time_left)
        for f in range(left.size):
            if not going[f]:
                continue
            if rate[f] > 0.0 and left[f] / rate[f] <= taken * (1.0 + _TOGETHER):
                left[f] = 0.0
                going[f] = False
            elif taken > 0.0:
                left[f] -= rate[f] * taken
        time_left -= taken


@numba.njit(cache=True)
def _fill(first, link, capacity, going, rate):  # type: ignore[no-untyped-def]
    """Write the max-min fair rates of the flows that are going; of others 0."""
    users = np.zeros(capacity.size, np.int64)
    for f in range(going.size):
        rate[f] = np.inf if going[f] else 0.0
        if going[f]:
            for i in range(first[f], first[f + 1]):
                users[link[i]] += 1
    left = capacity.copy()
    full, level = _first_full(left, users)
    while full >= 0:
        for f in range(going.size):
            if rate[f] == np.inf and full in link[first[f] : first[f + 1]]:
                rate[f] = level
                for i in range(first[f], first[f + 1]):
                    users[link[i]] -= 1
                    left[link[i]] = max(left[link[i]] - level, 0.0)
        full, level = _first_full(left, users)


@numba.njit(cache=True)
def _first_full(left, users):  # type: ignore[no-untyped-def]
    """Return the link that is full first when all rates rise, and how far they rise; or -1."""
    full, level = -1, np.inf
    for j in range(left.size):
        if users[j] and left[j] / users[j] < level:
            full, level = j, left[j] / users[j]
    return full, level
