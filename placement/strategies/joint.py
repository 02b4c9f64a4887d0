"""Gateways, their ring and the experts around it chosen together."""

import dataclasses

import numpy as np

from placement.filling import limits
from placement.problem import Placement, PlacementProblem
from placement.ring_search import best_ring, prepare


def joint(
    problem: PlacementProblem,
    *,
    rng: np.random.Generator,  # noqa: ARG001
    min_tokens_per_s: float = 0.0,
    busy_margin: float = 0.8,
    spread: bool = False,
    anchor: float = 0.0,
    refine: int = 300,
) -> Placement:
    """Search rings round the orbit and folded ones, of one or several layers a satellite.

    It does not look at power; `energy_aware` does. Experts go on the way: to both gateways of
    their layer, as far as memory and compute reach, where they meet no detour and share their
    compute with half as many others. Where waiting counts (`placement.waiting`), satellites are
    also kept less and less busy, and what is fastest with it is taken.

    Parameters
    ----------
    problem : PlacementProblem
    rng : numpy.random.Generator
        Not used.
    min_tokens_per_s : float
        Throughput that no satellite may fall below, all of a layer's work counted; 0 for none.
    busy_margin : float
        Share of a satellite's time that the demand may take on average.
    spread : bool
        Whether to keep to the scenario's spreading rule (``experts_per_satellite``,
        ``experts_on_gateway``), as the paper's strategies do.
    anchor : float
        Weight of the users' way to the first gateway and back, which a first token takes, beside
        the latency of every token.
    refine : int
        Moves of gateways to try on the best ring.
    """
    problem = dataclasses.replace(problem, busy_limit=np.ones(problem.n_satellites))
    limit = limits(
        problem, min_tokens_per_s=min_tokens_per_s, busy_margin=busy_margin, spread=spread
    )
    return best_ring(prepare(problem, limit, anchor=anchor), refine=refine)
