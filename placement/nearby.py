"""Mean delays from satellites to those around them: all that instances side by side need.

The delays between any two of 10,000 satellites take minutes and 0.8 GB; those to the nearest few
dozen take seconds.
"""

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from placement.delays import UNREACHABLE_S
from placement.problem import PlacementProblem


@dataclass(frozen=True, kw_only=True)
class Nearby:
    """Mean delays over the planning snapshots, as `placement.delays.mean_way_s` has them.

    Attributes
    ----------
    satellite : (N, M) int32
        Satellites around each one, itself included, nearest first; -1 for none.
    delay_s : (N, M) float64
        A snapshot in which one is not within reach counts as `UNREACHABLE_S`.
    """

    satellite: NDArray[np.int32]
    delay_s: NDArray[np.float64]

    def between(self, members: NDArray[np.int32]) -> NDArray[np.float64]:
        """Delays between some satellites, (m, m), at most `UNREACHABLE_S`.

        Between two that are far from each other it is that of the way over others of them.
        """
        delay_s = np.empty((len(members), len(members)))
        between(self.satellite, self.delay_s, members, delay_s)
        return delay_s


def nearby(problem: PlacementProblem, wanted: int) -> Nearby:
    """Find the satellites around each one.

    Parameters
    ----------
    problem : PlacementProblem
    wanted : int
        Satellites around each to know, if there are as many.
    """
    n = problem.n_satellites
    wanted = min(wanted, n)
    up = problem.weight_s[np.isfinite(problem.weight_s)]
    # So many are within half that many hops on a grid; the rest is for detours.
    reach_s = (np.sqrt(wanted / 2) + 4.0) * float(np.median(up)) if up.size else 0.0
    satellite = np.full((n, wanted), -1, np.int32)
    delay_s = np.full((n, wanted), np.inf)
    hosts = problem.memory_bytes > 0
    graph = (problem.indptr, problem.indices, _snapshots(problem.weight_s))
    _search(*graph, hosts, reach_s, UNREACHABLE_S, satellite, delay_s)
    return Nearby(satellite=satellite, delay_s=delay_s)


def _snapshots(weight_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Delays of links to search on: a single snapshot, as expected, where links fail at random.

    They do if how often each is up differs from link to link no more than by chance. Which of them
    were down in the planning snapshots then says nothing of those to come, and a search would only
    learn it by heart.
    """
    up = np.isfinite(weight_s)
    times = up.sum(axis=0)
    ever = times > 0
    snapshots = len(weight_s)
    share = times[ever] / snapshots
    if not ever.any() or share.var() > 2.0 * share.mean() * (1.0 - share.mean()) / snapshots:
        return weight_s
    mean_s = np.where(up, weight_s, 0.0).sum(axis=0)[ever] / times[ever]
    found = np.full((1, weight_s.shape[1]), np.inf)
    # A detour round a link that is down takes two more.
    found[0, ever] = mean_s + (1.0 - share.mean()) * 2.0 * np.median(mean_s)
    return found


@numba.njit(cache=True)
def _search(indptr, indices, weight_s, hosts, reach_s, unreachable_s, satellite, mean_s):  # type: ignore[no-untyped-def]
    """Mean delays from every host to those around it."""
    snapshots, n = weight_s.shape[0], hosts.shape[0]
    delay_s = np.full(n, np.inf)
    total_s = np.zeros(n)
    met = np.zeros(n, np.int64)
    seen, ever = np.empty(n, np.int64), np.empty(n, np.int64)
    queued, queue = np.zeros(n, np.bool_), np.empty(n + 1, np.int64)
    for source in np.flatnonzero(hosts):
        known = 0
        for t in range(snapshots):
            count = _reach(
                indptr, indices, weight_s[t], source, reach_s, delay_s, seen, queued, queue
            )
            for s in seen[:count]:
                if hosts[s] and met[s] == 0:
                    ever[known] = s
                    known += 1
                if hosts[s]:
                    met[s] += 1
                    total_s[s] += min(delay_s[s], unreachable_s)
                delay_s[s] = np.inf
        found = np.empty(known)
        for i, s in enumerate(ever[:known]):
            found[i] = (total_s[s] + (snapshots - met[s]) * unreachable_s) / snapshots
            total_s[s], met[s] = 0.0, 0
        for place, i in enumerate(np.argsort(found)[: satellite.shape[1]]):
            satellite[source, place] = ever[i]
            mean_s[source, place] = found[i]


@numba.njit(cache=True)
def _reach(indptr, indices, weight_s, source, reach_s, delay_s, seen, queued, queue):  # type: ignore[no-untyped-def]
    """Delays within reach of a satellite by label-correcting (see `twin.network.routing`).

    How many satellites were seen; all arrays are as they were but for `delay_s` of these.
    """
    n = delay_s.shape[0]
    delay_s[source] = 0.0
    seen[0], count = source, 1
    queue[0], first, last = source, 0, 1
    while first != last:
        s = queue[first]
        first = first + 1 if first < n else 0
        queued[s] = False
        for entry in range(indptr[s], indptr[s + 1]):
            other = indices[entry]
            through_s = delay_s[s] + weight_s[entry]
            if through_s > reach_s or through_s >= delay_s[other]:
                continue
            if delay_s[other] == np.inf:
                seen[count] = other
                count += 1
            delay_s[other] = through_s
            if not queued[other]:
                queued[other] = True
                queue[last] = other
                last = last + 1 if last < n else 0
    return count


@numba.njit(cache=True)
def between(satellite, delay_s, members, found_s):  # type: ignore[no-untyped-def]
    """`Nearby.between`, into `found_s`."""
    m = members.shape[0]
    place = {np.int32(-1): -1}
    for i in range(m):
        place[members[i]] = i
    found_s[:] = np.inf
    for i in range(m):
        for k, s in enumerate(satellite[members[i]]):
            if s in place and s >= 0:
                found_s[i, place[s]] = delay_s[members[i], k]
    if not np.isfinite(found_s).all():
        _over_members(found_s)
    # Both directions of a link take the same time; rounding aside, so do ways.
    found_s[:] = np.minimum(np.minimum(found_s, found_s.T.copy()), UNREACHABLE_S)


@numba.njit(cache=True)
def _over_members(delay_s):  # type: ignore[no-untyped-def]
    """Shortest ways over others (Floyd and Warshall), in place."""
    m = delay_s.shape[0]
    for k in range(m):
        for i in range(m):
            way_s = delay_s[i, k]
            if way_s < np.inf:
                for j in range(m):
                    delay_s[i, j] = min(delay_s[i, j], way_s + delay_s[k, j])
