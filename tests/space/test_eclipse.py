import erfa
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from twin.constants import R_EARTH_KM
from twin.space.eclipse import EDGES, beta_angle_rad, illumination, light
from twin.space.frames import tt_jd
from twin.space.propagation import propagate
from twin.space.sun import AU_KM, sun_gcrs_km

A_550_KM = 6928.137
PERIOD_S = 5738.993


def lights(t_s, states, sun_km, model="cone"):
    """Light of every step between times."""
    r, v = states
    pairs = [slice(k, k + 2) for k in range(len(t_s) - 1)]
    return [light(t_s[p], r[p], v[p], sun_km[p], model) for p in pairs]


def edges_of(constellation, epoch, span_s, model="cone", *, step_s=60.0, motion="kepler"):
    """Times, names and satellites of all edges of a constellation, step by step."""
    t_s = np.arange(0.0, span_s + step_s / 2, step_s)
    steps = lights(t_s, propagate(constellation, motion, t_s), sun_gcrs_km(epoch, t_s), model)
    edges = [step.edges for step in steps]
    kinds = [EDGES[k] for e in edges for k in e.kind]
    return (
        np.concatenate([e.t_s for e in edges]),
        kinds,
        np.concatenate([e.satellite for e in edges]),
    )


@pytest.mark.parametrize("step_s", [15.0, 60.0, 300.0])
@pytest.mark.parametrize(
    ("epoch", "inc_deg", "expected_s"),
    [
        ("2026-03-20T00:00:00Z", 87, (1790.08, 1798.62, 3926.94, 3935.47)),
        ("2026-03-20T00:00:00Z", 53, (1783.56, 1792.10, 3920.65, 3929.18)),
        ("2026-06-21T00:00:00Z", 87, (3804.51, 3840.49, 4720.76, 4756.74)),
        ("2026-06-21T00:00:00Z", 53, (3277.44, 3287.34, 5296.97, 5306.88)),
    ],
)
def test_edges_of_independent_ephemerides(orbits, epoch, inc_deg, expected_s, step_s):
    """Times that satkit and JPL's DE421 agree on to 0.02 s."""
    orbit = orbits(a_km=A_550_KM, inc_deg=inc_deg)
    t_s, kinds, _ = edges_of(orbit, epoch, PERIOD_S, step_s=step_s)
    assert kinds == list(EDGES)
    np.testing.assert_allclose(t_s, expected_s, rtol=0, atol=0.5)


def test_orekit_edges(orbits, oracle):
    row = oracle("space.toml")["orekit_shadow"]
    elements = ("a_km", "ecc", "inc_deg", "raan_deg", "argp_deg", "nu_deg")
    c = orbits(**{name: row[name] for name in elements})
    t_s, kinds, _ = edges_of(c, row["epoch_utc"], 1000.0)
    assert kinds == ["penumbra-in", "umbra-in"]
    np.testing.assert_allclose(t_s, [row["penumbra_entry_s"], row["umbra_entry_s"]], rtol=0, atol=3)


def test_basilisk_illumination(orbits, oracle):
    row = oracle("space.toml")["basilisk_shadow"]
    sun_km = sun_gcrs_km(row["epoch_utc"], np.zeros(1))
    c = orbits(a_km=R_EARTH_KM + 500, ecc=1e-5, inc_deg=5, raan_deg=48.2, nu_deg=[107.5, 173])
    r_km, _ = propagate(c, "kepler", np.zeros(1))
    expected = [row["partial_share"], row["full_share"]]
    np.testing.assert_allclose(illumination(r_km[0], sun_km), expected, rtol=0, atol=2e-2)
    # Basilisk's Sun is geometric; with it the two agree to the figures of its ephemeris.
    heliocentric, _ = erfa.epv00(*tt_jd(row["epoch_utc"], np.zeros(1)))
    geometric_km = -heliocentric["p"] * AU_KM
    np.testing.assert_allclose(illumination(r_km[0], geometric_km), expected, rtol=0, atol=5e-4)
    # Of an annular eclipse the figure is the share that Earth covers.
    far_km = np.array(row["annular_r_km"])
    covered = 1 - illumination(far_km, sun_km[0])
    assert covered == pytest.approx(row["annular_covered_share"], rel=1e-2)


@pytest.mark.parametrize(
    ("beta_deg", "fraction"),
    [(0, 0.37231), (10, 0.37023), (20, 0.36359), (30, 0.35111), (40, 0.32975), (50, 0.29218),
     (60, 0.21474), (67.1, 0)],
)  # fmt: skip
def test_eclipse_fraction_of_an_orbit(orbits, beta_deg, fraction):
    beta = np.radians(beta_deg)
    sun_km = AU_KM * np.array([np.cos(beta), 0, np.sin(beta)])
    t_s = np.linspace(0, 2 * np.pi * np.sqrt(A_550_KM**3 / 398600.4418), 21)
    states = propagate(orbits(a_km=A_550_KM), "kepler", t_s)
    steps = lights(t_s, states, np.tile(sun_km, (21, 1)), "cylinder")
    assert 1 - np.mean([step.sunlit[0] for step in steps]) == pytest.approx(fraction, abs=1e-4)
    assert beta_angle_rad(*(x[0, 0] for x in states), sun_km) == pytest.approx(beta, abs=1e-12)


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
    step = light(angle / rate, r, v, np.tile(sun_km, (2, 1)), "cylinder")
    dark = max(0.0, min(turn, middle + half_width) - max(0.0, middle - half_width)) / turn
    assert step.sunlit[0] == pytest.approx(1 - dark, abs=1e-6)
    edges = [middle - half_width, middle + half_width]
    # Within rounding of the step's ends an edge may fall on either side.
    assume(all(abs(x) > 1e-9 and abs(x - turn) > 1e-9 for x in edges))
    inside = [kind for kind, x in zip((1, 2), edges, strict=True) if 0 < x < turn]
    assert step.edges.kind.tolist() == inside
    expected_s = [edges[kind - 1] / rate for kind in inside]
    np.testing.assert_allclose(step.edges.t_s, expected_s, rtol=0, atol=1e-3)


def dense_mean(constellation, sun_km, step_s, model):
    """Mean illumination over 4000 moments of a two-body step."""
    t_s = (np.arange(4000) + 0.5) / 4000 * step_s
    r_km, _ = propagate(constellation, "kepler", t_s)
    return illumination(r_km[:, 0], sun_km, model).mean()


def step_light(constellation, sun_km, step_s, model):
    t_s = np.array([0.0, step_s])
    (step,) = lights(t_s, propagate(constellation, "kepler", t_s), np.tile(sun_km, (2, 1)), model)
    return step.sunlit[0]


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
    sun_km = sun_gcrs_km(c.epoch_utc, t_s)
    whole = light(t_s[::10], r[::10], v[::10], sun_km[::10]).sunlit
    parts = [step.sunlit for step in lights(t_s, (r, v), sun_km)]
    np.testing.assert_allclose(whole, np.mean(parts, axis=0), rtol=0, atol=2e-4)
    assert np.count_nonzero((whole > 0) & (whole < 1)) > 50


FLEET = {"a_km": A_550_KM, "inc_deg": [0, 40, 75, 87, 98], "raan_deg": [0, 50, 130, 20, 250]}


def test_edges_bound_the_lit_fraction(orbits):
    """The cylinder's edges and the lit share of the steps tell the same dark time."""
    c = orbits(ecc=0.01, **FLEET)
    t_s = np.arange(0.0, 4 * PERIOD_S, 200.0)
    states = propagate(c, "kepler-j2", t_s)
    sun_km = sun_gcrs_km("2026-04-10T00:00:00Z", t_s)
    start = illumination(states[0][0], sun_km[0], "cylinder")
    steps = lights(t_s, states, sun_km, "cylinder")
    when, kind, whose = (
        np.concatenate([getattr(step.edges, name) for step in steps])
        for name in ("t_s", "kind", "satellite")
    )
    assert np.all(np.diff(when) >= 0)
    for j in range(c.size):
        times = np.concatenate([[0], when[whose == j], t_s[-1:]])
        state = (start[j] + np.arange(len(times) - 1)) % 2
        assert kind[whose == j].tolist() == [2 if lit else 1 for lit in state[1:]]
        lit_s = np.sum(np.diff(times) * state)
        assert lit_s == pytest.approx(200 * sum(step.sunlit[j] for step in steps), abs=1e-3)


@pytest.mark.parametrize("motion", ["kepler", "kepler-j2"])
def test_edges_do_not_depend_on_the_step(orbits, motion):
    """A day of five orbits in steps of 15, 60 and 300 s."""
    c, epoch = orbits(**FLEET), "2026-06-21T00:00:00Z"
    exact_s, kinds, who = edges_of(c, epoch, 86400, step_s=15.0, motion=motion)
    assert len(kinds) > 4 * 60
    order = np.lexsort((exact_s, who))
    for step_s in (60.0, 300.0):
        t_s, kinds_too, who_too = edges_of(c, epoch, 86400, step_s=step_s, motion=motion)
        order_too = np.lexsort((t_s, who_too))
        assert [kinds_too[k] for k in order_too] == [kinds[k] for k in order]
        np.testing.assert_allclose(t_s[order_too], exact_s[order], rtol=0, atol=0.05)


def test_edges_are_where_the_illumination_changes(orbits):
    """Against samples of two orbits every 0.2 s, and none lost or told twice between steps."""
    c, epoch = orbits(ecc=0.002, **FLEET), "2026-03-20T00:00:00Z"
    t_s, kinds, who = edges_of(c, epoch, 2 * PERIOD_S, step_s=7.3)
    fine_s = np.arange(0.0, t_s.max() + 10, 0.2)
    r_km, _ = propagate(c, "kepler", fine_s)
    share = illumination(r_km, sun_gcrs_km(epoch, fine_s)[:, None])
    for j in range(c.size):
        full, dark = share[:, j] == 1, share[:, j] == 0
        expected = {
            "penumbra-in": fine_s[1:][full[:-1] & ~full[1:]],
            "umbra-in": fine_s[1:][~dark[:-1] & dark[1:]],
            "umbra-out": fine_s[1:][dark[:-1] & ~dark[1:]],
            "penumbra-out": fine_s[1:][~full[:-1] & full[1:]],
        }
        for kind, samples_s in expected.items():
            mine = [t for t, k, i in zip(t_s, kinds, who, strict=True) if (k, i) == (kind, j)]
            np.testing.assert_allclose(mine, samples_s - 0.1, rtol=0, atol=0.11)


def test_no_shadow_no_edges(orbits):
    assert edges_of(orbits(a_km=A_550_KM), "2026-03-20T00:00:00Z", PERIOD_S, "none")[1] == []


def test_more_edges_in_a_step_than_satellites(orbits):
    """One step of five orbits has the edges of all of them."""
    t_s, kinds, _ = edges_of(orbits(a_km=A_550_KM), "2026-03-20T00:00:00Z", 5 * PERIOD_S,
                             step_s=5 * PERIOD_S)  # fmt: skip
    assert kinds == 5 * list(EDGES)
    assert np.ptp(np.diff(t_s[::4])) < 1.0
