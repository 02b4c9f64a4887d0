import numpy as np
import pytest

from placement.problem import PlacementProblem
from twin.moe.selection import inclusion_probabilities


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
    probability = weights / weights.sum(axis=1, keepdims=True)
    return PlacementProblem(
        plane=plane.astype(np.int32),
        ring_position=slot / slots,
        indptr=np.searchsorted(tail[order], np.arange(n + 1)).astype(np.int32),
        indices=head[order].astype(np.int32),
        weight_s=np.ascontiguousarray(np.hstack([delay, delay])[:, order]),
        entry_share=np.zeros((snapshots, n)),
        probability=probability,
        top_k=2,
        activation=inclusion_probabilities(probability, 2),
        memory_bytes=np.full(n, memory_bytes),
        gateway_bytes=gateway_bytes,
        expert_bytes=expert_bytes,
        kv_bytes=0.0,
        expert_s=0.004,
        gateway_s=np.zeros(layers),
        stage_s=np.full(layers, 0.01),
        head_s=0.0,
        head_share=0.0,
        transfer_s=1e-6,
        speed=np.ones(n),
        busy_limit=np.ones(n),
        sunlit=np.ones(n),
        rate_per_s=0.0,
        group_tokens=1.0,
        waiting=False,
        compute_w=100.0,
        availability=1.0,
        current=None,
        experts_per_satellite=experts_per_satellite,
        experts_on_gateway=experts_on_gateway,
    )


@pytest.fixture(scope="session")
def make_problem():
    return grid_problem
