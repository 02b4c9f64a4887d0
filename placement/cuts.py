"""How often a token's experts meet on one satellite at least, however they are spread over two."""

import itertools

import numpy as np
from numpy.typing import NDArray

from placement.problem import PlacementProblem
from twin.moe.selection import pair_probabilities

_CUT_EXPERTS = 12
"""Experts up to which all cuts are tried."""


def meeting_share(problem: PlacementProblem) -> NDArray[np.float64]:
    """Least share of tokens whose two experts meet, whichever way two satellites share them, (L,).

    0 where it is not known: beyond top-2, or too many experts to try all cuts.
    """
    layers, experts = problem.activation.shape
    if problem.top_k != 2 or experts > _CUT_EXPERTS:
        return np.zeros(layers)
    pairs = pair_probabilities(problem.probability)
    least = np.ones(layers)
    for side in itertools.product((False, True), repeat=experts - 1):
        here = np.array([False, *side])
        across = pairs[:, here][:, :, ~here].sum(axis=(1, 2))
        least = np.minimum(least, 1.0 - across)
    return np.maximum(least, 0.0)
