"""What gateways sell in a step, on what they have read: experts of their layers, and seats.

R instances of L layers are R*L rows, as in `placement.stacking`. A thing is a row and an expert, -1
for the row's gateway.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from placement.auction import Floats, Heard, price_s, sell
from placement.policies.telemetry import Bids
from placement.problem import Placement
from twin.network.routing import shortest_paths

GATEWAY = -1


class Sale(NamedTuple):
    """A thing goes from one satellite to another; the gateway of row `seller` says so."""

    layer: int
    expert: int
    source: int
    target: int
    seller: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Hall:
    """What sellers know of a step, and what they sell.

    Attributes
    ----------
    terms : Bids
    layers : int
        L.
    indptr, indices, weight_s : arrays
        The network as it is now (`PlacementProblem`), whose delays everybody knows.
    delay_s : (R*L, N) float64
        From the gateways that serve.
    up : (R*L,) bool
        Whether those are up.
    placement : Placement
    chosen : (R*L, E) float64
        How often a token needs each expert.
    work : (R*L, 1+E) float64
        Share of the time of a satellite of pace 1 that gateway and experts ask.
    pace : (N,) float64
    gateway_bytes, expert_bytes : float
    transfer_s : float
        Time to put a hidden state on a link.
    tokens : float
        Asked of an instance until the horizon.
    heard : Heard
        By each of those gateways, (R*L, N).
    busy : frozenset of (row, expert)
        Sold already, or on its way.
    """

    terms: Bids
    layers: int
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    weight_s: Floats
    delay_s: Floats
    up: NDArray[np.bool_]
    placement: Placement
    chosen: Floats
    work: Floats
    pace: Floats
    gateway_bytes: float
    expert_bytes: float
    transfer_s: float
    tokens: float
    heard: Heard
    busy: frozenset[tuple[int, int]]

    def before(self, row: int, back: int = 1) -> int:
        """The row some layers before, round the ring of its instance."""
        first = row - row % self.layers
        return first + (row - first - back) % self.layers

    def seller(self, row: int) -> int | None:
        """Whose gateway sells a row's: its own if up, else the nearest one up before it."""
        around = (self.before(row, back) for back in range(self.layers))
        return next((each for each in around if self.up[each]), None)

    def able(self, row: int, expert: int, seller: int) -> NDArray[np.bool_]:
        """Who may bid for a thing, as far as its seller has read, (N,)."""
        size_bytes = self.gateway_bytes if expert == GATEWAY else self.expert_bytes
        able = self.heard[seller].bears(self.work[row, 1 + expert] / self.pace, size_bytes)
        able &= np.isfinite(self.delay_s[seller])
        held = self.placement.copies[row, expert]
        if expert == GATEWAY:
            held = self.placement.gateways[row]
        able[held[held >= 0]] = False
        return able

    def sold(self, keep_s: Floats, bid_s: Floats, size_bytes: float) -> list[tuple[int, int]]:
        """Sell where that is worth the bytes."""
        cost = size_bytes / 1e9 * self.terms.token_s_per_gb
        cost_s = cost / self.tokens if self.tokens else np.inf
        return sell(keep_s, bid_s, min_gain=self.terms.min_gain, cost_s=cost_s)


def sell_experts(hall: Hall, *, everything: bool) -> list[Sale]:
    """Let each gateway that is up sell its layer's experts: all, or those in trouble."""
    host, rows = hall.placement.expert, np.arange(len(hall.up))
    lost = hall.heard.lost[rows[:, None], host]
    wanted = hall.up[:, None] & (everything | (lost > 0.0))
    for row, expert in hall.busy:
        wanted[row, expert] &= expert == GATEWAY
    sales = []
    for row in np.flatnonzero(wanted.any(axis=1)).tolist():
        things = np.flatnonzero(wanted[row])
        legs_s = hall.delay_s[[row, hall.before(row, -1)]]
        way_s = (legs_s + (legs_s > 0.0) * hall.transfer_s).sum(axis=0)
        chosen = hall.chosen[row, things]
        keep_s = price_s(way_s[host[row, things]], chosen, lost[row, things])
        able = np.stack([hall.able(row, int(expert), row) for expert in things])
        bid_s = np.where(able, price_s(way_s, chosen[:, None], 0.0), np.inf)
        sales += [
            Sale(row, int(things[i]), int(host[row, things[i]]), target, row)
            for i, target in hall.sold(keep_s, bid_s, hall.expert_bytes)
        ]
    return sales


def sell_gateways(hall: Hall, *, parity: int | None) -> list[Sale]:
    """Let gateways sell their seats: those of layers of one parity, and those in trouble."""
    sales = []
    for row, host in enumerate(hall.placement.gateway.tolist()):
        seller = hall.seller(row)
        if seller is None or (row, GATEWAY) in hall.busy:
            continue
        lost = float(hall.heard.lost[seller, host])
        if row % hall.layers % 2 != parity and not lost:
            continue
        way_s = _way_by_s(hall, row, seller)
        keep_s = price_s(way_s[[host]], 1.0, lost)
        able = hall.able(row, GATEWAY, seller)
        bid_s = np.where(able, price_s(way_s, 1.0, 0.0), np.inf)[None]
        sales += [
            Sale(row, GATEWAY, host, target, seller)
            for _, target in hall.sold(keep_s, bid_s, hall.gateway_bytes)
        ]
    return sales


def _way_by_s(hall: Hall, row: int, seller: int) -> Floats:
    """Way of a token to and from each satellite as a row's gateway, by experts alive, (N,)."""
    rows = [row, hall.before(row)]
    host = hall.placement.expert[rows].ravel()
    chosen = hall.chosen[rows].ravel() * hall.heard.known[seller, host]
    each, place = np.unique(host[chosen > 0.0], return_inverse=True)
    weight = np.bincount(place, chosen[chosen > 0.0], len(each))
    delay_s, _ = shortest_paths(hall.indptr, hall.indices, hall.weight_s, each)
    leg_s = delay_s + (delay_s > 0.0) * hall.transfer_s
    return np.asarray(weight @ leg_s)
