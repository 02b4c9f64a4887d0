"""Simulated annealing over the gateways, experts placed again after every move."""

import numpy as np
from numpy.typing import NDArray

from placement.filling import limits
from placement.problem import Placement, PlacementProblem
from placement.ring_search import Field, best_tour, improve, prepare


def local_search(
    problem: PlacementProblem,
    *,
    rng: np.random.Generator,
    min_tokens_per_s: float = 0.0,
    busy_margin: float = 0.8,
    spread: bool = False,
    moves: int = 4000,
    start_heat: float = 0.003,
) -> Placement:
    """Start from `joint`'s ring and move single gateways at random, worse moves less and less.

    Parameters
    ----------
    problem : PlacementProblem
    rng : numpy.random.Generator
        Draws the moves.
    min_tokens_per_s, busy_margin, spread
        As in `joint`.
    moves : int
        How many to try.
    start_heat : float
        Loss that is as likely taken as not at the start, as a share of the latency.
    """
    limit = limits(
        problem, min_tokens_per_s=min_tokens_per_s, busy_margin=busy_margin, spread=spread
    )
    field, ring = best_tour(prepare(problem, limit))
    return improve(field, _anneal(field, ring, rng, int(moves), start_heat), refine=300)


def _anneal(
    field: Field,
    gateway: NDArray[np.int32],
    rng: np.random.Generator,
    moves: int,
    start_heat: float,
) -> NDArray[np.int32]:
    problem = field.problem
    now_s = best_s = field.host(gateway)[0]
    best = gateway
    for move in range(moves):
        heat_s = best_s * start_heat * (1.0 - move / moves) / np.log(2.0)
        layer = rng.integers(problem.n_layers)
        around = problem.indices[
            problem.indptr[gateway[layer]] : problem.indptr[gateway[layer] + 1]
        ]
        # To a linked satellite, or to that of a neighbouring layer.
        beside = gateway[[layer - 1, (layer + 1) % problem.n_layers]]
        moved = gateway.copy()
        moved[layer] = rng.choice(np.concatenate([around, beside]))
        moved_s = field.host(moved)[0]
        if moved_s < now_s or rng.random() < np.exp((now_s - moved_s) / max(heat_s, 1e-12)):
            gateway, now_s = moved, moved_s
        if now_s < best_s:
            best, best_s = gateway, now_s
    return best
