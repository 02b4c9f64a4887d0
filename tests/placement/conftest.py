import numpy as np
import pytest

from placement.problem import PlacementProblem


def grid_problem(
    *,
    planes=5,
    slots=8,
    layers=8,
    experts=4,
    snapshots=3,
    seed=0,
    memory_bytes=100.0,
    gateway_bytes=10.0,
    expert_bytes=20.0,
    experts_per_satellite=1,
    experts_on_gateway=False,
    down=0.05,
) -> PlacementProblem:
    """A +Grid with an open seam and random delays: arrays alone, no orbits."""
    rng = np.random.default_rng(seed)
    n = planes * slots
    plane, slot = np.divmod(np.arange(n), slots)
    links = [(i, i - i % slots + (i + 1) % slots) for i in range(n)]
    links += [(i, i + slots) for i in range(n - slots)]
    a, b = np.array(links).T
    tail, head = np.r_[a, b], np.r_[b, a]
    order = np.lexsort((head, tail))
    delay = rng.uniform(1e-3, 5e-3, (snapshots, len(a)))
    delay[rng.random(delay.shape) < down] = np.inf
    weights = rng.random((layers, experts)) + 0.1
    activation = 2 * weights / weights.sum(axis=1, keepdims=True)
    return PlacementProblem(
        plane=plane.astype(np.int32),
        ring_position=slot / slots,
        indptr=np.searchsorted(tail[order], np.arange(n + 1)).astype(np.int32),
        indices=head[order].astype(np.int32),
        weight_s=np.ascontiguousarray(np.hstack([delay, delay])[:, order]),
        activation=activation,
        memory_bytes=np.full(n, memory_bytes),
        gateway_bytes=gateway_bytes,
        expert_bytes=expert_bytes,
        experts_per_satellite=experts_per_satellite,
        experts_on_gateway=experts_on_gateway,
    )


@pytest.fixture(scope="session")
def make_problem():
    return grid_problem
