"""Rings to try on a tile: which satellites are gateways, and in which order."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from placement.circuits import circuit, thinned
from placement.filling import Limits
from placement.problem import PlacementProblem
from placement.ring_search import Field

_HOSTS = 4
"""Satellites that the experts of a layer are thought to be spread over, at most."""


def carries(problem: PlacementProblem, limit: Limits) -> NDArray[np.float64]:
    """What share of an instance each satellite could carry at most, (N,)."""
    takes = limit.gateway.sum(axis=0)
    takes += problem.n_layers * limit.expert @ [problem.n_experts, problem.top_k]
    share = (np.maximum(limit.capacity, 0.0) / np.maximum(takes, 1e-300)).min(axis=1)
    return np.asarray(np.minimum(share, 1.0))


def rings_of(field: Field, delay_s: NDArray[np.float64]) -> Iterator[NDArray[np.int32]]:
    """Gateways of every ring to try, (L,) each.

    Rings of as many stops as one layer each needs, or two, three ... a stop: evenly over a circuit
    of all members, and on those of them that make it shortest. Where gateways cannot host experts,
    hosts must be between them: then also rings on every other satellite, as on a chessboard.
    """
    layers, limit = field.problem.n_layers, field.limit
    strength = carries(field.problem, limit)
    order = circuit(delay_s)
    tried = set()
    for each in range(1, layers + 1):
        stops = min(-(-layers // each), len(order))
        able = (limit.capacity >= each * limit.gateway.max(axis=0) * (1 - 1e-9)).all(axis=1)
        if stops in tried or not able.any():
            continue
        tried.add(stops)
        yield _share_out(order[np.arange(stops) * len(order) // stops], layers, strength)
        if stops < len(order):
            yield _share_out(thinned(delay_s, order, stops), layers, strength)
        left = limit.capacity - each * limit.gateway.min(axis=0)
        takes = limit.expert @ [1.0, float(field.problem.activation.min())]
        if not (left >= takes).all(axis=1).any():
            for squares in _chessboard(field.problem):
                if stops <= squares.sum() < len(order):
                    ring = _between_hosts(field.problem, delay_s, squares, stops)
                    yield _share_out(ring, layers, strength)


def _share_out(
    ring: NDArray[np.int64], layers: int, strength: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Layers one after the other on the stops of a ring, as many on each as it is strong."""
    ends = strength[ring].cumsum()
    at = np.searchsorted(ends, (np.arange(layers) + 0.5) / layers * ends[-1])
    return np.asarray(ring[np.minimum(at, len(ring) - 1)], np.int32)


def _chessboard(problem: PlacementProblem) -> Iterator[NDArray[np.bool_]]:
    """Two ways of taking every other satellite: an even number of links from the first, or odd."""
    apart = np.full(problem.n_satellites, -1)
    while (apart < 0).any():
        edge = [int(apart.argmin())]
        apart[edge] = 0
        while edge:
            s = edge.pop(0)
            around = problem.indices[problem.indptr[s] : problem.indptr[s + 1]]
            new = around[apart[around] < 0]
            apart[new] = apart[s] + 1
            edge += new.tolist()
    yield apart % 2 == 0
    yield apart % 2 == 1


def _between_hosts(
    problem: PlacementProblem, delay_s: NDArray[np.float64], squares: NDArray[np.bool_], stops: int
) -> NDArray[np.int64]:
    """A ring on some members whose experts are on the others: the time of its layers counts."""
    gateways, hosts = np.flatnonzero(squares), np.flatnonzero(~squares)
    way_s = delay_s[np.ix_(gateways, hosts)]
    layer_s = np.empty((len(gateways), len(gateways)))
    count = np.arange(1, min(_HOSTS, len(hosts)) + 1)
    # Experts of one token meet on a satellite the less often the more there are.
    met = 1.0 + (problem.top_k - 1) / count
    for i, row in enumerate(way_s):
        through_s = np.sort(row + way_s, axis=1)[:, : len(count)]
        layer_s[i] = (through_s + met * problem.expert_s).min(axis=1)
    np.fill_diagonal(layer_s, 0.0)
    order = circuit(np.minimum(layer_s, layer_s.T))
    return gateways[thinned(layer_s, order, stops)]
