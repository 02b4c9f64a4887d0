import numpy as np
import pytest

from twin.scenario import loader
from twin.space.constellation import build
from twin.space.ephemeris import Ephemeris, ground_track


def ephemeris(*overrides):
    scenario = loader.load("small", overrides)
    return Ephemeris(scenario, build(scenario))


def edges(sky, steps):
    """(satellite, time, kind) of all edges of some steps."""
    found = [sky.light(step).edges for step in range(steps)]
    return [
        (int(i), float(t), int(k))
        for e in found
        for i, t, k in zip(e.satellite, e.t_s, e.kind, strict=True)
    ]


@pytest.mark.parametrize("chunk_steps", [1, 7, 256])
def test_light_does_not_depend_on_the_chunk(chunk_steps):
    small, whole = ephemeris(f"propagation.chunk_steps={chunk_steps}"), ephemeris()
    assert edges(small, 60) == edges(whole, 60)
    np.testing.assert_array_equal(small.sunlit(31), whole.sunlit(31))


def test_light_of_any_step_in_any_order():
    onward, back = ephemeris("propagation.chunk_steps=8"), ephemeris("propagation.chunk_steps=8")
    lights = [onward.light(step) for step in range(20)]
    for step in reversed(range(20)):
        light = back.light(step)
        np.testing.assert_array_equal(light.sunlit, lights[step].sunlit)
        np.testing.assert_array_equal(light.edges.t_s, lights[step].edges.t_s)


def test_edges_lie_in_their_step_and_alternate():
    sky = ephemeris("simulation.steps=400")
    for step in range(400):
        t_s = sky.light(step).edges.t_s
        assert np.all((t_s >= sky.t_s[step]) & (t_s <= sky.t_s[step] + sky.step_s))
    found = edges(sky, 400)
    for satellite in range(48):
        kinds = [kind for i, _, kind in found if i == satellite]
        assert kinds
        np.testing.assert_array_equal(np.diff(kinds) % 4, 1)


@pytest.mark.parametrize("epoch", ["2022-09-14T12:00:00Z", "2026-03-20T00:00:00Z"])
def test_ground_track_is_astropys(epoch):
    from astropy import units as u
    from astropy.coordinates import GCRS, ITRS, CartesianRepresentation
    from astropy.time import Time
    from astropy.utils import iers

    rng = np.random.default_rng(3)
    r_km = rng.normal(size=(30, 3))
    r_km *= rng.uniform(6600, 42000, (30, 1)) / np.linalg.norm(r_km, axis=1)[:, None]
    t_s = np.linspace(0, 86400, 30)
    latitude_deg, longitude_deg, height_km = ground_track(epoch, t_s, r_km)
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        when = Time(epoch.rstrip("Z")) + t_s * u.s
        gcrs = GCRS(CartesianRepresentation(*r_km.T, unit="km"), obstime=when)
        place = gcrs.transform_to(ITRS(obstime=when)).earth_location.geodetic
    np.testing.assert_allclose(latitude_deg, place.lat.deg, rtol=0, atol=1e-6)
    np.testing.assert_allclose(longitude_deg, place.lon.deg, rtol=0, atol=1e-5)
    np.testing.assert_allclose(height_km, place.height.to_value("km"), rtol=0, atol=1e-4)
