"""What laser terminals remember: partners, and how long ago the last acquisition began."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.network.grid import LinkKind, Skeleton
from twin.network.links import LinkLimits, settle
from twin.network.seam import Seam
from twin.space.ephemeris import Instant
from twin.vocabulary import LinkState


class Terminals:
    """The links of one run from step to step.

    A link works while its limits hold and both ends have power; then its ends acquire each other
    for `acquisition_s`, counted from the instant the limits began to hold again (found within
    the step), from the step that brought power back, or from the start of the period that made
    the two partners. States are those at the start of a step; at the first, everybody who can
    has a link already.

    Parameters
    ----------
    skeleton : Skeleton
    limit : LinkLimits
    acquisition_s, step_s : float
    seam : Seam or None
        Who chooses partners for the links that change, if any do.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        *,
        limit: LinkLimits,
        acquisition_s: float,
        step_s: float,
        seam: Seam | None,
    ) -> None:
        self._skeleton, self._limit, self._seam = skeleton, limit, seam
        self._acquisition_s, self._step_s = acquisition_s, step_s
        self._across = skeleton.kind != LinkKind.INTRA_PLANE
        self._changing = np.flatnonzero(skeleton.changing)
        self._paired = ~skeleton.changing
        self._period: int | None = None
        self._before: Instant | None = None
        # The limit each link broke at the step before, and since when none has been broken.
        self._broken = np.zeros(len(skeleton.edges), np.uint8)
        self._since_s = np.full(len(skeleton.edges), -np.inf)

    def advance(
        self, instant: Instant, unbroken: NDArray[np.bool_], powered: NDArray[np.bool_]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """State of every link at the start of the next step, and the delays that go with it.

        Parameters
        ----------
        instant : Instant
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
        skeleton, before = self._skeleton, self._before or instant
        if self._seam is not None:
            self._choose_partners(self._seam, instant.t_s, powered)
        state = np.empty(len(skeleton.edges), np.uint8)
        weight_s = np.empty(len(skeleton.indices))
        settle(
            (skeleton.edges, skeleton.entry, self._across),
            (self._paired, powered, unbroken),
            (
                (before.r_km, before.v_km_s),
                (instant.r_km, instant.v_km_s),
                instant.sun_km / np.linalg.norm(instant.sun_km),
            ),
            (instant.t_s, self._step_s, self._acquisition_s),
            self._limit,
            (self._broken, self._since_s),
            (state, weight_s),
        )
        self._before = instant
        return state, weight_s

    def _choose_partners(self, seam: Seam, t_s: float, powered: NDArray[np.bool_]) -> None:
        period = seam.period(t_s)
        if period == self._period:
            return
        if period == 0:
            old = seam.partners(0, powered)
        elif self._period == period - 1:
            old = self._paired[self._changing]
        else:
            old = seam.partners(period - 1, powered)
        chosen = seam.partners(period, powered)
        lasting = chosen & old & self._paired[self._changing]
        self._broken[self._changing[~lasting]] = 0
        self._since_s[self._changing[chosen & ~old]] = seam.start_s(period)
        self._paired[self._changing] = chosen
        self._period = period


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
        self._count = np.zeros((len(LinkKind), len(LinkState)), np.int64)
        self._held = np.zeros((len(LinkKind), steps + 1), np.int64)
        self._repaired = np.zeros(len(LinkKind), np.int64)
        self._up_steps = np.zeros(len(self._kind), np.int64)
        self._paired: NDArray[np.bool_] | None = None

    def add(self, state: NDArray[np.uint8]) -> None:
        """Count one step's link states, (E,)."""
        cells = self._kind * len(LinkState) + state
        self._count += np.bincount(cells, minlength=self._count.size).reshape(self._count.shape)
        up, paired = state == LinkState.UP, state != LinkState.UNPAIRED
        ended = np.flatnonzero(~up & (self._up_steps > 0))
        np.add.at(self._held, (self._kind[ended], self._up_steps[ended]), 1)
        self._up_steps += 1
        self._up_steps[~up] = 0
        if self._paired is not None:
            new = self._kind[paired & ~self._paired]
            self._repaired += np.bincount(new, minlength=len(LinkKind))
        self._paired = paired

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
        count, held = self._count[kind], self._held[kind]
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
            "repairings": int(self._repaired[kind]),
            "down": {
                cause.name.lower(): float(count[cause] / paired)
                for cause in LinkState
                if cause not in (LinkState.UP, LinkState.UNPAIRED)
            },
        }
