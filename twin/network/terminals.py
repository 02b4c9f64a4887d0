"""What laser terminals remember: partners, and how long ago the last acquisition began."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.network.grid import LinkKind, Skeleton, Timetable
from twin.network.links import LinkLimits, settle
from twin.network.seam import Seam
from twin.space.ephemeris import Instant
from twin.vocabulary import LinkState


@dataclass(kw_only=True)
class TerminalState:
    """What the terminals of E links carry from one step to the next.

    Attributes
    ----------
    paired : (E,) bool
        Links whose two ends are partners.
    period : int or None
        Period of the changing links that the partners belong to; None before the first step.
    passing : int or None
        Period of the links between planes that drift; None before the first step.
    broken : (E,) uint8
        `LinkState` of the limit that each link broke in the step before, 0 for none.
    since_s : (E,) float64
        Instant since when none has been broken.
    """

    paired: NDArray[np.bool_]
    period: int | None
    broken: NDArray[np.uint8]
    since_s: NDArray[np.float64]
    passing: int | None = None


class Terminals:
    """The links of one run from step to step.

    A link works while its limits hold and both ends have power; then its ends acquire each other
    for `acquisition_s`, counted from the instant the limits began to hold again (found within
    the step), from the step that brought power back, or from the start of the period that made
    the two partners. States are those at the start of a step; at the first, every link that
    can be up is up.

    Parameters
    ----------
    skeleton : Skeleton
    limit : LinkLimits
    acquisition_s, step_s : float
    seam : Seam or None
        Chooses partners for the links that change, if any do.
    state : TerminalState, optional
        Where to go on; before the first step by default.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        *,
        limit: LinkLimits,
        acquisition_s: float,
        step_s: float,
        seam: Seam | None,
        state: TerminalState | None = None,
    ) -> None:
        self._skeleton, self._limit, self._seam = skeleton, limit, seam
        self._acquisition_s, self._step_s = acquisition_s, step_s
        self._across = skeleton.kind != LinkKind.INTRA_PLANE
        self._changing = np.flatnonzero(skeleton.changing)
        self._passing = np.flatnonzero(skeleton.passing)
        self.state = state or TerminalState(
            paired=~skeleton.changing & ~skeleton.passing,
            period=None,
            broken=np.zeros(len(skeleton.edges), np.uint8),
            since_s=np.full(len(skeleton.edges), -np.inf),
        )

    def advance(
        self,
        before: Instant | None,
        now: Instant,
        unbroken: NDArray[np.bool_],
        powered: NDArray[np.bool_],
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """State of every link at the start of the next step, and the delays that go with it.

        Parameters
        ----------
        before : Instant or None
            The start of the step before; None at the first.
        now : Instant
            The start of the step.
        unbroken : (E,) bool
            Links that no random outage holds down.
        powered : (N,) bool
            Satellites whose terminals are on.

        Returns
        -------
        state : (E,) uint8
            `LinkState`.
        weight_s : (2E,) float64
            One-way light time per CSR entry, ``inf`` where the link is not up.
        """
        skeleton, before = self._skeleton, before or now
        mine = self.state
        if self._seam is not None:
            mine.period = self._pair(self._seam, self._changing, mine.period, now.t_s, powered)
        if len(self._passing):
            table = skeleton.timetable
            mine.passing = self._pair(table, self._passing, mine.passing, now.t_s, powered)
        state = np.empty(len(skeleton.edges), np.uint8)
        weight_s = np.empty(len(skeleton.indices))
        settle(
            (skeleton.edges, skeleton.entry, self._across),
            (self.state.paired, powered, unbroken),
            (
                (before.r_km, before.v_km_s),
                (now.r_km, now.v_km_s),
                now.sun_km / np.linalg.norm(now.sun_km),
            ),
            (now.t_s, self._step_s, self._acquisition_s),
            self._limit,
            (self.state.broken, self.state.since_s),
            (state, weight_s),
        )
        return state, weight_s

    def _pair(
        self,
        chooser: Seam | Timetable,
        links: NDArray[np.intp],
        before: int | None,
        t_s: float,
        powered: NDArray[np.bool_],
    ) -> int:
        """Give links the partners of the period that has come, if it is new; return it."""
        mine, period = self.state, chooser.period(t_s)
        if period == before:
            return period
        if period == 0:
            old = chooser.partners(0, powered)
        elif before == period - 1:
            old = mine.paired[links]
        else:
            old = chooser.partners(period - 1, powered)
        chosen = chooser.partners(period, powered)
        lasting = chosen & old & mine.paired[links]
        mine.broken[links[~lasting]] = 0
        mine.since_s[links[chosen & ~old]] = chooser.start_s(period)
        mine.paired[links] = chosen
        return period


@dataclass(kw_only=True)
class LinkCounts:
    """What is counted of the links of a run, K kinds and S states of link.

    Attributes
    ----------
    count : (K, S) int64
        Steps that links spent in each state.
    held : (K, steps+1) int64
        Links that went down, by the number of steps that they had been up.
    repaired : (K,) int64
        New pairs.
    up_steps : (E,) int64
        How long each link has been up.
    paired : (E,) bool or None
        Of the step before; None before the first.
    """

    count: NDArray[np.int64]
    held: NDArray[np.int64]
    repaired: NDArray[np.int64]
    up_steps: NDArray[np.int64]
    paired: NDArray[np.bool_] | None


class LinkStatistics:
    """Availability and hold times of the links of a run, by class.

    Parameters
    ----------
    skeleton : Skeleton
    steps : int
        How many will be added at most.
    step_s : float
    """

    def __init__(self, skeleton: Skeleton, *, steps: int, step_s: float) -> None:
        self._kind = skeleton.kind.astype(np.int64)
        self._step_s = step_s
        kinds = len(LinkKind)
        self.state = LinkCounts(
            count=np.zeros((kinds, len(LinkState)), np.int64),
            held=np.zeros((kinds, steps + 1), np.int64),
            repaired=np.zeros(kinds, np.int64),
            up_steps=np.zeros(len(self._kind), np.int64),
            paired=None,
        )

    def make_room(self, steps: int) -> None:
        """Give a state room for a number of steps."""
        held = self.state.held
        if held.shape[1] <= steps:
            more = np.zeros((len(held), steps + 1 - held.shape[1]), held.dtype)
            self.state.held = np.concatenate([held, more], axis=1)

    def add(self, state: NDArray[np.uint8]) -> None:
        """Count one step's link states, (E,)."""
        cells = self._kind * len(LinkState) + state
        mine = self.state
        mine.count += np.bincount(cells, minlength=mine.count.size).reshape(mine.count.shape)
        up, paired = state == LinkState.UP, state != LinkState.UNPAIRED
        ended = np.flatnonzero(~up & (self.state.up_steps > 0))
        np.add.at(self.state.held, (self._kind[ended], self.state.up_steps[ended]), 1)
        self.state.up_steps += 1
        self.state.up_steps[~up] = 0
        if self.state.paired is not None:
            new = self._kind[paired & ~self.state.paired]
            self.state.repaired += np.bincount(new, minlength=len(LinkKind))
        self.state.paired = paired

    def summary(self) -> dict[str, dict[str, Any]]:
        """Figures of each class of links that there are, by its name.

        Returns
        -------
        dict of str to dict
            ``availability``: share of the time of paired links that they are up. ``links_up``:
            how many are, on average. ``hold_mean_s``, ``hold_median_s``: time from up to down,
            seen at steps, over those that came to an end; None if none did. ``holds``: how many
            did. ``repairings``: how often partners were new. ``down``: share of the time of
            paired links by cause.
        """
        total = np.bincount(self._kind, minlength=len(LinkKind))
        return {
            kind.name.lower().replace("_", "-"): self._figures(kind)
            for kind in LinkKind
            if total[kind]
        }

    def _figures(self, kind: LinkKind) -> dict[str, Any]:
        count, held = self.state.count[kind], self.state.held[kind]
        paired = max(int(count.sum() - count[LinkState.UNPAIRED]), 1)
        steps = count.sum() / max(int((self._kind == kind).sum()), 1)
        holds = int(held.sum())
        mean = median = None
        if holds:
            mean = float(held @ np.arange(len(held)) / holds) * self._step_s
            middle = np.searchsorted(held.cumsum(), [(holds + 1) // 2, holds // 2 + 1])
            median = float(middle.mean()) * self._step_s
        return {
            "availability": float(count[LinkState.UP] / paired),
            "links_up": float(count[LinkState.UP] / max(steps, 1)),
            "hold_mean_s": mean,
            "hold_median_s": median,
            "holds": holds,
            "repairings": int(self.state.repaired[kind]),
            "down": {
                cause.name.lower(): float(count[cause] / paired)
                for cause in LinkState
                if cause not in (LinkState.UP, LinkState.UNPAIRED)
            },
        }
