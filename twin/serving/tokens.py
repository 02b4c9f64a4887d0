"""Tokens asked of the constellation: served, tried again, or lost with a cause."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.moe.latency import ComputeTimes, SampledLatency, sampled_latency
from twin.moe.sampling import Sampler
from twin.serving.hosts import Hosts
from twin.vocabulary import Cause


@dataclass(frozen=True, kw_only=True)
class Served:
    """What became of the tokens presented in a step: new ones and those tried again.

    Attributes
    ----------
    choices : (P, L, K) int32
        Experts each presented token needs.
    columns : (P, L, K) int32
        Copy of each expert that each presented token goes to, a column of `Hosts`.
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
    columns: NDArray[np.int32]
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


@dataclass(kw_only=True)
class WaitingTokens:
    """What the queue carries from one step to the next: W tokens to be tried again.

    Attributes
    ----------
    choices : (W, L, K) int32
        Experts each needs.
    origin : (W,) int64
        Site of each.
    waited_s : (W,) float64
        Since each was first asked.
    tries : (W,) int64
        How often each has been tried.
    asked_step, number : (W,) int64
        Which token it is: the step that asked for it, and its number there.
    previous : (L,) int32 or None
        First choices of the newest token of all; None before there was one.
    """

    choices: NDArray[np.int32]
    origin: NDArray[np.int64]
    waited_s: NDArray[np.float64]
    tries: NDArray[np.int64]
    asked_step: NDArray[np.int64]
    number: NDArray[np.int64]
    previous: NDArray[np.int32] | None


_PER_TOKEN = ("choices", "origin", "waited_s", "tries", "asked_step", "number")


def nothing_waits(
    layers: int, top_k: int, *, previous: NDArray[np.int32] | None = None
) -> WaitingTokens:
    """Return an empty queue."""
    nobody = np.empty(0, np.int64)
    return WaitingTokens(
        choices=np.empty((0, layers, top_k), np.int32),
        origin=nobody,
        waited_s=np.empty(0),
        tries=nobody,
        asked_step=nobody,
        number=nobody,
        previous=previous,
    )


class TokenQueue:
    """Tokens to try again, and the rule: once a step, `retries` times, then lost.

    Parameters
    ----------
    sampler : Sampler
        Draws the experts of new tokens.
    retries : int
        How often a token is tried again.
    state : WaitingTokens
        Where to go on.
    """

    def __init__(self, sampler: Sampler, *, retries: int, state: WaitingTokens) -> None:
        self._sampler = sampler
        self._retries = retries
        self.state = state

    def present(
        self,
        step: int,
        origin: NDArray[np.int64],
        probability: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> WaitingTokens:
        """Draw a new token of each origin; return all that wait, the oldest first."""
        tokens, waiting = len(origin), self.state
        fresh = self._sampler(probability, tokens, rng, waiting.previous)
        new = WaitingTokens(
            choices=fresh,
            origin=origin,
            waited_s=np.zeros(tokens),
            tries=np.zeros(tokens, np.int64),
            asked_step=np.full(tokens, step),
            number=np.arange(tokens),
            previous=fresh[-1, :, 0].copy() if tokens else waiting.previous,
        )
        if len(waiting.tries):
            for name in _PER_TOKEN:
                joined = np.concatenate([getattr(waiting, name), getattr(new, name)])
                setattr(new, name, joined)
        self.state = new
        return new

    def serve(
        self,
        hosts: Hosts,
        compute: ComputeTimes,
        columns: NDArray[np.int32],
        cause: NDArray[np.uint8],
        step_s: float,
    ) -> Served:
        """Serve the presented tokens that nothing hinders, keep or give up the others.

        Parameters
        ----------
        hosts : Hosts
        compute : ComputeTimes
            Of the columns of `hosts`.
        columns : (P, L, K) int32
            Where each presented token goes.
        cause : (P,) uint8
            What hinders each presented token.
        step_s : float
            How long a token waits before it is tried again.
        """
        mine = self.state
        served = cause == Cause.NONE
        latency = sampled_latency(hosts.path_s, hosts.satellite, columns[served], compute)
        again = ~served & (mine.tries < self._retries)
        result = Served(
            choices=mine.choices,
            columns=columns,
            latency=latency,
            waited_s=mine.waited_s,
            cause=cause,
            asked=int((mine.tries == 0).sum()),
            retried=int((mine.tries > 0).sum()),
            lost=np.bincount(cause[~served & ~again], minlength=len(Cause)),
        )
        self.state = nothing_waits(*mine.choices.shape[1:], previous=mine.previous)
        if again.any():
            for name in _PER_TOKEN:
                setattr(self.state, name, getattr(mine, name)[again])
            self.state.waited_s = self.state.waited_s + step_s
            self.state.tries = self.state.tries + 1
        return result
