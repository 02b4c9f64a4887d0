import json

import erfa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.constants import R_EARTH_KM
from twin.space.eclipse import EDGES, illumination, shadow_edges, sunlit_fraction
from twin.space.frames import tt_jd
from twin.space.propagation import propagate
from twin.space.sun import AU_KM, sun_gcrs_km

A_550_KM = 6928.137
PERIOD_S = 5738.993


def edges_of(constellation, epoch, span_s, model="cone"):
    t_s = np.arange(0.0, span_s, 60.0)
    edges = shadow_edges(
        t_s, *propagate(constellation, "kepler", t_s), sun_gcrs_km(epoch, t_s), model
    )
    return edges.t_s, [EDGES[k] for k in edges.kind]


@pytest.mark.parametrize(
    ("epoch", "inc_deg", "expected_s"),
    [
        ("2026-03-20T00:00:00Z", 87, (1790.08, 1798.62, 3926.94, 3935.47)),
        ("2026-03-20T00:00:00Z", 53, (1783.56, 1792.10, 3920.65, 3929.18)),
        ("2026-06-21T00:00:00Z", 87, (3804.51, 3840.49, 4720.76, 4756.74)),
        ("2026-06-21T00:00:00Z", 53, (3277.44, 3287.34, 5296.97, 5306.88)),
    ],
)
def test_edges_of_independent_ephemerides(orbits, epoch, inc_deg, expected_s):
    """Times that satkit and JPL's DE421 agree on to 0.02 s."""
    t_s, kinds = edges_of(orbits(a_km=A_550_KM, inc_deg=inc_deg), epoch, PERIOD_S)
    assert kinds == list(EDGES)
    np.testing.assert_allclose(t_s, expected_s, rtol=0, atol=0.5)


def test_orekit_edges(orbits, shared):
    row = json.loads((shared / "oracles.json").read_text())["orekit_via_poliastro"]
    orbit = row["orbit"]
    c = orbits(
        a_km=orbit["a_m"] / 1000,
        ecc=orbit["ecc"],
        inc_deg=orbit["inc_deg"],
        raan_deg=orbit["raan_deg"],
        argp_deg=orbit["argp_deg"],
        nu_deg=orbit["nu_deg"],
    )
    t_s, kinds = edges_of(c, orbit["epoch_utc"], 1000.0)
    assert kinds == ["penumbra in", "umbra in"]
    np.testing.assert_allclose(t_s, [row["penumbra_entry_s"], row["umbra_entry_s"]], rtol=0, atol=3)


def test_basilisk_illumination(orbits, shared):
    row = json.loads((shared / "oracles.json").read_text())["basilisk_eclipse"]
    sun_km = sun_gcrs_km(row["epoch_utc"], np.zeros(1))
    c = orbits(a_km=R_EARTH_KM + 500, ecc=1e-5, inc_deg=5, raan_deg=48.2, nu_deg=[107.5, 173])
    r_km, _ = propagate(c, "kepler", np.zeros(1))
    expected = [row["earth_partial"]["illumination"], row["earth_full"]["illumination"]]
    np.testing.assert_allclose(illumination(r_km[0], sun_km), expected, rtol=0, atol=2e-2)
    # Basilisk's Sun is geometric; with it the two agree to the figures of its ephemeris.
    heliocentric, _ = erfa.epv00(*tt_jd(row["epoch_utc"], np.zeros(1)))
    geometric_km = -heliocentric["p"] * AU_KM
    np.testing.assert_allclose(illumination(r_km[0], geometric_km), expected, rtol=0, atol=5e-4)
    # Of an annular eclipse the figure is the share that Earth covers.
    far_km = np.array(row["earth_annular"]["r_m"]) / 1000
    covered = 1 - illumination(far_km, sun_km[0])
    assert covered == pytest.approx(row["earth_annular"]["illumination"], rel=1e-2)


@pytest.mark.parametrize(
    ("beta_deg", "fraction"),
    [(0, 0.37231), (10, 0.37023), (20, 0.36359), (30, 0.35111), (40, 0.32975), (50, 0.29218),
     (60, 0.21474), (67.1, 0)],
)  # fmt: skip
def test_eclipse_fraction_of_an_orbit(orbits, beta_deg, fraction):
    beta = np.radians(beta_deg)
    sun_km = AU_KM * np.array([np.cos(beta), 0, np.sin(beta)])
    t_s = np.linspace(0, 2 * np.pi * np.sqrt(A_550_KM**3 / 398600.4418), 21)
    r, v = propagate(orbits(a_km=A_550_KM), "kepler", t_s)
    step_s = t_s[1]
    light = [
        sunlit_fraction(r[k], v[k], r[k + 1], v[k + 1], sun_km, step_s, "cylinder")[0]
        for k in range(20)
    ]
    assert 1 - np.mean(light) == pytest.approx(fraction, abs=1e-4)


def test_illumination_of_the_three_models():
    sun_km = np.array([AU_KM, 0, 0])
    r_km = np.array([[7000.0, 0, 0], [-7000, 0, 0], [-7000, 6378.1, 0], [-7000, 6500, 0]])
    np.testing.assert_array_equal(illumination(r_km, sun_km, "cylinder"), [1, 0, 0, 1])
    np.testing.assert_array_equal(illumination(r_km, sun_km, "none"), 1)
    cone = illumination(r_km, sun_km, "cone")
    np.testing.assert_array_equal(cone[[0, 1, 3]], [1, 0, 1])
    # Earth's limb through the middle of the Sun's disc: half of it shows.
    assert cone[2] == pytest.approx(0.5, abs=0.01)
    assert illumination(r_km.reshape(2, 2, 3), sun_km).shape == (2, 2)


@settings(max_examples=150, deadline=None)
@given(
    r_km=st.floats(6600, 42000),
    half_width=st.floats(0.002, 0.35),
    turn=st.floats(0.01, 0.35),
    where=st.floats(-0.3, 1.3),
)
def test_grazing_cylinder_in_closed_form(r_km, half_width, turn, where):
    """A shadow of chosen width whose middle lies before, in or after one step."""
    cos_beta = np.sqrt(1 - (R_EARTH_KM / r_km) ** 2) / np.cos(half_width)
    if cos_beta > 1:
        return
    middle = where * turn
    sun_km = AU_KM * np.array(
        [-cos_beta * np.cos(middle), -cos_beta * np.sin(middle), np.sqrt(1 - cos_beta**2)]
    )
    rate = np.sqrt(398600.4418 / r_km**3)
    angle = np.array([0, turn])
    r = r_km * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)[:, None]
    v = r_km * rate * np.stack([-np.sin(angle), np.cos(angle), 0 * angle], axis=1)[:, None]
    light = sunlit_fraction(r[0], v[0], r[1], v[1], sun_km, turn / rate, "cylinder")[0]
    dark = max(0.0, min(turn, middle + half_width) - max(0.0, middle - half_width)) / turn
    assert light == pytest.approx(1 - dark, abs=1e-6)


def dense_mean(constellation, sun_km, step_s, model):
    """Mean illumination over 4000 moments of a two-body step."""
    t_s = (np.arange(4000) + 0.5) / 4000 * step_s
    r_km, _ = propagate(constellation, "kepler", t_s)
    return illumination(r_km[:, 0], sun_km, model).mean()


def step_light(constellation, sun_km, step_s, model):
    r, v = propagate(constellation, "kepler", np.array([0.0, step_s]))
    return sunlit_fraction(r[0], v[0], r[1], v[1], sun_km, step_s, model)[0]


@settings(max_examples=60, deadline=None)
@given(
    a_km=st.floats(6900, 9000),
    ecc=st.floats(0, 0.02),
    angles_deg=st.tuples(*[st.floats(0, 359)] * 3),
    inc_deg=st.floats(0, 180),
    step_s=st.floats(1, 600),
    model=st.sampled_from(["cone", "cylinder"]),
)
def test_fraction_is_the_mean_of_dense_samples(
    orbits, a_km, ecc, angles_deg, inc_deg, step_s, model
):
    raan, argp, nu = angles_deg
    c = orbits(a_km=a_km, ecc=ecc, inc_deg=inc_deg, raan_deg=raan, argp_deg=argp, nu_deg=nu)
    sun_km = AU_KM * np.array([0.6, -0.64, -0.48])
    expected = dense_mean(c, sun_km, step_s, model)
    assert step_light(c, sun_km, step_s, model) == pytest.approx(expected, abs=6e-4)


@settings(max_examples=60, deadline=None)
@given(
    outside=st.floats(-0.015, 0.015),
    middle_deg=st.floats(0, 20),
    step_s=st.floats(30, 300),
)
def test_grazing_cone(orbits, outside, middle_deg, step_s):
    """Passes whose deepest point is within a few solar radii of Earth's limb."""
    beta = np.arcsin(R_EARTH_KM / A_550_KM) + outside
    middle = np.radians(middle_deg)
    sun_km = AU_KM * np.array(
        [-np.cos(beta) * np.cos(middle), -np.cos(beta) * np.sin(middle), np.sin(beta)]
    )
    c = orbits(a_km=A_550_KM)
    expected = dense_mean(c, sun_km, step_s, "cone")
    assert step_light(c, sun_km, step_s, "cone") == pytest.approx(expected, abs=2e-4)


def test_fraction_under_j2_in_the_paper_constellation():
    """Five-minute steps of 1056 satellites, their planes drifting, against ten times 30 s."""
    from twin.scenario.loader import load
    from twin.space.constellation import build

    c = build(load("paper"))
    t_s = np.arange(0.0, 301.0, 30.0)
    r, v = propagate(c, "kepler-j2", t_s)
    sun_km = sun_gcrs_km(c.epoch_utc, t_s)[0]
    whole = sunlit_fraction(r[0], v[0], r[-1], v[-1], sun_km, 300.0)
    parts = [sunlit_fraction(r[k], v[k], r[k + 1], v[k + 1], sun_km, 30.0) for k in range(10)]
    np.testing.assert_allclose(whole, np.mean(parts, axis=0), rtol=0, atol=2e-4)
    assert np.count_nonzero((whole > 0) & (whole < 1)) > 50


def test_edges_bound_the_lit_fraction(orbits):
    """Both ways of finding the cylinder's edges give the same dark time, for every satellite."""
    c = orbits(a_km=A_550_KM, ecc=0.01, inc_deg=[0, 40, 75, 98], raan_deg=[0, 50, 130, 250])
    t_s = np.arange(0.0, 4 * PERIOD_S, 200.0)
    r, v = propagate(c, "kepler-j2", t_s)
    sun_km = np.tile(sun_gcrs_km("2026-04-10T00:00:00Z", np.zeros(1)), (len(t_s), 1))
    edges = shadow_edges(t_s, r, v, sun_km, "cylinder")
    assert np.all(np.diff(edges.t_s) >= 0)
    start = illumination(r[0], sun_km[0], "cylinder")
    for j in range(c.size):
        mine = edges.satellite == j
        times = np.concatenate([[0], edges.t_s[mine], t_s[-1:]])
        state = (start[j] + np.arange(len(times) - 1)) % 2
        kinds = [EDGES[k] for k in edges.kind[mine]]
        assert kinds == ["umbra out" if s else "umbra in" for s in state[1:]]
        lit_s = np.sum(np.diff(times) * state)
        fraction = [
            sunlit_fraction(r[k], v[k], r[k + 1], v[k + 1], sun_km[0], 200.0, "cylinder")[j]
            for k in range(len(t_s) - 1)
        ]
        assert lit_s == pytest.approx(200 * np.sum(fraction), abs=1e-3)


def test_no_shadow_no_edges(orbits):
    c = orbits(a_km=A_550_KM)
    assert edges_of(c, "2026-03-20T00:00:00Z", PERIOD_S, "none")[1] == []
