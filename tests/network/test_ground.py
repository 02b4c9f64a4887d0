import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.constants import R_EARTH_KM
from twin.errors import InputError
from twin.network import passes
from twin.network.ground import look, sites
from twin.scenario import loader
from twin.scenario.ground import Ground
from twin.scenario.world import ElementSets, Walker
from twin.space import constellation as constellations
from twin.space.frames import gcrs_to_itrs, geodetic
from twin.space.propagation import propagate

EPOCH = "2026-03-20T00:00:00Z"
FLATTENING = 1 / 298.257223563  # of WGS 84
TENTH_OF_A_SECOND = 0.1
TEN_METRES_KM = 0.01
TEN_METRES_DEG = 1e-3  # What the motion between samples may be off, seen from 570 km or more.


def walker(planes=4, slots=6, inclination_deg=60.0, altitude_km=550.0, phasing=1):
    return constellations.walker(
        Walker(
            planes=planes,
            satellites_per_plane=slots,
            altitude_km=altitude_km,
            inclination_deg=inclination_deg,
            phasing=phasing,
        ),
        EPOCH,
    )


def site(latitude_deg, longitude_deg=0.0, altitude_m=0.0, name="here"):
    return {
        "name": name,
        "latitude_deg": latitude_deg,
        "longitude_deg": longitude_deg,
        "altitude_m": altitude_m,
    }


def itrs_km(constellation, t_s, model="kepler-j2"):
    """Positions (T, N, 3) without any interpolation."""
    r_km, _ = propagate(constellation, model, t_s)
    return r_km @ np.swapaxes(gcrs_to_itrs(constellation.epoch_utc, t_s), -1, -2)


def test_positions_are_astropys():
    from astropy import units as u
    from astropy.coordinates import EarthLocation

    latitude, longitude, altitude_km = np.random.default_rng(1).uniform(
        [[-90], [-180], [-0.4]], [[90], [180], [9]], (3, 20)
    )
    r_km, up = geodetic(np.radians(latitude), np.radians(longitude), altitude_km)
    place = EarthLocation.from_geodetic(longitude, latitude, altitude_km * u.km)
    theirs = np.column_stack(
        [place.x.to_value("km"), place.y.to_value("km"), place.z.to_value("km")]
    )
    np.testing.assert_allclose(r_km, theirs, rtol=0, atol=1e-8)
    np.testing.assert_allclose(np.linalg.norm(up, axis=1), 1, rtol=1e-14)


def test_elevation_and_range_are_astropys():
    """From GCRS to horizontal coordinates without refraction, by another road."""
    from astropy import units as u
    from astropy.coordinates import GCRS, ITRS, AltAz, CartesianRepresentation, EarthLocation
    from astropy.time import Time
    from astropy.utils import iers

    constellation, t_s = walker(), np.array([4321.0])
    places = Ground(sites=[site(51.5, -0.1, 30.0, "a"), site(-34.6, -58.4, 0.0, "b")])
    sine, slant_km = look(sites(places), itrs_km(constellation, t_s)[0])
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        when = (Time(EPOCH.rstrip("Z")).tai + t_s[0] * u.s).utc
        r_km = propagate(constellation, "kepler-j2", t_s)[0][0]
        sky = GCRS(CartesianRepresentation(*r_km.T, unit="km"), obstime=when)
        fixed = sky.transform_to(ITRS(obstime=when)).cartesian
        for g, place in enumerate(places.sites):
            ground = EarthLocation.from_geodetic(
                place.longitude_deg, place.latitude_deg, place.altitude_m
            )
            ray = ITRS(
                fixed - ground.get_itrs(when).cartesian, obstime=when, location=ground
            ).transform_to(AltAz(obstime=when, location=ground))
            elevation_deg = np.degrees(np.arcsin(sine[g]))
            np.testing.assert_allclose(elevation_deg, ray.alt.to_value("deg"), rtol=0, atol=1e-5)
            np.testing.assert_allclose(
                slant_km[g], ray.distance.to_value("km"), rtol=0, atol=TEN_METRES_KM
            )


@given(
    latitude_deg=st.floats(-90, 90),
    longitude_deg=st.floats(-180, 180),
    direction=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda d: np.linalg.norm(d) > 0.1),
    altitude_km=st.floats(200, 36000),
)
def test_visibility_is_symmetric(latitude_deg, longitude_deg, direction, altitude_km):
    """A site sees a satellite above its horizon iff no ground hides the site from the satellite."""
    place = sites(Ground(sites=[site(latitude_deg, longitude_deg)]))
    r_km = (R_EARTH_KM + altitude_km) * np.array(direction) / np.linalg.norm(direction)
    sine = look(place, r_km[None])[0][0, 0]
    # Stretched along the axis, the ellipsoid is a sphere; which point of the ray is nearest to
    # its centre, as seen from the satellite?
    stretch = np.array([1, 1, 1 / (1 - FLATTENING)])
    start, end = r_km * stretch, place.r_km[0] * stretch
    ray = end - start
    hidden = -(start @ ray) / (ray @ ray) < 1
    assert abs(sine) < 1e-9 or (sine > 0) != hidden


@pytest.mark.parametrize(
    ("mask_deg", "slant_km", "longest_s"), [(25.0, 1123.4, 269.4), (40.0, 812.1, 164.3)]
)
def test_longest_pass_at_550_km(mask_deg, slant_km, longest_s):
    """Over a pole Earth's rotation plays no part; on a platform at the radius of the equator."""
    polar_radius_km = R_EARTH_KM * (1 - FLATTENING)
    platform = site(90.0, altitude_m=1000 * (R_EARTH_KM - polar_radius_km))
    place = sites(Ground(sites=[platform], minimum_elevation_deg=mask_deg))
    track = passes.track(walker(1, 1, 90.0, phasing=0), "kepler", 0.0, 6000.0)
    found = passes.passes(place, track)
    assert len(found.site) == 1
    assert found.set_s - found.rise_s == pytest.approx(longest_s, abs=TENTH_OF_A_SECOND)
    for t_s in (found.rise_s, found.set_s):
        sine, range_km = passes.look_at(place, track, found.site, found.satellite, t_s)
        assert np.degrees(np.arcsin(sine)) == pytest.approx(mask_deg, abs=1e-4)
        assert range_km == pytest.approx(slant_km, abs=0.1)
    _, peak_rad = passes.culminations(place, track, found)
    assert np.degrees(peak_rad) == pytest.approx(90, abs=2)


def test_pass_window_of_paseos(shared_data, tmp_path):
    """Sentinel-2B over Maspalomas: from a start some seconds after its rise, 739 s until it sets.

    PASEOS propagates Kepler's orbit from SGP4's state and takes UTC for TT: half a second.
    """
    oracle = json.loads((shared_data / "oracles.json").read_text())["paseos_window"]
    file = tmp_path / "satellite.tle"
    file.write_text("\n".join(oracle["tle"]) + "\n")
    constellation = constellations.from_element_sets(
        ElementSets(kind="tle", tle=str(file)), oracle["search_t0"] + "Z"
    )
    station = oracle["gs"]
    place = sites(
        Ground(
            sites=[site(station["lat"], station["lon"], station["alt_m"])],
            minimum_elevation_deg=float(station["min_el_deg"]),
        )
    )
    t0_s = float((np.datetime64(oracle["t0_utc"]) - np.datetime64(oracle["search_t0"])).astype(int))
    window = passes.passes(place, passes.track(constellation, "sgp4", t0_s, 3600.0))
    assert window.set_s - window.rise_s == pytest.approx(oracle["window_s"], abs=1)
    whole = passes.passes(place, passes.track(constellation, "sgp4", 0.0, 3600.0))
    # astropy, from TEME to horizontal coordinates second by second: above from 64 to 808 s.
    assert (whole.rise_s > 63) & (whole.rise_s <= 64) & (whole.set_s >= 808) & (whole.set_s < 809)


@pytest.mark.parametrize("mask_deg", [0.0, 25.0, 70.0])
def test_passes_are_those_of_dense_sampling(mask_deg):
    constellation = walker(5, 5)
    places = [site(35.0, -20.0, name="a"), site(-52.0, 100.0, name="b"), site(2.0, name="c")]
    place = sites(Ground(sites=places, minimum_elevation_deg=mask_deg))
    t_s = np.arange(0.0, 12000.0, 4.0)
    track = passes.track(constellation, "kepler-j2", t_s[0], t_s[-1])
    found = passes.passes(place, track)
    elevation_deg = np.degrees(
        np.arcsin([look(place, r_km)[0] for r_km in itrs_km(constellation, t_s)])
    )
    above = np.zeros(elevation_deg.shape, bool)
    for g, j, rise_s, set_s in zip(*found, strict=True):
        above[(rise_s <= t_s) & (t_s <= set_s), g, j] = True
    assert found.site.size > 5
    assert (np.diff(found.rise_s) >= 0).all()
    differ = above != (elevation_deg >= mask_deg)
    assert np.abs(elevation_deg[differ] - mask_deg).max(initial=0.0) < TEN_METRES_DEG

    _, peak_rad = passes.culminations(place, track, found)
    for g, j, rise_s, set_s, peak_deg in zip(*found, np.degrees(peak_rad), strict=True):
        during = elevation_deg[(rise_s <= t_s) & (t_s <= set_s), g, j]
        # Samples miss the top by 2 s at most, less than 0.8 deg at 7.6 km/s 550 km overhead.
        highest = during.max(initial=mask_deg)
        assert highest - 2 * TEN_METRES_DEG < peak_deg < highest + 1.6


def test_passes_shorter_than_the_sampling_are_found():
    place = sites(Ground(sites=[site(35.0)], minimum_elevation_deg=70.0))
    track = passes.track(walker(12, 10), "kepler-j2", 0.0, 40000.0)
    found = passes.passes(place, track)
    # Neither end of the interval they fall into sees them.
    unseen = found.rise_s // passes.SAMPLE_S == found.set_s // passes.SAMPLE_S
    t_s = np.arange(0.0, 40000.0, 5.0)
    sampled = np.array([look(place, r)[0][0] for r in itrs_km(walker(12, 10), t_s)])
    above = sampled > np.sin(np.radians(70.0))
    seen = (above & ~np.roll(above, 1, axis=0))[1:].sum() + above[0].sum()
    assert unseen.sum() >= 5
    assert 0 <= len(found.site) - seen <= 1  # One may last less than 5 s.


def test_mask_crossings_are_at_the_mask_on_the_ephemeris():
    constellation = walker(6, 6)
    place = sites(Ground(sites=[site(35.0)]))
    found = passes.passes(place, passes.track(constellation, "kepler-j2", 0.0, 9000.0))
    assert len(found.site) > 5
    for t_s in (found.rise_s, found.set_s):
        inside = (t_s > 0) & (t_s < 9000)
        seen = [look(place, r_km)[0][0] for r_km in itrs_km(constellation, t_s[inside])]
        sine = np.array(seen)[np.arange(inside.sum()), found.satellite[inside]]
        # The elevation of 25 deg changes by up to 0.1 deg in a tenth of a second.
        assert np.abs(np.degrees(np.arcsin(sine)) - 25.0).max() < TEN_METRES_DEG


def test_cities_weigh_by_population():
    place = sites(Ground(users="cities"))
    assert place.size == 50
    assert len(set(place.names)) == 50
    assert place.share.sum() == pytest.approx(1)
    share = dict(zip(place.names, place.share, strict=True))
    assert share["Tokyo"] / share["London"] == pytest.approx(37.5 / 9.0)
    # Cities lie on the ellipsoid, within the latitudes where most people live.
    assert (np.abs(place.r_km[:, 2]) < R_EARTH_KM * np.sin(np.radians(60))).all()


def test_no_sites():
    assert sites(Ground()).size == 0


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("ground.users=villages", "cities"),
        ('ground.sites=[{name="x", latitude_deg=91, longitude_deg=0}]', "less than or equal to 90"),
        (
            'ground.sites=[{name="x", latitude_deg=1.0, longitude_deg=0.0},'
            '{name="x", latitude_deg=2.0, longitude_deg=0.0}]',
            "'x' is given twice",
        ),
        ("ground.scheduling_epoch_s=0.5", "greater than or equal to 1"),
        ("ground.handover_interruption_s=-1.0", "greater than or equal to 0"),
    ],
)
def test_wrong_ground_tables_are_told_in_one_line(override, says):
    with pytest.raises(InputError, match=says) as error:
        loader.load("small", [override])
    assert "\n" not in str(error.value)


def test_sites_and_users_exclude_each_other():
    somewhere = 'ground.sites=[{name="x", latitude_deg=1.0, longitude_deg=0.0}]'
    with pytest.raises(InputError, match="not both"):
        loader.load("small", [somewhere, "ground.users=cities"])
