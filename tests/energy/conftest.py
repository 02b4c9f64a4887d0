"""A round satellite to calculate with, and circular orbits under a fixed Sun."""

from dataclasses import replace

import numpy as np
import pytest

from twin.constants import MU_EARTH_KM3_S2, R_EARTH_KM
from twin.energy.bus import BUS_PROFILES

SUN_KM = np.array([149_597_870.7, 0.0, 0.0])


@pytest.fixture
def bus():
    """300 W array, 100 Wh, 100 W idle, 200 W peak, dropping its load only when empty."""
    return replace(
        BUS_PROFILES["sbc"],
        name="test",
        array_w=300.0,
        battery_wh=100.0,
        platform_w=60.0,
        terminal_w=5.0,
        compute_idle_w=20.0,
        compute_peak_w=120.0,
        brownout_soc=0.0,
        recovery_soc=0.1,
    )


@pytest.fixture
def sun_km():
    return SUN_KM


@pytest.fixture
def circular():
    """States (N, 3) of circular orbits: beta and angle from noon, (N,), altitude, and time."""

    def at(beta_rad, noon_rad, altitude_km, t_s):
        beta_rad, noon_rad = np.broadcast_arrays(beta_rad, noon_rad)
        radius_km = R_EARTH_KM + altitude_km
        rate_rad_s = np.sqrt(MU_EARTH_KM3_S2 / radius_km**3)
        angle = noon_rad + rate_rad_s * t_s
        zero = np.zeros_like(angle)
        up = np.stack([np.cos(beta_rad), zero, np.sin(beta_rad)], -1)
        along = np.stack([zero, zero + 1.0, zero], -1)
        cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
        return radius_km * (cos * up + sin * along), radius_km * rate_rad_s * (
            cos * along - sin * up
        )

    return at


@pytest.fixture
def sunlit_share():
    """Exact sunlit share of a step on a circular orbit, cylinder shadow, (N,)."""

    def share(beta_rad, noon_rad, altitude_km, t_s, step_s):
        radius_km = R_EARTH_KM + altitude_km
        rate_rad_s = np.sqrt(MU_EARTH_KM3_S2 / radius_km**3)
        reach = np.sqrt(1.0 - (R_EARTH_KM / radius_km) ** 2) / np.cos(beta_rad)
        half = np.arccos(np.minimum(reach, 1.0))
        start = (noon_rad + rate_rad_s * t_s) % (2 * np.pi)
        end, dark = start + rate_rad_s * step_s, 0.0
        for midnight in (np.pi, 3 * np.pi):
            within = np.minimum(end, midnight + half) - np.maximum(start, midnight - half)
            dark = dark + np.maximum(within, 0.0)
        return 1.0 - dark / (end - start)

    return share
