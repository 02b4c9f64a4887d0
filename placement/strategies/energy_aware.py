"""Latency against energy: only what batteries and sunlight can carry until the horizon."""

import dataclasses

import numpy as np

from placement.filling import limits
from placement.problem import Placement, PlacementProblem
from placement.ring_search import best_ring, prepare
from twin.errors import InputError


def energy_aware(
    problem: PlacementProblem,
    *,
    rng: np.random.Generator,  # noqa: ARG001
    min_tokens_per_s: float = 0.0,
    busy_margin: float = 0.8,
    reserve: float = 0.1,
    refine: int = 300,
) -> Placement:
    """`joint` on satellites that can compute for as long as the forecast reaches.

    Parameters
    ----------
    problem : PlacementProblem
    rng : numpy.random.Generator
        Not used.
    min_tokens_per_s, busy_margin, refine
        As in `joint`.
    reserve : float
        Share of the time that stays free beyond what the forecast needs. Where no ring fits,
        half of it is tried, then none.
    """
    able = problem.busy_limit > 0.0
    problem = dataclasses.replace(problem, memory_bytes=np.where(able, problem.memory_bytes, 0.0))
    field = None
    for kept in (reserve, reserve / 2, 0.0):
        spared = dataclasses.replace(problem, busy_limit=np.maximum(problem.busy_limit - kept, 0.0))
        limit = limits(
            spared, min_tokens_per_s=min_tokens_per_s, busy_margin=busy_margin, spread=False
        )
        field = prepare(spared, limit) if field is None else field.under(limit)
        try:
            return best_ring(field, refine=refine)
        except InputError:
            continue
    raise InputError(
        "energy-aware: no ring that batteries and sunlight could carry until the horizon; ask for "
        "fewer tokens, or take larger batteries"
    )
