"""Which places in neighbouring planes face each other: by rule, not by the last digit.

Planes that fly half a slot apart leave every satellite two partners as near as each other. Of
these all of a plane take the same one, so that the offset which builds up round the planes stays
small. Planes that drift against each other change partners at fixed instants.
"""

from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from twin.scenario.world import ElementSets, Shell, Shells, Walker
from twin.space.constellation import Constellation
from twin.space.recovery import Phases

type Array = NDArray[np.float64]

TIE_SLOTS = 0.0625
"""Two partners are as near as each other if neither is further than half a slot and this."""
ALIKE = 0.9
"""All planes of a shell are offset alike if the mean of unit vectors is at least this long."""
REGULAR = 0.7
"""Planes have a common slot if their satellites' places agree with it at least this well."""
HOLD_SLOTS = 0.5
"""Partners are kept while the planes that drift fastest move by this."""


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """How places in neighbouring planes compare from an instant on.

    Attributes
    ----------
    start_s : float
        Since the epoch.
    phase : (N,) float64
        Places in turns, what neighbouring planes are offset by taken out: partners have equal ones.
    closing : tuple of float, one a shell
        What to add to a phase of the last plane to compare it with the first.
    """

    start_s: float
    phase: Array
    closing: tuple[float, ...]


def alignments(
    table: Walker | Shells | ElementSets, body: Constellation, span_s: float
) -> list[Alignment]:
    """How planes face each other over a span of time that begins at the epoch.

    Parameters
    ----------
    table : Walker, Shells or ElementSets
        What `body` was built from.
    body : Constellation
    span_s : float

    Returns
    -------
    list of Alignment
        The first starts at 0. More follow only where planes drift: at whole multiples of a
        period, counted from the middle epoch of the file, each as it is in the middle of its
        own period, so that partners do not depend on the day a run begins.
    """
    if isinstance(table, Walker | Shells):
        return [_by_fields(table.shells if isinstance(table, Shells) else (table,), body)]
    assert body.phases is not None
    age_s = body.phases.age_s
    planes = [_Planes.of(body, body.phases, shell) for shell in range(body.n_shells)]
    hold_s = min((one.hold_s for one in planes), default=np.inf)
    if not np.isfinite(hold_s):
        return [_recovered(planes, body, body.phases, 0.0, start_s=0.0)]
    first = floor(age_s / hold_s)
    last = max(first + 1, ceil((age_s + span_s) / hold_s))
    return [
        _recovered(
            planes,
            body,
            body.phases,
            (k + 0.5) * hold_s,
            start_s=max(k * hold_s - age_s, 0.0),
        )
        for k in range(first, last)
    ]


def _by_fields(shells: tuple[Shell, ...], body: Constellation) -> Alignment:
    """Slot s faces slot s + link_shift of the next plane.

    A delta closes where all offsets round it, P of F/P of a slot and P of link_shift, add up.
    """
    phase, closing = body.ring_position.copy(), []
    for number, shell in enumerate(shells):
        ahead = shell.link_shift / shell.satellites_per_plane
        rows = body.shell == number
        phase[rows] -= (body.plane[rows] - body.plane[rows][0]) * ahead
        built_up = shell.phasing / shell.satellites_per_plane
        delta = shell.raan_spread_deg == 360.0
        closing.append((built_up if delta else 0.0) + shell.planes * ahead)
    return Alignment(start_s=0.0, phase=phase, closing=tuple(closing))


@dataclass(frozen=True, kw_only=True)
class _Planes:
    """Planes of a shell of element sets.

    `slots` is the number of slots of a plane, 0 where planes have none in common; `offset_slots`
    (P,) where their slots stand at the middle epoch of the file; `drift_turns_s` (P,).
    """

    number: int
    size: int
    slots: int
    offset_slots: Array
    drift_turns_s: Array

    @classmethod
    def of(cls, body: Constellation, phases: Phases, number: int) -> "_Planes":
        rows = np.flatnonzero(body.shell == number)
        own = np.unique(body.plane[rows], return_inverse=True)[1]
        size = np.bincount(own)
        slots, vector = _common_slots(phases.turns[rows], own, int(size.max()))
        first = np.searchsorted(own, np.arange(len(size)))
        return cls(
            number=number,
            size=int(size.max()),
            slots=slots,
            offset_slots=np.angle(vector) / (2 * np.pi),
            drift_turns_s=phases.drift_turns_s[rows][first],
        )

    @property
    def hold_s(self) -> float:
        """How long partners are kept, ``inf`` where planes are locked in phase."""
        against = np.abs(np.diff(self.drift_turns_s, append=self.drift_turns_s[0]))
        fastest = float(against.max())
        return HOLD_SLOTS / self.size / fastest if fastest > 0 else float("inf")

    def offsets(self, t_s: float) -> Array:
        """Offset from each plane to the next, from the last to the first, in turns, (P,)."""
        if not self.slots:
            return np.zeros(len(self.offset_slots))
        there = self.offset_slots + self.slots * self.drift_turns_s * t_s
        step = np.roll(there, -1) - there
        locked = np.roll(self.drift_turns_s, -1) == self.drift_turns_s
        typical = _typical(step[:-1][locked[:-1]])
        step += np.round(typical - step)
        tied = np.abs(step if typical == 0 else typical) > 0.5 - TIE_SLOTS
        built_up = 0.0
        for p in np.flatnonzero(locked):
            if np.broadcast_to(tied, step.shape)[p]:
                ahead, behind = step[p] % 1, step[p] % 1 - 1
                # As small either way: ahead, so that the last digit does not decide.
                smaller = abs(built_up + ahead) <= abs(built_up + behind) + 2 * TIE_SLOTS
                step[p] = ahead if smaller else behind
            built_up += step[p]
        return step / self.slots


def _typical(step: Array) -> float:
    """Offset that all planes have alike, in slots from -1/2 to 1/2; 0 if they do not."""
    mean = complex(np.exp(2j * np.pi * step).mean()) if len(step) else 0j
    return float(np.angle(mean)) / (2 * np.pi) if abs(mean) >= ALIKE else 0.0


def _common_slots(phase: Array, plane: NDArray[np.intp], most: int) -> tuple[int, Array]:
    """Number of equal slots that places along all planes agree with best, 0 for none.

    The order of the strongest harmonic of all planes, the lowest of equally strong ones;
    with it the mean vector of each plane, whose angle is where its slots stand.
    """
    size = np.bincount(plane)
    best, found = 0, np.ones(len(size), complex)
    strongest = 0.0
    for slots in range(3, 2 * most + 1):
        vector = np.zeros(len(size), complex)
        np.add.at(vector, plane, np.exp(2j * np.pi * slots * phase))
        strength = float(np.abs(vector).sum()) / len(phase)
        if strength > strongest + 0.05:
            best, strongest, found = slots, strength, vector
    return (best, found) if strongest >= REGULAR else (0, found)


def _recovered(
    planes: list[_Planes], body: Constellation, phases: Phases, t_s: float, *, start_s: float
) -> Alignment:
    phase, closing = phases.turns + phases.drift_turns_s * t_s, []
    for shell in planes:
        offset = shell.offsets(t_s)
        built_up = np.cumsum(offset)
        rows = body.shell == shell.number
        own = np.unique(body.plane[rows], return_inverse=True)[1]
        phase[rows] -= (built_up - offset)[own]
        closing.append(float(built_up[-1]))
    return Alignment(start_s=start_s, phase=phase, closing=tuple(closing))
