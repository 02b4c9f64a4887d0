"""What a placement costs in expectation over the planning snapshots."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placement.delays import mean_way_s
from placement.problem import (
    Placement,
    PlacementProblem,
    memory_used_bytes,
    serving_copies,
    serving_gateways,
)
from placement.scoring import scorer
from twin.moe.copies import expected_soonest
from twin.moe.expectation import ExpectedLatency, expected_latency, expected_product
from twin.moe.latency import ComputeTimes
from twin.network.routing import shortest_paths

LOST_S = 10.0
"""Cost of a lost token in an objective, s: a user would rather wait that long."""

_DRAWS = 20_000
"""Tokens drawn, each with its own faults, to estimate availability."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Expectations for one placement.

    Attributes
    ----------
    latency_s : float
        Mean over the draw of experts and the planning snapshots, of tokens served. Every expert's
        nearest copy serves, or that which tokens choose (`choose_from`); exact, but for tokens
        that choose copies for more than two experts (`twin.moe.copies`).
    served : float
        Chance that links let a token reach all it needs.
    throughput_per_s : float
        Tokens a second of the busiest satellite, all of a layer's work counted.
    energy_per_token_j : float
        Energy of computing one token, idle power not counted.
    memory_bytes : float
        All copies together.
    fullest : float
        Memory of the fullest satellite, as a share of what it has.
    availability : float
        Chance that faults leave a copy of all that a token needs, links aside.
    availability_ci95 : float
        Half width of its 95 % interval: drawn with `_DRAWS` tokens where it is not exact (0).
    """

    latency_s: float
    served: float
    throughput_per_s: float
    energy_per_token_j: float
    memory_bytes: float
    fullest: float
    availability: float
    availability_ci95: float


def cost(problem: PlacementProblem, placement: Placement) -> Cost:
    """Evaluate a placement in full."""
    latency_s, served = _latency(problem, placement)
    used = memory_used_bytes(problem, placement)
    has = problem.memory_bytes
    work_s = float(problem.stage_s.sum() + problem.activation.sum() * problem.expert_s)
    free, free_ci95 = availability(problem, placement)
    return Cost(
        latency_s=latency_s,
        served=served,
        throughput_per_s=1.0 / float(busy_s(problem, placement, problem.stage_s).max()),
        energy_per_token_j=work_s * problem.compute_w,
        memory_bytes=float(used.sum()),
        fullest=float((used[has > 0] / has[has > 0]).max()),
        availability=free,
        availability_ci95=free_ci95,
    )


def busy_s(
    problem: PlacementProblem, placement: Placement, gateway_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Time that a token keeps each satellite busy on average, (N,).

    First copies only; where tokens choose, the first copies to choose from, evenly. `gateway_s`
    (L,) says what counts as a gateway's work: ``problem.stage_s`` for all of it.
    """
    n = problem.n_satellites
    busy = np.bincount(placement.gateway, weights=gateway_s, minlength=n)
    hosts, share = serving_copies(placement, problem.choose_from)
    expert_s = problem.activation[..., None] * problem.expert_s * share
    busy += np.bincount(hosts.ravel(), weights=expert_s.ravel(), minlength=n)
    return np.asarray(busy / np.maximum(problem.speed, 1e-12))


def objective_s(problem: PlacementProblem, placement: Placement) -> float:
    """Seconds a token on mean delays, lost tokens counted as `LOST_S`: to compare placements.

    With the expected waiting for busy satellites where the problem says so (`placement.waiting`).
    A satellite that is off loses all tokens that need it. A satellite with more work than its power
    allows loses the share that is too much.
    """
    usable = (problem.memory_bytes > 0) & (problem.busy_limit > 0)
    gateway = serving_gateways(placement, usable)
    way_s = mean_way_s(problem, gateway)
    through_s = way_s + np.roll(way_s, -1, axis=0)
    copies = placement.copies
    layers = len(copies)
    by_way_s = through_s[np.arange(layers)[:, None, None], np.maximum(copies, 0)]
    by_way_s = np.where((copies >= 0) & usable[copies], by_way_s, np.inf)
    nearest = by_way_s.argmin(axis=2)
    host = np.take_along_axis(copies, nearest[..., None], axis=2)[..., 0]
    serving = Placement(gateway=gateway, expert=host)
    asked_s = busy_s(problem, serving, problem.demand_s)
    asked = (asked_s + problem.taken_s / np.maximum(problem.speed, 1e-12)) * problem.rate_per_s
    limit = np.where(usable, problem.busy_limit, 0.0)
    n = problem.n_satellites
    visits = np.bincount(host.ravel(), weights=problem.activation.ravel(), minlength=n)
    visits += np.bincount(gateway, minlength=n)
    with np.errstate(divide="ignore", invalid="ignore"):
        too_much = np.where(asked > limit, 1.0 - limit / asked, 0.0)
    too_much = np.where(usable, too_much, 1.0)
    kept = np.prod(1.0 - too_much * np.minimum(visits, 1.0))
    return scorer(problem)(way_s, gateway, host) + LOST_S * float(1.0 - kept)


def availability(problem: PlacementProblem, placement: Placement) -> tuple[float, float]:
    """Chance that every gateway and chosen expert has a copy without fault, and its 95 % interval.

    Exact where every satellite hosts one thing; else drawn: tokens with independent faults.
    """
    if problem.availability >= 1.0:
        return 1.0, 0.0
    all_hosts = np.concatenate([placement.gateways.ravel(), placement.copies.ravel()])
    if np.unique(all_hosts[all_hosts >= 0], return_counts=True)[1].max() == 1:
        return _availability_apart(problem, placement), 0.0
    rng = np.random.default_rng(0)
    layers, experts = problem.activation.shape
    with np.errstate(divide="ignore"):
        weight = np.log(problem.probability)
    hosts, gateways = placement.copies, placement.gateways
    satellites = np.unique(np.concatenate([hosts.ravel(), gateways.ravel()]))
    place = np.zeros(problem.n_satellites + 1, int)
    place[satellites] = np.arange(len(satellites))
    served = 0
    batch = max(1, 2_000_000 // (layers * experts))
    for first in range(0, _DRAWS, batch):
        tokens = min(batch, _DRAWS - first)
        up = rng.random((tokens, len(satellites))) < problem.availability
        up[:, place[-1]] &= satellites[0] >= 0  # -1 is no copy
        drawn = np.argpartition(
            -(weight + rng.gumbel(size=(tokens, layers, experts))), problem.top_k - 1
        )
        chosen = drawn[..., : problem.top_k]
        of_chosen = hosts[np.arange(layers)[:, None], chosen]
        there = (
            up[np.arange(tokens)[:, None, None, None], place[of_chosen]]
            .any(axis=3)
            .all(axis=(1, 2))
        )
        there &= up[:, place[gateways]].any(axis=2).all(axis=1)
        served += int(there.sum())
    share = served / _DRAWS
    return share, 1.96 * float(np.sqrt(max(share * (1 - share), 1 / _DRAWS) / _DRAWS))


def _availability_apart(problem: PlacementProblem, placement: Placement) -> float:
    """The same where all faults are independent: layer by layer, exactly."""
    off = 1.0 - problem.availability
    gateway_up = 1.0 - off ** (placement.gateways >= 0).sum(axis=1)
    expert_up = np.asarray(1.0 - off ** (placement.copies >= 0).sum(axis=2), np.float64)
    chosen_up = expected_product(problem.probability, problem.top_k, expert_up)
    return float(np.prod(gateway_up * chosen_up))


def _latency(problem: PlacementProblem, placement: Placement) -> tuple[float, float]:
    """Exact mean latency of tokens served, and share served, over the snapshots."""
    if min(problem.choose_from, placement.copies.shape[2]) > 1:
        return _latency_by_choice(problem, placement)
    copies = placement.copies
    layers = np.arange(problem.n_layers)[:, None, None]
    paths, hosts = [], []
    for weight_s in problem.weight_s:
        delay_s = shortest_paths(problem.indptr, problem.indices, weight_s, placement.gateway)[0]
        legs = np.stack([delay_s, np.roll(delay_s, -1, axis=0)])
        legs = legs + problem.transfer_s * (legs > 0)
        by_copy = legs.sum(axis=0)[layers, np.maximum(copies, 0)]
        by_copy = np.where(copies >= 0, by_copy, np.inf)
        nearest = by_copy.argmin(axis=2)[..., None]
        paths.append(np.take_along_axis(by_copy, nearest, axis=2)[..., 0])
        hosts.append(np.take_along_axis(copies, nearest, axis=2)[..., 0])
    speed = problem.speed
    found = [
        expected_latency(
            path,
            host,
            problem.probability,
            problem.top_k,
            ComputeTimes(expert_s=problem.expert_s, gateway_s=problem.gateway_s).at_speed(
                speed[host], speed[placement.gateway]
            ),
        )
        for path, host in zip(paths, hosts, strict=True)
    ]
    return _averaged(found)


def _latency_by_choice(problem: PlacementProblem, placement: Placement) -> tuple[float, float]:
    """The same where tokens choose among copies."""
    copies = placement.copies
    layers, experts, width = copies.shape
    hosts = np.where(copies < 0, copies[..., :1], copies)
    speed, column = problem.speed, np.arange(experts * width).reshape(experts, width)
    times = ComputeTimes(expert_s=problem.expert_s, gateway_s=problem.gateway_s)
    compute = times.at_speed(speed[hosts.reshape(layers, -1)], speed[placement.gateway])
    found = []
    for weight_s in problem.weight_s:
        delay_s = shortest_paths(problem.indptr, problem.indices, weight_s, placement.gateway)[0]
        legs = np.stack([delay_s, np.roll(delay_s, -1, axis=0)])
        legs = legs + problem.transfer_s * (legs > 0)
        path_s = legs.sum(axis=0)[np.arange(layers)[:, None, None], hosts]
        path_s = np.where(copies >= 0, path_s, np.inf)
        order = np.argsort(path_s, axis=2, kind="stable")
        found.append(
            expected_soonest(
                path_s.reshape(layers, -1),
                hosts.reshape(layers, -1),
                np.take_along_axis(np.broadcast_to(column, copies.shape), order, axis=2)[
                    ..., : problem.choose_from
                ],
                problem.probability,
                problem.top_k,
                compute,
            )
        )
    return _averaged(found)


def _averaged(found: list[ExpectedLatency]) -> tuple[float, float]:
    """Mean latency of tokens served, and share served, of several snapshots."""
    served = np.array([float(f.served_probability) for f in found])
    mean_s = np.array([float(f.mean_s) for f in found])
    if not served.any():
        return float("nan"), 0.0
    return float(np.average(np.nan_to_num(mean_s), weights=served)), float(served.mean())


def gateway_delay_s(problem: PlacementProblem, gateway: NDArray[np.int32]) -> NDArray[np.float64]:
    """Delay from each gateway to every satellite in each planning snapshot, (T, L, N)."""
    return np.stack(
        [
            shortest_paths(problem.indptr, problem.indices, weight_s, gateway)[0]
            for weight_s in problem.weight_s
        ]
    )


def expected_path_s(
    problem: PlacementProblem, gateway: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Expected path latency through each satellite, E_t[d(g_l, s) + d(s, g_{l+1})].

    Source: arXiv 2605.00515, expert placement; the last layer hands over to the first.

    Returns
    -------
    mean_s : (L, N) float64
        Mean over the snapshots in which the path exists, ``inf`` if it never does.
    reachable : (L, N) float64
        Share of the snapshots in which it exists.
    """
    delay_s = gateway_delay_s(problem, gateway)
    path_s = delay_s + np.roll(delay_s, -1, axis=1)
    exists = np.isfinite(path_s)
    count = exists.sum(axis=0)
    total = np.where(exists, path_s, 0.0).sum(axis=0)
    mean_s = np.where(count > 0, total / np.maximum(count, 1), np.inf)
    return mean_s, count / len(delay_s)
