"""What a part of the model costs where it is, what satellites bid for it, and who wins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placement.cost import LOST_S

type Floats = NDArray[np.float64]

_BUSY_MARGIN = 0.9
"""Share of the time that power leaves for computing which a bidder promises."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Heard:
    """What is known of N satellites in some places, (..., N) each.

    Attributes
    ----------
    known : bool
        Whether there has been word of them lately.
    limit : float64
        Share of its time that power lets each compute.
    load : float64
        Share of its time that what it hosts asks.
    room_bytes : float64
        Memory for more; 0 for one that takes nothing on.
    """

    known: NDArray[np.bool_]
    limit: Floats
    load: Floats
    room_bytes: Floats

    def __getitem__(self, place: int) -> "Heard":
        """What is known in one place."""
        return Heard(
            known=self.known[place],
            limit=self.limit[place],
            load=self.load[place],
            room_bytes=self.room_bytes[place],
        )

    def bears(self, work: Floats | float, size_bytes: float) -> NDArray[np.bool_]:
        """Which can take on a thing of some size that asks a share `work` of their time."""
        able = self.known & (self.room_bytes >= size_bytes) & (self.limit > 0.0)
        return np.asarray(able & (self.load + work <= _BUSY_MARGIN * self.limit))

    @property
    def lost(self) -> Floats:
        """Share of its work that each is expected to lose: all, where there is no word of it."""
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(self.load > self.limit, 1.0 - self.limit / self.load, 0.0)
        return np.where(self.known & (self.limit > 0.0), share, 1.0)


def price_s(way_s: Floats, chosen: Floats | float, lost: Floats | float) -> Floats:
    """What a thing adds to the mean token, s, lost ones counted as `placement.cost.LOST_S`.

    Parameters
    ----------
    way_s : float64
        Way of a token through its host; ``inf`` where there is none.
    chosen : float64
        How often a token needs it.
    lost : float64
        Share of its work that its host loses.
    """
    return np.asarray(chosen * np.minimum(way_s, LOST_S) + LOST_S * np.minimum(chosen, 1.0) * lost)


def sell(keep_s: Floats, bid_s: Floats, *, min_gain: float, cost_s: float) -> list[tuple[int, int]]:
    """Sell things to the lowest bidders, most gain first; a satellite wins one of them at most.

    Parameters
    ----------
    keep_s : (T,) float64
        Price of each thing where it is.
    bid_s : (T, N) float64
        Bids; ``inf`` for none.
    min_gain : float
        Share of its price that a sale has to save.
    cost_s : float
        What a move costs, in the same seconds.

    Returns
    -------
    list of (thing, satellite)
    """
    left_s, sold = bid_s.copy(), []
    least_s = np.maximum(min_gain * keep_s, cost_s)
    open_ = np.ones(len(keep_s), bool)
    for _ in keep_s:
        winner = left_s.argmin(axis=1)
        gain_s = keep_s - left_s[np.arange(len(keep_s)), winner]
        gain_s[~open_ | (gain_s <= least_s)] = -np.inf
        thing = int(gain_s.argmax())
        if gain_s[thing] == -np.inf:
            break
        sold.append((thing, int(winner[thing])))
        open_[thing] = False
        left_s[:, winner[thing]] = np.inf
    return sold
