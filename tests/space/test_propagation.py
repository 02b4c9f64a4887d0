import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.errors import InputError
from twin.space.propagation import propagate

A_550_KM = 6928.137


def along_track_km(reference, other):
    """Signed distance of `other` ahead of `reference`, (T, N)."""
    (r0, v0), (r1, _) = reference, other
    return np.sum((r1 - r0) * v0, axis=-1) / np.linalg.norm(v0, axis=-1)


def test_kepler_is_boinors(orbits):
    from astropy import units as u
    from boinor.bodies import Earth
    from boinor.twobody import Orbit
    from boinor.twobody.propagation import ValladoPropagator

    c = orbits(
        a_km=[A_550_KM, 7578.0, 26560.0],
        ecc=[0.0, 0.02, 0.74],
        inc_deg=[87, 53, 63.4],
        raan_deg=[10, 200, 310],
        argp_deg=[0, 40, 270],
        nu_deg=[-100, 170, 20],
    )
    t_s = np.array([0.0, 1000.0, 86400.0])
    r_km, v_km_s = propagate(c, "kepler", t_s)
    for j in range(c.size):
        start = Orbit.from_classical(
            Earth,
            c.a_km[j] * u.km,
            c.ecc[j] * u.one,
            *(x[j] * u.rad for x in (c.inc_rad, c.raan_rad, c.argp_rad, c.nu_rad)),
        )
        for k, t in enumerate(t_s):
            end = start.propagate(t * u.s, method=ValladoPropagator())
            assert np.linalg.norm(end.r.to_value(u.km) - r_km[k, j]) < 1e-6
            assert np.linalg.norm(end.v.to_value(u.km / u.s) - v_km_s[k, j]) < 1e-9


@pytest.mark.parametrize(("inc_deg", "drift_deg_day"), [(87, -0.3904), (53, -4.489)])
def test_node_drift(orbits, inc_deg, drift_deg_day):
    r_km, v_km_s = propagate(
        orbits(a_km=A_550_KM, inc_deg=inc_deg), "kepler-j2", np.array([0.0, 86400.0])
    )
    normal = np.cross(r_km, v_km_s)[:, 0]
    node_deg = np.degrees(np.arctan2(normal[:, 0], -normal[:, 1]))
    assert node_deg[1] - node_deg[0] == pytest.approx(drift_deg_day, abs=1e-3)


def test_sun_synchronous_node(orbits):
    # 98.2 degrees at 700 km follows the Sun: 360 degrees in a tropical year.
    c = orbits(a_km=7078.137, inc_deg=98.188)
    r_km, v_km_s = propagate(c, "kepler-j2", np.array([0.0, 86400.0]))
    normal = np.cross(r_km, v_km_s)[:, 0]
    node_deg = np.degrees(np.arctan2(normal[:, 0], -normal[:, 1]))
    assert node_deg[1] - node_deg[0] == pytest.approx(360 / 365.2422, abs=2e-3)


@pytest.mark.parametrize("ecc", [0.0, 0.01])
def test_j2_drift_follows_cowell(orbits, ecc):
    """10 km apart (J2's short periods) at first, and never more than 0.6 km an orbit further."""
    c = orbits(
        a_km=A_550_KM,
        ecc=ecc,
        inc_deg=[0.01, 30, 53, 87, 97.6],
        raan_deg=20,
        argp_deg=40,
        nu_deg=[-170, -60, 10, 80, 150],
    )
    per_orbit = 40
    period_s = 2 * np.pi * np.sqrt(A_550_KM**3 / 398600.4418)
    t_s = np.arange(5 * per_orbit) * period_s / per_orbit
    ours, cowell = propagate(c, "kepler-j2", t_s), propagate(c, "cowell-j2", t_s)
    assert np.linalg.norm(ours[0] - cowell[0], axis=-1).max() < 10 + 5 * 0.6
    ahead_km = along_track_km(cowell, ours).reshape(5, per_orbit, -1).mean(axis=1)
    assert np.abs(np.diff(ahead_km, axis=0)).max() < 0.6


def test_mean_elements_are_not_osculating_ones(orbits, monkeypatch):
    """Cowell started from mean elements as they are runs away by tens of km an orbit."""
    from twin.space import cowell

    c = orbits(a_km=A_550_KM, inc_deg=87, nu_deg=[0, 90])
    period_s = 2 * np.pi * np.sqrt(A_550_KM**3 / 398600.4418)
    t_s = np.array([0.0, period_s])
    start = propagate(c, "kepler", np.zeros(1))
    monkeypatch.setattr(cowell, "osculating_states", lambda c: (start[0][0], start[1][0]))
    ahead_km = along_track_km(propagate(c, "cowell-j2", t_s), propagate(c, "kepler-j2", t_s))
    assert np.abs(ahead_km[1] - ahead_km[0]).max() > 30


def test_cowell_starts_at_the_epoch_alone(orbits):
    c = orbits(a_km=A_550_KM, inc_deg=53)
    alone, _ = propagate(c, "cowell-j2", np.zeros(1))
    among, _ = propagate(c, "cowell-j2", np.array([0.0, 60.0]))
    np.testing.assert_allclose(alone[0], among[0], rtol=0, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(
    a_km=st.floats(6600, 42000),
    ecc=st.floats(0, 0.7),
    angles_deg=st.tuples(*[st.floats(0, 359)] * 3),
    inc_deg=st.floats(0, 180),
    t_s=st.floats(0, 1e6),
)
def test_j2_keeps_shape_and_tilt(orbits, a_km, ecc, angles_deg, inc_deg, t_s):
    """Energy, angular momentum and its polar component are those of the mean elements."""
    raan, argp, nu = angles_deg
    c = orbits(a_km=a_km, ecc=ecc, inc_deg=inc_deg, raan_deg=raan, argp_deg=argp, nu_deg=nu)
    r_km, v_km_s = (x[0, 0] for x in propagate(c, "kepler-j2", np.array([t_s])))
    mu = 398600.4418
    energy = v_km_s @ v_km_s / 2 - mu / np.linalg.norm(r_km)
    momentum = np.cross(r_km, v_km_s)
    assert energy == pytest.approx(-mu / (2 * a_km), rel=1e-9)
    assert np.linalg.norm(momentum) == pytest.approx(np.sqrt(mu * a_km * (1 - ecc**2)), rel=1e-9)
    tilt = momentum[2] / np.linalg.norm(momentum)
    assert tilt == pytest.approx(np.cos(np.radians(inc_deg)), abs=1e-9)


def test_chunks_join_exactly(orbits):
    c = orbits(a_km=A_550_KM, ecc=1e-3, inc_deg=[53, 87], nu_deg=[0, 100])
    t_s = np.linspace(0, 6000, 50)
    whole, _ = propagate(c, "kepler-j2", t_s)
    parts = [propagate(c, "kepler-j2", part)[0] for part in (t_s[:7], t_s[7:30], t_s[30:])]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    assert whole.flags.c_contiguous


def test_unknown_model(orbits):
    with pytest.raises(InputError, match="kepler-j2"):
        propagate(orbits(a_km=7000.0), "keppler", np.zeros(1))


def test_sgp4_needs_element_sets(orbits):
    with pytest.raises(InputError, match="tle"):
        propagate(orbits(a_km=7000.0), "sgp4", np.zeros(1))
