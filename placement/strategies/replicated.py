"""Further copies against faults: standby gateways, and experts on several satellites."""

import numpy as np

from placement.copies import add_copies
from placement.filling import limits
from placement.problem import Placement, PlacementProblem
from placement.strategies.joint import joint


def replicated(
    problem: PlacementProblem,
    *,
    rng: np.random.Generator,
    copies: int = 2,
    standbys: int = 1,
    budget: float = 1.0,
    min_tokens_per_s: float = 0.0,
    busy_margin: float = 0.8,
) -> Placement:
    """`joint`, then standbys for every layer and further hosts for experts, hottest first.

    Parameters
    ----------
    problem : PlacementProblem
    rng : numpy.random.Generator
        Passed on.
    copies : int
        Hosts of each expert in all.
    standbys : int
        Satellites that can take over a layer's gateway.
    budget : float
        Memory for copies, as a multiple of what the model takes once.
    min_tokens_per_s, busy_margin : float
        As in `joint`.
    """
    first = joint(problem, rng=rng, min_tokens_per_s=min_tokens_per_s, busy_margin=busy_margin)
    limit = limits(
        problem, min_tokens_per_s=min_tokens_per_s, busy_margin=busy_margin, spread=False
    )
    return add_copies(
        problem,
        limit,
        first,
        standbys=int(standbys),
        copies=int(copies),
        budget_bytes=budget * problem.model_bytes,
    )
