"""Tokens asked of the constellation: served, tried again, or lost with a cause."""

from dataclasses import dataclass
from enum import IntEnum

import numba
import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement
from twin.moe.latency import ComputeTimes, SampledLatency, sampled_latency
from twin.moe.sampling import Sampler


class Cause(IntEnum):
    """Why a token was not served; the first reason on its way counts."""

    NONE = 0
    DEAD = 1
    """A gateway or host without power."""
    UNREACHABLE = 2
    """No path between gateway and host."""
    REFUSED = 3
    """A host or gateway that was asked more than it can or will do."""
    UNSERVED = 4
    """A site without a satellite, or in the middle of a hand-over."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """What became of the tokens presented in a step: new ones and those tried again.

    Attributes
    ----------
    choices : (P, L, K) int32
        Experts each presented token needs.
    waited_s : (P,) float64
        Since each was first asked.
    latency : SampledLatency
        Of the tokens served, in their order, without the time they waited.
    cause : (P,) uint8
        `Cause`, none where served.
    asked, retried : int
        New tokens, and tokens tried again.
    lost : (len(Cause),) int64
        Tokens given up in this step, by cause.
    """

    choices: NDArray[np.int32]
    latency: SampledLatency
    waited_s: NDArray[np.float64]
    cause: NDArray[np.uint8]
    asked: int
    retried: int
    lost: NDArray[np.int64]

    @property
    def served(self) -> NDArray[np.bool_]:
        """Which presented tokens were served, (P,)."""
        return np.equal(self.cause, Cause.NONE)


class Service:
    """The queue of tokens to try again, and the rule: once a step, so many times, then lost.

    Parameters
    ----------
    sampler : Sampler
        Draws the experts of new tokens.
    retries : int
        How often a token is tried again.
    """

    def __init__(self, sampler: Sampler, *, retries: int) -> None:
        self._sampler = sampler
        self._retries = retries
        self._choices: NDArray[np.int32] | None = None
        self._origin = np.empty(0, np.int64)
        self._waited_s = np.empty(0)
        self._tries = np.empty(0, np.int64)

    def present(
        self,
        origin: NDArray[np.int64],
        probability: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Draw a new token of each origin; return the choices and origins of all that wait."""
        tokens = len(origin)
        fresh = self._sampler(probability, tokens, rng)
        waiting = self._choices
        self._choices = fresh if waiting is None else np.concatenate([waiting, fresh])
        self._origin = np.concatenate([self._origin, origin])
        self._waited_s = np.concatenate([self._waited_s, np.zeros(tokens)])
        self._tries = np.concatenate([self._tries, np.zeros(tokens, np.int64)])
        return self._choices, self._origin

    def serve(
        self,
        paths_s: NDArray[np.float64],
        placement: Placement,
        compute: ComputeTimes,
        cause: NDArray[np.uint8],
        step_s: float,
    ) -> Served:
        """Serve the presented tokens that nothing hinders, keep or give up the others.

        Parameters
        ----------
        paths_s : (L, E) float64
            Way through each expert, ``inf`` where there is none.
        placement : Placement
        compute : ComputeTimes
        cause : (P,) uint8
            What hinders each presented token.
        step_s : float
            How long a token waits before it is tried again.
        """
        choices = self._choices
        assert choices is not None  # present() comes first
        served = cause == Cause.NONE
        latency = sampled_latency(paths_s, placement.expert, choices[served], compute)
        again = ~served & (self._tries < self._retries)
        result = Served(
            choices=choices,
            latency=latency,
            waited_s=self._waited_s,
            cause=cause,
            asked=int((self._tries == 0).sum()),
            retried=int((self._tries > 0).sum()),
            lost=np.bincount(cause[~served & ~again], minlength=len(Cause)),
        )
        self._choices = choices[again] if again.any() else None
        self._origin = self._origin[again]
        self._waited_s = self._waited_s[again] + step_s
        self._tries = self._tries[again] + 1
        return result


def hindrance(
    choices: NDArray[np.int32],
    placement: Placement,
    paths_s: NDArray[np.float64],
    powered: NDArray[np.bool_],
    compute: ComputeTimes,
    budget_s: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """What hinders each token first on its way, (P,) of `Cause`.

    Tokens are admitted first come, first served: one goes on its way only if every gateway and
    host it needs has time left in this step, and takes that time from them.

    Parameters
    ----------
    choices : (P, L, K) int32
        Experts each token needs.
    placement : Placement
    paths_s : (L, E) float64
        Way through each expert, ``inf`` where there is none.
    powered : (N,) bool
        Satellites with power.
    compute : ComputeTimes
        At full speed.
    budget_s : (N,) float64
        Time at full speed that each satellite gives to these tokens.
    """
    gateway_dead = ~powered[placement.gateway]
    dead = ~powered[placement.expert] | (gateway_dead | np.roll(gateway_dead, -1))[:, None]
    block = np.where(dead, Cause.DEAD, np.where(np.isinf(paths_s), Cause.UNREACHABLE, Cause.NONE))
    cause: NDArray[np.uint8] = _admit(
        choices,
        placement.gateway,
        placement.expert,
        np.array(compute.gateway_s),
        np.array(np.broadcast_to(compute.expert_s, placement.expert.shape)),
        budget_s.copy(),
        block.astype(np.uint8),
    )
    return cause


@numba.njit(cache=True)
def _admit(choices, gateway, expert, gateway_s, expert_s, budget_s, block):  # type: ignore[no-untyped-def]
    tokens, layers, top_k = choices.shape
    cause = np.zeros(tokens, np.uint8)
    for t in range(tokens):
        # Take what the token needs; give it back if it cannot go all the way.
        reached = layers
        for layer in range(layers):
            budget_s[gateway[layer]] -= gateway_s[layer]
            refused = budget_s[gateway[layer]] < 0.0
            for k in range(top_k):
                e = choices[t, layer, k]
                budget_s[expert[layer, e]] -= expert_s[layer, e]
                refused |= budget_s[expert[layer, e]] < 0.0
                if cause[t] == 0:
                    cause[t] = block[layer, e]
            if cause[t] == 0 and refused:
                cause[t] = 3
            if cause[t] != 0:
                reached = layer + 1
                break
        if cause[t] != 0:
            for layer in range(reached):
                budget_s[gateway[layer]] += gateway_s[layer]
                for k in range(top_k):
                    e = choices[t, layer, k]
                    budget_s[expert[layer, e]] += expert_s[layer, e]
    return cause
