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

type Array = NDArray[np.float64]

EDGES = ("penumbra in", "umbra in", "umbra out", "penumbra out")


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


def sunlit_fraction(
    r0_km: Array,
    v0_km_s: Array,
    r1_km: Array,
    v1_km_s: Array,
    sun_km: Array,
    step_s: float,
    model: str = "cone",
) -> Array:
    """Mean visible fraction of the solar disc over a step.

    Between its ends a satellite's angle and radius follow cubics in time (exact on a circle) and
    the Sun stands still. The step is cut where the satellite passes the axis of the shadow, so
    that both edges of a short eclipse inside one step are found, and integrated between edges.

    Parameters
    ----------
    r0_km, v0_km_s, r1_km, v1_km_s : (N, 3) float64
        States at the start and the end of the step, geocentric.
    sun_km : (3,) float64
        The Sun in the same axes.
    step_s : float
        Length of the step.
    model : {"cone", "cylinder", "none"}

    Returns
    -------
    fraction : (N,) float64
        In [0, 1].
    """
    fraction = np.ones(len(r0_km))
    if model != "none":
        ends = (_rows(r0_km), _rows(v0_km_s), _rows(r1_km), _rows(v1_km_s))
        shadow.mean_light(*ends, _rows(sun_km)[0], float(step_s), model == "cone", fraction)
    return fraction


def shadow_edges(
    t_s: Array, r_km: Array, v_km_s: Array, sun_km: Array, model: str = "cone"
) -> ShadowEdges:
    """Every entry into and exit from penumbra and umbra, to a microsecond of the given motion.

    Parameters
    ----------
    t_s : (T,) float64
        Increasing times; motion between them as in `sunlit_fraction`.
    r_km, v_km_s : (T, N, 3) float64
    sun_km : (T, 3) float64
    model : {"cone", "cylinder", "none"}
        The cylinder has umbra only.
    """
    t, r, v, sun = (np.ascontiguousarray(a, dtype=np.float64) for a in (t_s, r_km, v_km_s, sun_km))
    count, found = 0, np.empty((4 * r.shape[1], 3))
    if model != "none":
        count = shadow.find_edges(t, r, v, sun, model == "cone", found)
    if count > len(found):
        found = np.empty((count, 3))
        shadow.find_edges(t, r, v, sun, model == "cone", found)
    found = found[:count][np.argsort(found[:count, 0], kind="stable")]
    return ShadowEdges(
        t_s=found[:, 0], satellite=found[:, 1].astype(np.int32), kind=found[:, 2].astype(np.int8)
    )


def _rows(vectors: Array) -> Array:
    return np.ascontiguousarray(vectors, dtype=np.float64).reshape(-1, 3)
