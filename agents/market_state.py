"""What satellites that bid have said to each other, as data."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from placement.auction import Heard

NEVER = np.iinfo(np.int32).max
"""When a message without a path is there."""

_REMEMBERED = 240
"""Steps whose quotes are kept at most, however long patience is: each takes memory and disk."""


@dataclass(frozen=True, kw_only=True)
class Quotes:
    """What all satellites say of themselves at the start of a step.

    Attributes
    ----------
    step : int
    limit, load, room_bytes : (N,) float64
        As in `placement.auction.Heard`.
    there : (L, N) int32
        Step at whose start the gateway of each layer can read it; `NEVER` where it cannot.
    """

    step: int
    limit: NDArray[np.float64]
    load: NDArray[np.float64]
    room_bytes: NDArray[np.float64]
    there: NDArray[np.int32]

    def by_themselves(self, up: NDArray[np.bool_]) -> Heard:
        """What satellites know of themselves, (N,), `up` those that are."""
        return Heard(known=up, limit=self.limit, load=self.load, room_bytes=self.room_bytes)


@dataclass(kw_only=True)
class Award:
    """A thing is sold: when the winner reads it, and when the seller has its answer.

    Attributes
    ----------
    layer, expert : int
        Expert -1 is the layer's gateway.
    source, target : int
        Who hosts it, and who is to.
    there, answered : int
        Steps at whose starts the winner reads the award, and the seller the answer.
    """

    layer: int
    expert: int
    source: int
    target: int
    there: int
    answered: int


@dataclass(kw_only=True)
class MarketState:
    """What a market carries from one step to the next.

    Attributes
    ----------
    limit : (N,) float64
        Share of its time that each satellite could compute when it last looked ahead.
    quotes : list of Quotes
        Of late, the newest last: read, or still on their way.
    awards : list of Award
        Not yet answered.
    """

    limit: NDArray[np.float64]
    quotes: list[Quotes] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)

    def add(self, now: Quotes, *, patience_steps: int) -> None:
        """Let satellites say what they have to say, and forget what is older than patience."""
        oldest = now.step - min(max(patience_steps, 1), _REMEMBERED)
        kept = [told for told in self.quotes if told.step >= oldest]
        self.quotes = [*kept, now]

    def heard(self, step: int) -> Heard:
        """Return what the gateway of each layer has read at the start of a step, the newest."""
        first = self.quotes[0].there
        known = np.zeros(first.shape, bool)
        limit, load, room_bytes = (np.zeros(first.shape) for _ in range(3))
        for told in self.quotes:
            read = told.there <= step
            known |= read
            np.copyto(limit, told.limit, where=read)
            np.copyto(load, told.load, where=read)
            np.copyto(room_bytes, told.room_bytes, where=read)
        return Heard(known=known, limit=limit, load=load, room_bytes=room_bytes)


def arrival(step: int, delay_s: NDArray[np.float64], step_s: float) -> NDArray[np.int32]:
    """Step at whose start a message can be read that leaves at the start of another."""
    steps = np.where(np.isfinite(delay_s), np.ceil(delay_s / step_s), np.inf)
    return np.asarray(np.minimum(step + steps, NEVER).astype(np.int64), np.int32)
