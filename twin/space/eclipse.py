"""Earth's shadow: how much of the Sun a satellite sees, now, over a step, and when that changes.

The cone takes the sizes of both discs into account, the cylinder has the Sun at infinity.

References
----------
O. Montenbruck and E. Gill, "Satellite Orbits", Springer 2000, section 3.4.2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.space import shadow
from twin.vocabulary import EventKind

type Array = NDArray[np.float64]

EDGES = (
    EventKind.PENUMBRA_IN,
    EventKind.UMBRA_IN,
    EventKind.UMBRA_OUT,
    EventKind.PENUMBRA_OUT,
)
"""Names of the edges, in the order in which a satellite meets them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ShadowEdges:
    """M crossings of a shadow's edge, ordered by time.

    Attributes
    ----------
    t_s : (M,) float64
    satellite : (M,) int32
    kind : (M,) int8
        Index into `EDGES`.
    """

    t_s: Array
    satellite: NDArray[np.int32]
    kind: NDArray[np.int8]


@dataclass(frozen=True, kw_only=True, eq=False)
class StepLight:
    """Sunlight of N satellites over one step.

    Attributes
    ----------
    sunlit : (N,) float64
        Mean visible fraction of the solar disc, in [0, 1].
    edges : ShadowEdges
        Those inside the step, its end included.
    """

    sunlit: Array
    edges: ShadowEdges


def illumination(r_km: Array, sun_km: Array, model: str = "cone") -> Array:
    """Visible fraction of the solar disc.

    Parameters
    ----------
    r_km : (..., 3) float64
        Satellites, geocentric.
    sun_km : (..., 3) float64
        The Sun in the same axes; shapes broadcast.
    model : {"cone", "cylinder", "none"}

    Returns
    -------
    fraction : (...) float64
        In [0, 1]; "cylinder" gives 0 or 1, "none" always 1.
    """
    r_km, sun_km = np.broadcast_arrays(r_km, sun_km)
    fraction = np.ones(r_km.shape[:-1])
    if model != "none":
        shadow.illuminate(_rows(r_km), _rows(sun_km), model == "cone", fraction.reshape(-1))
    return fraction


def light(t_s: Array, r_km: Array, v_km_s: Array, sun_km: Array, model: str = "cone") -> StepLight:
    """Sunlight over a step: its mean, and every edge of the shadow to a microsecond.

    Between its ends a satellite's angle and radius follow cubics in time (exact on a circle) and
    the Sun a line. The step is cut where the satellite passes the axis of the shadow, so that
    both edges of a short eclipse inside one step are found, and integrated between edges. Steps
    that share an instant agree about it: no edge is lost or counted twice.

    Parameters
    ----------
    t_s : (2,) float64
        Start and end of the step.
    r_km, v_km_s : (2, N, 3) float64
        Geocentric states then.
    sun_km : (2, 3) float64
        The Sun then, in the same axes.
    model : {"cone", "cylinder", "none"}
        The cylinder has umbra only.
    """
    t, r, v, sun = (np.ascontiguousarray(a, dtype=np.float64) for a in (t_s, r_km, v_km_s, sun_km))
    n = r.shape[1]
    sunlit = np.ones(n)
    found = np.empty((n + 8, 3))
    room = len(found)
    if model != "none":
        arrays = (t, r, v, sun, model == "cone", sunlit)
        room = shadow.step_light(*arrays, found)
        if room < 0:
            found = np.empty((len(found) - room, 3))
            room = shadow.step_light(*arrays, found)
    found = found[room:][np.argsort(found[room:, 0], kind="stable")]
    edges = ShadowEdges(
        t_s=found[:, 0], satellite=found[:, 1].astype(np.int32), kind=found[:, 2].astype(np.int8)
    )
    return StepLight(sunlit=sunlit, edges=edges)


def beta_angle_rad(r_km: Array, v_km_s: Array, sun_km: Array) -> Array:
    """Angle of the Sun above the orbital plane, towards its angular momentum.

    Parameters
    ----------
    r_km, v_km_s, sun_km : (..., 3) float64
        Geocentric; shapes broadcast.

    Returns
    -------
    beta_rad : (...) float64
        In [-pi/2, pi/2].
    """
    normal = np.cross(r_km, v_km_s)
    lengths = np.linalg.norm(normal, axis=-1) * np.linalg.norm(sun_km, axis=-1)
    beta_rad: Array = np.arcsin(np.clip(np.sum(normal * sun_km, axis=-1) / lengths, -1, 1))
    return beta_rad


def _rows(vectors: Array) -> Array:
    return np.ascontiguousarray(vectors, dtype=np.float64).reshape(-1, 3)
