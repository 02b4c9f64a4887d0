"""Constellations: which satellites there are, in which plane and slot, on which mean orbits."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sgp4.api import Satrec

from twin.constants import R_EARTH_KM
from twin.errors import InputError
from twin.scenario.schema import Scenario
from twin.scenario.world import ElementSets, Shell, Shells, Walker
from twin.space import elements, recovery
from twin.space.frames import DAY_S, utc_jd
from twin.space.oem import Track
from twin.space.recovery import Phases

TAU = 2 * np.pi

ELEMENTS = ("a_km", "ecc", "inc_rad", "raan_rad", "argp_rad", "nu_rad")
"""Mean elements, as `Constellation` names them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Constellation:
    """N satellites in P planes, ordered by shell, then by plane (by RAAN), then by slot.

    Attributes
    ----------
    names : tuple of str, length N
    shell : (N,) int32
        0 for all where there is one shell.
    plane : (N,) int32
        0..P-1, ordered by RAAN, and numbered through from one shell to the next.
    slot : (N,) int32
        Rank along the plane, 0..n-1 for a plane of n satellites.
    ring_position : (N,) float64
        In [0, 1): where along its orbit a satellite stands, comparable across planes. Walker:
        slot / slots per plane, so that equal slots line up whatever the phasing. Element sets:
        place along the plane at the epoch, in turns from its ascending node.
    epoch_utc : str
        ISO 8601, the start of the simulation.
    a_km, ecc, inc_rad, raan_rad, argp_rad, nu_rad : (N,) float64
        Mean Keplerian elements at the epoch, in the axes of the GCRS.
    satrecs : tuple of sgp4.api.Satrec or None
        The element sets themselves, where the constellation was read from a file.
    phases : Phases or None
        By which partners in other planes are chosen, where that is not the ring position.
    tracks : tuple of Track or None
        Positions over time, where the file has those.
    left_out : tuple of (str, str)
        Name and reason of every element set that was read and not used.
    notes : tuple of str
        What else a reader should know of the file.
    """

    names: tuple[str, ...]
    shell: NDArray[np.int32]
    plane: NDArray[np.int32]
    slot: NDArray[np.int32]
    ring_position: NDArray[np.float64]
    epoch_utc: str
    a_km: NDArray[np.float64]
    ecc: NDArray[np.float64]
    inc_rad: NDArray[np.float64]
    raan_rad: NDArray[np.float64]
    argp_rad: NDArray[np.float64]
    nu_rad: NDArray[np.float64]
    satrecs: tuple[Satrec, ...] | None = None
    phases: Phases | None = None
    tracks: tuple[Track, ...] | None = None
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of satellites, N."""
        return len(self.names)

    @property
    def n_planes(self) -> int:
        """Number of planes, P."""
        return int(self.plane[-1]) + 1

    @property
    def n_shells(self) -> int:
        """Number of shells."""
        return int(self.shell[-1]) + 1


def build(scenario: Scenario) -> Constellation:
    """Build the constellation a scenario describes.

    Raises
    ------
    InputError
        If a file of element sets cannot be read or used; with file, line and reason.
    """
    table, start_utc = scenario.constellation, scenario.simulation.start_utc
    if isinstance(table, ElementSets):
        return from_element_sets(table, start_utc)
    assert start_utc is not None  # a scenario has one unless its element sets do
    return walker(table, start_utc) if isinstance(table, Walker) else shells(table, start_utc)


def walker(table: Shell, epoch_utc: str) -> Constellation:
    """Walker constellation i: T/P/F on circular orbits, one shell.

    Plane p has its node at ``raan_first + p * spread / P``; slot s of its S satellites stands at
    argument of latitude ``360 s / S + 360 F p / T`` degrees, with T = P S. A spread of 360
    degrees is the delta pattern, 180 the star. Where half slots alternate, odd planes stand
    ``180 / S`` degrees ahead instead.

    References
    ----------
    J. G. Walker, "Satellite constellations", J. British Interplanetary Society 37, 1984.
    """
    planes, slots = table.planes, table.satellites_per_plane
    total = planes * slots
    plane = np.repeat(np.arange(planes, dtype=np.int32), slots)
    slot = np.tile(np.arange(slots, dtype=np.int32), planes)
    raan_deg = table.raan_first_deg + plane * table.raan_spread_deg / planes
    latitude_turns = slot / slots + table.phasing * plane / total
    if table.alternate_half_slots:
        latitude_turns += plane % 2 / (2 * slots)
    digits_plane, digits_slot = len(str(planes - 1)), len(str(slots - 1))
    return Constellation(
        names=tuple(
            f"P{p:0{digits_plane}d}S{s:0{digits_slot}d}" for p, s in zip(plane, slot, strict=True)
        ),
        shell=np.zeros(total, np.int32),
        plane=plane,
        slot=slot,
        ring_position=slot / slots,
        epoch_utc=epoch_utc,
        a_km=np.full(total, R_EARTH_KM + table.altitude_km),
        ecc=np.zeros(total),
        inc_rad=np.full(total, np.radians(table.inclination_deg)),
        raan_rad=np.radians(raan_deg % 360),
        argp_rad=np.zeros(total),
        nu_rad=TAU * (latitude_turns % 1),
    )


def shells(table: Shells, epoch_utc: str) -> Constellation:
    """Several Walker shells, one after the other; names give the shell and its own plane."""
    each = [walker(shell, epoch_utc) for shell in table.shells]
    sizes, n_planes = [one.size for one in each], [one.n_planes for one in each]
    first_plane = np.cumsum([0, *n_planes[:-1]])
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in each])
        for name in ("slot", "ring_position", *ELEMENTS)
    }
    plane = np.concatenate([one.plane for one in each]) + np.repeat(first_plane, sizes)
    return Constellation(
        names=tuple(f"S{i}{name}" for i, one in enumerate(each) for name in one.names),
        shell=np.repeat(np.arange(len(each), dtype=np.int32), sizes),
        plane=plane.astype(np.int32),
        epoch_utc=epoch_utc,
        **joined,
    )


def subset(constellation: Constellation, rows: NDArray[np.integer]) -> Constellation:
    """Return some satellites of a constellation, with their shells, planes and slots as before."""
    arrays = ("shell", "plane", "slot", "ring_position", *ELEMENTS)
    satrecs, tracks = constellation.satrecs, constellation.tracks
    return replace(
        constellation,
        names=tuple(constellation.names[i] for i in rows),
        satrecs=None if satrecs is None else tuple(satrecs[i] for i in rows),
        phases=None,
        tracks=None if tracks is None else tuple(tracks[i] for i in rows),
        **{name: getattr(constellation, name)[rows] for name in arrays},
    )


def from_element_sets(table: ElementSets, epoch_utc: str | None = None) -> Constellation:
    """Recover shells, planes and slots of a real constellation from a file of TLEs, OMMs or OEMs.

    SGP4's own secular rates and drag bring every set to the middle epoch of the file, where
    structure is found (`twin.space.recovery`), and to the start, by default the newest epoch of
    the file. Satellites in service are kept; `left_out` lists the others with the reason.

    Raises
    ------
    InputError
        If the file cannot be read, or if nothing of it remains.
    """
    source = elements.read(table.tle, leave_out_bad=table.bad_records == "leave-out")
    notes = source.notes
    if epoch_utc is None:
        epoch_utc = source.newest_epoch()
        notes += (f"starts at {epoch_utc}, the newest epoch in the file",)
    start, out = source.mean_at(epoch_utc)
    usable, found = recovered(source, out)
    kept = np.flatnonzero(~np.isin(usable, list(out)))
    plane = np.unique(found.structure.plane[kept], return_inverse=True)[1].astype(np.int32)
    phase = recovery.turns(found.mean[kept], plane)
    ring = recovery.turns(start[usable[kept]], plane)
    order, slot = recovery.along(plane, phase, ring)
    kept, plane = kept[order], plane[order]
    shell, rows = found.structure.shell[kept], usable[kept]
    satrecs, tracks = source.satrecs, source.tracks
    return Constellation(
        names=source.unique_names(rows.tolist()),
        shell=shell,
        plane=plane,
        slot=slot,
        ring_position=ring[order],
        phases=Phases(
            turns=phase[order],
            drift_turns_s=recovery.drift_turns_s(found.rate_deg_day[kept], shell, plane),
            normal=recovery.plane_normals(found.mean[kept], plane),
            a_km=found.mean[kept, 0],
            age_s=_seconds(found.epoch_utc, epoch_utc),
        ),
        epoch_utc=epoch_utc,
        **dict(zip(ELEMENTS, start[rows].T.copy(), strict=True)),
        satrecs=None if satrecs is None else tuple(satrecs[i] for i in rows),
        tracks=None if tracks is None else tuple(tracks[i] for i in rows),
        left_out=source.left_out + tuple((source.names[i], out[i]) for i in sorted(out)),
        notes=notes,
    )


def recovered(
    source: elements.Source, out: dict[int, str]
) -> tuple[NDArray[np.int64], recovery.Recovered]:
    """What shells and planes the objects of a file make at their middle epoch.

    Parameters
    ----------
    source : Source
    out : dict of int to str
        Which of them are not to be used, and why; written: those that make no shell as well.

    Returns
    -------
    usable : (M,) int64
        Which objects were looked at.
    found : Recovered
    """
    usable = _rest(source, out)
    some = source.some(usable.tolist())
    # Of all, not of those that are usable at the start: it must not hang on the day.
    epoch_utc = source.middle_epoch()
    mean, late = some.mean_at(epoch_utc)
    if 2 * len(late) > len(usable):  # a file that spans months
        epoch_utc = some.middle_epoch()
        mean, late = some.mean_at(epoch_utc)
    out |= {int(usable[i]): reason for i, reason in late.items()}
    there = np.setdiff1d(np.arange(len(usable)), list(late))
    usable = _rest(source, out)
    found = recovery.recover(mean[there], epoch_utc)
    out |= {int(usable[i]): reason for i, reason in found.structure.left_out.items()}
    return usable, found


def _seconds(from_utc: str, to_utc: str) -> float:
    before, after = utc_jd(from_utc), utc_jd(to_utc)
    return float((after[0] - before[0] + after[1] - before[1]) * DAY_S)


def _rest(source: elements.Source, out: dict[int, str]) -> NDArray[np.int64]:
    """Indices of the objects that are not out."""
    names = source.names
    if len(out) == len(names):
        index, reason = next(reversed(out.items()))
        raise InputError(f"{source.path}: no element set is usable; {names[index]}: {reason}")
    return np.array([i for i in range(len(names)) if i not in out])
