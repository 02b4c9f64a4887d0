"""Learning how often experts are activated, from the choices of tokens."""

import math

import numpy as np
from numpy.typing import NDArray

from twin.moe.selection import fit_weights

FloatArray = NDArray[np.float64]

FLOOR = 1e-3
"""Share of all choices that is spread evenly where weights are fitted. Experts not seen lately
keep a weight, and no weight becomes infinite."""


class ActivationEstimate:
    """How often each expert is activated, with older observations forgotten exponentially.

    Parameters
    ----------
    prior : (L, E) float
        Probability that a token activates each expert before anything is observed; rows sum to K.
    top_k : int
        Experts a token activates in each layer.
    memory_s : float
        Time after which an observation counts for 1/e.

    Attributes
    ----------
    activation : (L, E) float
        The estimate; rows sum to K.
    """

    activation: FloatArray

    def __init__(self, prior: FloatArray, top_k: int, *, memory_s: float) -> None:
        self.activation = prior
        self._top_k = top_k
        self._memory_s = memory_s

    def observe(self, choices: NDArray[np.integer], elapsed_s: float) -> None:
        """Learn from the tokens of the last `elapsed_s`; without any, nothing is forgotten.

        Parameters
        ----------
        choices : (tokens, L, K) int
            Experts each token chose.
        elapsed_s : float
            Time that these tokens stand for, whatever their number.
        """
        if not len(choices):
            return
        layers, experts = self.activation.shape
        flat = choices + experts * np.arange(layers)[:, None]
        count = np.bincount(flat.ravel(), minlength=layers * experts).reshape(layers, experts)
        kept = math.exp(-elapsed_s / self._memory_s)
        self.activation = kept * self.activation + (1.0 - kept) * count / len(choices)

    @property
    def probability(self) -> FloatArray:
        """Router weights that give the estimate but for `FLOOR`, (L, E); rows sum to 1."""
        share = self.activation / self._top_k
        return fit_weights((1.0 - FLOOR) * share + FLOOR / share.shape[1], self._top_k)
