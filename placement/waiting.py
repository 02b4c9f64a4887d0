"""How long work waits at a satellite on average: an approximation for the objective.

Every satellite is taken by itself as an M/G/1 queue (Pollaczek and Khinchine):

    W = lambda E[S^2] / (2 (1 - rho)),   rho = lambda E[S],

where work arrives lambda times a second and takes S: that of the gateways and experts on the
satellite, and of the LM head on the first gateway's, each as often as tokens need it. A chunk of a
prompt is one piece of work, at an expert with as many tokens as choose it. Real arrivals are not
Poisson: they come in clumps from other satellites, and what waits may be served together.
"""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from placement.filling import FLOOR, Limits
from placement.problem import PlacementProblem

OVERLOADED_S = 1e6
"""Waiting, times rho, where more is asked than a satellite can do: longer than any other wait, so
that such a placement is taken only if all are such, and then that with the least rho."""

_RUNGS = 5
"""Limits to how busy a satellite may be that a search tries, beside none."""

_BUSIEST = 0.95
"""The loosest of them."""


def waiting_s(
    problem: PlacementProblem, gateway: NDArray[np.int32], host: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Mean waiting at each satellite before a part of a token's way is served, (N,).

    Parameters
    ----------
    problem : PlacementProblem
        Whose ``rate_per_s`` are asked; all of a gateway's work counts (``stage_s``).
    gateway : (L,) int32
    host : (L, E) int32
    """
    at = np.concatenate([gateway, gateway[:1], host.ravel()])
    takes_s, share, together = _work(problem)
    busy_s = share * takes_s / np.maximum(problem.speed[at], 1e-12)
    squared_s2 = busy_s**2 / np.maximum(share, 1e-12) * together
    n, rate = problem.n_satellites, problem.rate_per_s
    rho = rate * np.bincount(at, weights=busy_s, minlength=n)
    squared_s = rate * np.bincount(at, weights=squared_s2, minlength=n)
    with np.errstate(divide="ignore", invalid="ignore"):
        waits_s = np.minimum(squared_s / (2.0 * (1.0 - rho)), OVERLOADED_S)
    return np.where(rho < 1.0, waits_s, OVERLOADED_S * rho)


def _work(
    problem: PlacementProblem,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """What gateways, the head and experts take; how often a token needs them; with how many more.

    Seconds at full speed. Of c tokens that go together, Binomial(c, a) choose an expert that one
    chooses with probability a: each of these has a (c - 1) others with it. The head makes single
    tokens.
    """
    layers, activation = problem.n_layers, problem.activation.ravel()
    takes_s = np.concatenate(
        [problem.stage_s, [problem.head_s], np.full(activation.size, problem.expert_s)]
    )
    share = np.concatenate([np.ones(layers), [problem.head_share], activation])
    together = 1.0 + (problem.group_tokens - 1.0) * share
    together[layers] = 1.0
    return takes_s, share, together


def rungs(problem: PlacementProblem, limit: Limits) -> list[Limits]:
    """Limits to search under: the one given, and such as keep satellites less and less busy.

    From almost all of the time down to what the largest gateway needs. Where waiting does not
    count, only the one given.
    """
    demand = problem.rate_per_s
    if not problem.waiting or not demand:
        return [limit]
    gateway = limit.gateway.copy()
    gateway[:, FLOOR] = problem.demand_s
    able = limit.capacity[:, 0] >= problem.gateway_bytes
    least = demand * problem.stage_s.max() / max(problem.speed[able].max(initial=0.0), 1e-12)
    if not 0.0 < least < _BUSIEST:
        return [limit]
    found = [limit]
    for busy in np.geomspace(_BUSIEST, least * (1.0 + 1e-9), _RUNGS):
        capacity = limit.capacity.copy()
        capacity[:, FLOOR] = np.minimum(capacity[:, FLOOR], busy * problem.speed / demand)
        found.append(dataclasses.replace(limit, gateway=gateway, capacity=capacity))
    return found
