"""Physical constants, one value each, with their source.

Lengths in km, times in s, angles in rad.
"""

from typing import Final

MU_EARTH_KM3_S2: Final = 398600.4418
"""Earth's gravitational parameter (WGS 84 / EGM-96)."""

R_EARTH_KM: Final = 6378.137
"""Earth's equatorial radius (WGS 84)."""

J2_EARTH: Final = 1.08262668e-3
"""Second zonal harmonic of Earth's field (EGM-96)."""

R_SUN_KM: Final = 695700.0
"""Nominal solar radius (IAU 2015 resolution B3)."""

C_KM_S: Final = 299792.458
"""Speed of light in vacuum (SI definition)."""

SOLAR_CONSTANT_W_M2: Final = 1361.0
"""Total solar irradiance at 1 au (IAU 2015 resolution B3)."""
