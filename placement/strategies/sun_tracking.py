"""The sunniest column of the constellation, whatever the batteries say."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from placement.filling import limits
from placement.problem import Placement, PlacementProblem
from placement.ring_search import best_ring, prepare
from twin.errors import InputError


def sun_tracking(
    problem: PlacementProblem,
    *,
    rng: np.random.Generator,  # noqa: ARG001
    min_tokens_per_s: float = 0.0,
    busy_margin: float = 0.8,
    refine: int = 300,
) -> Placement:
    """`joint` in the sunniest planes only: an eclipse-free column where there is one.

    Planes are taken in order of their share of sunlight until a ring fits.

    Parameters
    ----------
    problem : PlacementProblem
    rng : numpy.random.Generator
        Not used.
    min_tokens_per_s, busy_margin, refine
        As in `joint`.
    """
    lit = _plane_mean(problem.plane, problem.sunlit)
    blind = dataclasses.replace(problem, busy_limit=np.ones(problem.n_satellites))
    limit = limits(blind, min_tokens_per_s=min_tokens_per_s, busy_margin=busy_margin, spread=False)
    field = prepare(blind, limit)
    for darkest in np.unique(lit[problem.memory_bytes > 0].round(6))[::-1]:
        usable = lit >= darkest - 1e-6
        column = dataclasses.replace(limit, capacity=limit.capacity * usable[:, None])
        try:
            return best_ring(field.under(column), refine=refine)
        except InputError:
            continue
    raise InputError("sun-tracking: no ring fits; see what joint says")


def _plane_mean(plane: NDArray[np.int32], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of a plane's satellites, for each of them, (N,)."""
    total = np.bincount(plane, weights=value) / np.maximum(np.bincount(plane), 1)
    return np.asarray(total[plane])
