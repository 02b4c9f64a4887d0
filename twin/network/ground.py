"""Ground sites: where they are, what they see, and when satellites pass over them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.network.cities import city_sites
from twin.scenario.ground import Ground
from twin.space.frames import geodetic

type Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sites:
    """G places on the ground, in Earth-fixed axes (ITRS).

    Attributes
    ----------
    names : tuple of str, length G
    share : (G,) float64
        Part of all requests that comes from each; sums to 1.
    r_km : (G, 3) float64
    up : (G, 3) float64
        Unit normal of the ellipsoid, from which elevation counts.
    minimum_elevation_rad : float
        Elevation mask of all of them.
    max_slant_km : float
        How far a satellite that serves them may be; no limit by default.
    """

    names: tuple[str, ...]
    share: Array
    r_km: Array
    up: Array
    minimum_elevation_rad: float
    max_slant_km: float = np.inf

    @property
    def size(self) -> int:
        """Number of sites, G."""
        return len(self.names)


def sites(ground: Ground, *, max_slant_km: float = np.inf) -> Sites:
    """Return the sites of a scenario's ground table; there may be none."""
    table = city_sites() if ground.users == "cities" else ground.sites
    rows = [(s.latitude_deg, s.longitude_deg, s.altitude_m, s.weight) for s in table]
    latitude, longitude, altitude_m, weight = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    r_km, up = geodetic(np.radians(latitude), np.radians(longitude), altitude_m / 1000)
    return Sites(
        names=tuple(s.name for s in table),
        share=weight / weight.sum(),
        r_km=r_km,
        up=up,
        minimum_elevation_rad=float(np.radians(ground.minimum_elevation_deg)),
        max_slant_km=max_slant_km,
    )


def look(sites: Sites, r_itrs_km: Array) -> tuple[Array, Array]:
    """Sine of the elevation, and slant range, of every satellite from every site.

    Geometric: no refraction, no light time (30 m of motion in low orbit).

    Parameters
    ----------
    sites : Sites
    r_itrs_km : (N, 3) float64
        Positions in Earth-fixed axes: ``r_gcrs @ gcrs_to_itrs(epoch_utc, t_s)[k].T``.

    Returns
    -------
    sin_elevation, slant_km : (G, N) float64
    """
    # |s - g|^2 = |s|^2 - 2 g.s + |g|^2 and up.(s - g), each as one matrix product.
    square = np.einsum("ij,ij->i", r_itrs_km, r_itrs_km)
    seen = np.column_stack([r_itrs_km, square, np.ones_like(square)])
    nadir = np.einsum("ij,ij->i", sites.r_km, sites.r_km)
    slant_km: Array = np.column_stack([-2 * sites.r_km, np.ones_like(nadir), nadir]) @ seen.T
    np.sqrt(slant_km, out=slant_km)
    height = np.einsum("ij,ij->i", sites.r_km, sites.up)
    sin_elevation: Array = np.column_stack([sites.up, np.zeros_like(height), -height]) @ seen.T
    sin_elevation /= slant_km
    return sin_elevation, slant_km


def look_along(
    sites: Sites, site: NDArray[np.int32], r_itrs_km: Array, v_itrs_km_s: Array
) -> tuple[Array, Array, Array]:
    """`look` for K pairs only, with the rate at which the sine of the elevation changes.

    Parameters
    ----------
    sites : Sites
    site : (K,) int32
        Which site looks at each satellite.
    r_itrs_km, v_itrs_km_s : (K, 3) float64
        Satellites in Earth-fixed axes.

    Returns
    -------
    sin_elevation, rate_1_s, slant_km : (K,) float64
    """
    up, ray = sites.up[site], r_itrs_km - sites.r_km[site]
    slant_km = np.sqrt(np.einsum("ij,ij->i", ray, ray))
    sin_elevation = np.einsum("ij,ij->i", up, ray) / slant_km
    recede_km_s = np.einsum("ij,ij->i", ray, v_itrs_km_s) / slant_km
    climb_km_s = np.einsum("ij,ij->i", up, v_itrs_km_s)
    return sin_elevation, (climb_km_s - sin_elevation * recede_km_s) / slant_km, slant_km
