import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from twin.network.routing import path, shortest_paths


def random_graph(seed: int, n: int, n_edges: int, down: float):
    """A symmetric CSR skeleton with some links down, and the links that are up."""
    rng = np.random.default_rng(seed)
    pairs = {tuple(sorted(rng.choice(n, 2, replace=False).tolist())) for _ in range(n_edges)}
    weights = {
        pair: np.inf if rng.random() < down else rng.uniform(0.001, 0.02) for pair in sorted(pairs)
    }
    rows = sorted(
        [(a, b, w) for (a, b), w in weights.items()] + [(b, a, w) for (a, b), w in weights.items()]
    )
    tail = np.array([r[0] for r in rows])
    indptr = np.searchsorted(tail, np.arange(n + 1)).astype(np.int32)
    indices = np.array([r[1] for r in rows], np.int32)
    weight_s = np.array([r[2] for r in rows])
    return indptr, indices, weight_s, {p: w for p, w in weights.items() if np.isfinite(w)}


graphs = st.builds(
    random_graph,
    st.integers(0, 2**31),
    st.integers(2, 40),
    st.integers(1, 120),
    st.floats(0, 0.6),
)


@settings(max_examples=60, deadline=None)
@given(graphs, st.integers(0, 2**31))
def test_delays_equal_those_of_dijkstra(graph, seed):
    indptr, indices, weight_s, up = graph
    n = len(indptr) - 1
    sources = np.random.default_rng(seed).integers(0, n, 3).astype(np.int32)
    delay_s, _ = shortest_paths(indptr, indices, weight_s, sources)
    a, b = (np.array([p[i] for p in up], int) for i in (0, 1))
    w = np.array(list(up.values()))
    oracle = dijkstra(
        csr_array((np.r_[w, w], (np.r_[a, b], np.r_[b, a])), shape=(n, n)), indices=sources
    )
    np.testing.assert_allclose(delay_s, oracle, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(graphs)
def test_paths_use_links_that_are_up_and_add_up_to_the_delay(graph):
    indptr, indices, weight_s, up = graph
    delay_s, predecessor = shortest_paths(indptr, indices, weight_s, np.array([0], np.int32))
    network = nx.Graph()
    network.add_nodes_from(range(len(indptr) - 1))
    network.add_weighted_edges_from((a, b, w) for (a, b), w in up.items())
    reachable = nx.node_connected_component(network, 0)
    for target in range(len(indptr) - 1):
        assert np.isfinite(delay_s[0, target]) == (target in reachable)
        nodes = path(predecessor[0], target)
        if target in reachable:
            assert nodes[0] == 0
            length = sum(network[a][b]["weight"] for a, b in itertools.pairwise(nodes))
            assert length == pytest.approx(delay_s[0, target], rel=1e-12)
        else:
            assert nodes == [target]
