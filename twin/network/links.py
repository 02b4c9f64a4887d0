"""Laser inter-satellite links: who may pair with whom, and whether a pairing holds right now."""

import itertools
from dataclasses import dataclass
from enum import IntEnum

import numba
import numpy as np
from numpy.typing import NDArray

from twin.constants import C_KM_S, R_EARTH_KM
from twin.scenario.schema import Links
from twin.space.constellation import Constellation


class LinkState(IntEnum):
    """State of a link in a snapshot; anything but `UP` names the first limit that broke it."""

    UP = 0
    RANGE = 1
    GRAZING = 2
    RATE = 3
    RANDOM = 4


class LinkKind(IntEnum):
    """Where on the +Grid a link sits."""

    INTRA_PLANE = 0
    INTER_PLANE = 1
    SEAM = 2


@dataclass(frozen=True, kw_only=True)
class Skeleton:
    """The fixed set of pairings, and the CSR graph whose weights a snapshot rewrites.

    Attributes
    ----------
    edges : (E, 2) int32
        Satellites of each duplex link.
    kind : (E,) int8
        `LinkKind` of each.
    indptr, indices : (N+1,), (2E,) int32
        CSR graph with both directions of every link.
    entry : (E, 2) int32
        Where in `indices` the two directions of each link stand.
    """

    edges: NDArray[np.int32]
    kind: NDArray[np.int8]
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    entry: NDArray[np.int32]


def plus_grid(constellation: Constellation, *, seam: str, seam_shift: float = 0.0) -> Skeleton:
    """Pair every satellite with its neighbours in its plane and in the two planes beside it.

    Across planes, satellites are matched by ring position, nearest first and each at most once a
    side, so planes of unequal size pair as far as they can. Where the first and last plane move
    against each other, as in a star, a closed seam pairs those that are closest at the epoch;
    its links come and go as their satellites pass.

    Parameters
    ----------
    constellation : Constellation
        Planes in order of RAAN.
    seam : {"open", "closed"}
        Whether the last plane pairs with the first.
    seam_shift : float
        What to add to a ring position of the last plane to compare it with the first: the
        phasing that has built up over the planes, F/S of a Walker delta.
    """
    plane, ring = constellation.plane, constellation.ring_position
    members = [
        rows[np.argsort(ring[rows], kind="stable")]
        for rows in (np.flatnonzero(plane == p) for p in range(constellation.n_planes))
    ]
    pairs: list[tuple[int, int, int]] = []
    for rows in members:
        if len(rows) > 1:
            n_links = len(rows) if len(rows) > 2 else 1
            pairs += [
                (int(rows[i]), int(rows[(i + 1) % len(rows)]), LinkKind.INTRA_PLANE)
                for i in range(n_links)
            ]
    for left, right in itertools.pairwise(members):
        matched = _match(left, right, ring[left], ring[right])
        pairs += [(a, b, LinkKind.INTER_PLANE) for a, b in matched]
    if seam == "closed" and len(members) > 2:
        last, first = members[-1], members[0]
        towards = ring[last] + seam_shift
        here = ring[first]
        if _counter_rotating(constellation, int(last[0]), int(first[0])):
            latitude = (constellation.argp_rad + constellation.nu_rad) / (2 * np.pi)
            towards, here = 0.5 - latitude[last], latitude[first]
        pairs += [(a, b, LinkKind.SEAM) for a, b in _match(last, first, towards, here)]
    table = np.array(pairs, dtype=np.int32).reshape(-1, 3)
    return _skeleton(constellation.size, table[:, :2].copy(), table[:, 2].astype(np.int8))


@dataclass(frozen=True, kw_only=True)
class LinkLimits:
    """What a link must respect; lengths in km, rate in rad/s."""

    minimum_radius_km: float
    max_range_km: float
    max_angular_rate_rad_s: float


def limits(links: Links) -> LinkLimits:
    """Return the limits of a scenario's links table."""
    return LinkLimits(
        minimum_radius_km=R_EARTH_KM + links.grazing_altitude_km,
        max_range_km=np.inf if links.max_range_km is None else links.max_range_km,
        max_angular_rate_rad_s=links.max_angular_rate_rad_s,
    )


def link_states(
    skeleton: Skeleton,
    r_km: NDArray[np.float64],
    v_km_s: NDArray[np.float64],
    unbroken: NDArray[np.bool_],
    limit: LinkLimits,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """State of every link at one instant, and the delays that go with it.

    The line of sight turns at ``|dr x dv| / |dr|^2`` in inertial axes, and passes the Earth's
    centre at ``|ra x rb| / |dr|`` where the closest point lies between the two satellites.

    Parameters
    ----------
    skeleton : Skeleton
    r_km, v_km_s : (N, 3) float64
        Positions and velocities in one inertial frame.
    unbroken : (E,) bool
        Links that no random outage holds down.
    limit : LinkLimits

    Returns
    -------
    state : (E,) uint8
        `LinkState`; geometry is told before chance.
    weight_s : (2E,) float64
        One-way light time per CSR entry, ``inf`` where the link is not up.
    """
    state = np.empty(len(skeleton.edges), np.uint8)
    weight_s = np.empty(len(skeleton.indices))
    _link_states(
        skeleton.edges,
        skeleton.entry,
        r_km,
        v_km_s,
        unbroken,
        limit.minimum_radius_km,
        limit.max_range_km,
        limit.max_angular_rate_rad_s,
        state,
        weight_s,
    )
    return state, weight_s


def _counter_rotating(constellation: Constellation, a: int, b: int) -> bool:
    """Whether two satellites' orbits turn more than a right angle away from each other."""
    inc, raan = constellation.inc_rad, constellation.raan_rad
    aligned = np.cos(inc[a]) * np.cos(inc[b])
    aligned += np.sin(inc[a]) * np.sin(inc[b]) * np.cos(raan[a] - raan[b])
    return bool(aligned < 0)


def _match(
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    left_ring: NDArray[np.float64],
    right_ring: NDArray[np.float64],
) -> list[tuple[int, int]]:
    """Nearest-first one-to-one matching of two planes by their places along the orbit, in turns.

    Partners further apart than one mean slot of the fuller plane are left unpaired.
    """
    gap = np.abs((left_ring[:, None] - right_ring[None, :] + 0.5) % 1.0 - 0.5)
    reach = 1.0 / max(len(left), len(right))
    free_left, free_right = np.ones(len(left), bool), np.ones(len(right), bool)
    pairs = []
    # Rounded, so that equal gaps are met in index order on every machine.
    for flat in np.argsort(gap.round(9), axis=None, kind="stable"):
        i, j = divmod(int(flat), len(right))
        if gap[i, j] >= reach:
            break
        if free_left[i] and free_right[j]:
            free_left[i] = free_right[j] = False
            pairs.append((int(left[i]), int(right[j])))
    return sorted(pairs)


def _skeleton(n: int, edges: NDArray[np.int32], kind: NDArray[np.int8]) -> Skeleton:
    tail = np.concatenate([edges[:, 0], edges[:, 1]])
    head = np.concatenate([edges[:, 1], edges[:, 0]])
    order = np.lexsort((head, tail))
    entry = np.empty(2 * len(edges), np.int32)
    entry[order] = np.arange(2 * len(edges), dtype=np.int32)
    return Skeleton(
        edges=edges,
        kind=kind,
        indptr=np.searchsorted(tail[order], np.arange(n + 1)).astype(np.int32),
        indices=head[order].astype(np.int32),
        entry=np.ascontiguousarray(entry.reshape(2, -1).T),
    )


@numba.njit(cache=True)
def _link_states(  # type: ignore[no-untyped-def]
    edges, entry, r_km, v_km_s, unbroken, minimum_radius_km, max_range_km, max_rate, state, weight_s
):
    for e in range(edges.shape[0]):
        a = edges[e, 0]
        b = edges[e, 1]
        ax, ay, az = r_km[a, 0], r_km[a, 1], r_km[a, 2]
        dx, dy, dz = r_km[b, 0] - ax, r_km[b, 1] - ay, r_km[b, 2] - az
        wx, wy, wz = (
            v_km_s[b, 0] - v_km_s[a, 0],
            v_km_s[b, 1] - v_km_s[a, 1],
            v_km_s[b, 2] - v_km_s[a, 2],
        )
        range2 = dx * dx + dy * dy + dz * dz
        # Where along a -> b the Earth's centre is closest, as a fraction of the link.
        along = -(ax * dx + ay * dy + az * dz) / range2
        along = min(1.0, max(0.0, along))
        px, py, pz = ax + along * dx, ay + along * dy, az + along * dz
        cx, cy, cz = dy * wz - dz * wy, dz * wx - dx * wz, dx * wy - dy * wx
        code = 0
        if range2 > max_range_km * max_range_km:
            code = 1
        elif px * px + py * py + pz * pz < minimum_radius_km * minimum_radius_km:
            code = 2
        elif cx * cx + cy * cy + cz * cz > (max_rate * range2) ** 2:
            code = 3
        elif not unbroken[e]:
            code = 4
        state[e] = code
        delay = np.sqrt(range2) / C_KM_S if code == 0 else np.inf
        weight_s[entry[e, 0]] = delay
        weight_s[entry[e, 1]] = delay
