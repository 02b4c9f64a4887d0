import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from twin.constants import C_KM_S, R_EARTH_KM
from twin.network.grid import LinkKind, plus_grid
from twin.network.links import broken_limits, limits
from twin.scenario import loader
from twin.scenario.world import Links
from twin.vocabulary import LinkState
from twin.world.topology import to_networkx
from twin.world.world import World

PAPER_LINKS = 33 * 32 + 32 * 32


def sky(*overrides: str, preset: str = "paper") -> World:
    return World(loader.load(preset, overrides))


def angular_rate_rad_s(r_km, v_km_s, edges):
    dr = r_km[edges[:, 1]] - r_km[edges[:, 0]]
    dv = v_km_s[edges[:, 1]] - v_km_s[edges[:, 0]]
    return np.linalg.norm(np.cross(dr, dv), axis=1) / (dr**2).sum(axis=1)


def two_satellites(separation_km: float, radius_km: float = R_EARTH_KM + 550.0):
    """Two satellites at rest, so far apart, on a circle around the Earth."""
    half = np.arcsin(separation_km / 2 / radius_km)
    angles = np.array([-half, half])
    r_km = radius_km * np.column_stack([np.cos(angles), np.sin(angles), np.zeros(2)])
    return np.ascontiguousarray(r_km), np.zeros((2, 3))


def pair_state(r_km, v_km_s, *, sun_km=(0.0, 0.0, 1.0), across=True, **table):
    """What becomes of a link between two satellites, and its length."""
    code, range_km = broken_limits(
        np.array([[0, 1]], np.int32),
        np.array([across]),
        (r_km, v_km_s),
        np.array(sun_km),
        limits(Links(**table)),
    )
    return LinkState(int(code[0])), range_km[0]


@pytest.mark.parametrize(("grazing_km", "range_km"), [(80.0, 5016.6), (100.0, 4912.4)])
def test_grazing_altitude_bounds_the_range_at_550_km(grazing_km, range_km):
    for beyond_km, expected in ((-0.1, LinkState.UP), (0.1, LinkState.GRAZING)):
        separation_km = range_km + beyond_km
        state, length_km = pair_state(
            *two_satellites(separation_km), grazing_altitude_km=grazing_km
        )
        assert state is expected
        assert length_km == pytest.approx(separation_km, rel=1e-12)


def test_range_limit():
    assert pair_state(*two_satellites(999.0), max_range_km=1000.0)[0] is LinkState.UP
    assert pair_state(*two_satellites(1001.0), max_range_km=1000.0)[0] is LinkState.RANGE


def towards(angle_deg):
    """Unit vector in the plane of `two_satellites`, so far from the way from the first to the
    second: + up, - down.
    """
    angle = np.radians(angle_deg)
    return np.array([np.sin(angle), np.cos(angle), 0.0])


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("turn", [1, -1])
def test_the_sun_blinds_a_terminal_that_looks_within_three_degrees_of_it(side, turn):
    # side: which of the two has the Sun behind its partner; turn: above or below the line.
    pair = two_satellites(1000.0)
    for off_deg, expected in ((2.99, LinkState.SUN), (3.01, LinkState.UP)):
        sun_km = 1.5e8 * towards(turn * off_deg) * [1, side, 1]
        assert pair_state(*pair, sun_km=sun_km)[0] is expected
        assert pair_state(*pair, sun_km=sun_km, sun_exclusion_deg=0.0)[0] is LinkState.UP


def test_a_sun_below_the_horizon_blinds_nobody():
    # 5000 km apart the partner stands 21.15 deg below the horizontal, Earth's limb 22.98 deg.
    pair = two_satellites(5000.0)
    assert pair_state(*pair, sun_km=towards(2.5))[0] is LinkState.SUN
    assert pair_state(*pair, sun_km=towards(-1.5))[0] is LinkState.SUN
    assert pair_state(*pair, sun_km=towards(-2.5))[0] is LinkState.UP


@pytest.mark.parametrize("hemisphere", [1, -1])
def test_polar_shut_off_takes_links_between_planes_beyond_its_latitude(hemisphere):
    def state(first_deg, second_deg, **kind):
        latitude = np.radians([first_deg, second_deg]) * hemisphere
        longitude = np.array([0.0, 0.1])
        r_km = 7000.0 * np.column_stack(
            [np.cos(latitude) * f(longitude) for f in (np.cos, np.sin)] + [np.sin(latitude)]
        )
        return pair_state(r_km, np.zeros((2, 3)), polar_shutoff_deg=70.0, **kind)[0]

    assert state(69.9, 69.9) is LinkState.UP
    assert state(70.1, 69.9) is state(69.9, 70.1) is LinkState.POLAR
    assert state(70.1, 70.1, across=False) is LinkState.UP


finite = st.floats(-1.0, 1.0, allow_nan=False)
vectors = st.tuples(finite, finite, finite).filter(lambda v: np.linalg.norm(v) > 0.05)


@settings(max_examples=200, deadline=None)
@given(directions=st.tuples(vectors, vectors), v_km_s=st.tuples(vectors, vectors), sun_km=vectors)
def test_a_link_looks_the_same_from_both_ends(directions, v_km_s, sun_km):
    r_km = np.array([7000.0 * np.array(d) / np.linalg.norm(d) for d in directions])
    if np.linalg.norm(r_km[0] - r_km[1]) < 1.0:
        return
    v_km_s = 8 * np.array(v_km_s)
    table = {
        "max_range_km": 4000.0,
        "max_angular_rate_rad_s": 0.005,
        "sun_exclusion_deg": 30.0,
        "polar_shutoff_deg": 70.0,
    }
    one = pair_state(r_km, v_km_s, sun_km=sun_km, **table)
    other = pair_state(r_km[::-1].copy(), v_km_s[::-1].copy(), sun_km=sun_km, **table)
    assert one[0] is other[0]
    assert one[1] == pytest.approx(other[1], rel=1e-12)


def test_a_link_to_a_satellite_overhead_is_not_grazing():
    # The line extended backwards passes through the Earth; the link itself does not.
    r_km = np.array([[7000.0, 0, 0], [9000.0, 0, 0]])
    assert pair_state(r_km, np.zeros((2, 3)))[0] is LinkState.UP


def test_angular_rate_between_adjacent_planes_peaks_at_the_published_value():
    # n / cos i for adjacent planes without phasing, 87 deg: .02092 rad/s.
    body = sky("constellation.phasing=0", "simulation.steps=400", "propagation.model=kepler")
    edges = body.skeleton.edges[body.skeleton.kind == LinkKind.INTER_PLANE]
    r_km, v_km_s = body.ephemeris.states(np.arange(400))
    peak = max(angular_rate_rad_s(r, v, edges).max() for r, v in zip(r_km, v_km_s, strict=True))
    assert peak == pytest.approx(0.02092, rel=2e-3)


def test_on_the_seam_of_a_star_the_line_of_sight_turns_sixteen_times_as_fast():
    # Counter-rotating planes, 87 deg, F = 0, the first 100 s of the orbit: up to .33 rad/s.
    body = sky(
        "links.seam=closed",
        "simulation.steps=20000",
        "propagation.model=kepler",
        preset="paper-star",
    )
    edges = body.skeleton.edges[body.skeleton.kind == LinkKind.SEAM]
    r_km, v_km_s = body.ephemeris.states(np.arange(400))
    peak = max(angular_rate_rad_s(r, v, edges).max() for r, v in zip(r_km, v_km_s, strict=True))
    assert peak == pytest.approx(0.33, abs=0.005)


def test_the_angular_rate_limit_binds_on_the_seam_of_a_star_only():
    body = sky(
        "links.seam=closed", "outages.model=none", "simulation.steps=400", preset="paper-star"
    )
    kind = body.skeleton.kind
    too_fast = dict.fromkeys(LinkKind, 0)
    for snapshot in body.snapshots(0):
        for k in LinkKind:
            too_fast[k] += int((snapshot.link_state[kind == k] == LinkState.RATE).sum())
    assert too_fast[LinkKind.SEAM] > 0
    assert too_fast[LinkKind.INTRA_PLANE] == too_fast[LinkKind.INTER_PLANE] == 0


def test_plus_grid_of_the_paper():
    skeleton = sky().skeleton
    assert len(skeleton.edges) == PAPER_LINKS
    degree = np.bincount(skeleton.edges.ravel())
    assert degree.max() == 4
    assert sorted(set(degree.tolist())) == [3, 4]  # 3 on the two planes along the seam
    closed = sky("links.seam=closed").skeleton
    assert len(closed.edges) == PAPER_LINKS + 32
    assert set(np.bincount(closed.edges.ravel()).tolist()) == {4}


def test_a_closed_delta_seam_is_a_link_like_all_others():
    # Neighbours across the seam are one phasing step apart, so its lengths match the others'.
    body = sky("links.seam=closed", "outages.model=none", "propagation.model=kepler")
    r_km, _ = body.ephemeris.states(np.array([0]))
    length = np.linalg.norm(np.diff(r_km[0][body.skeleton.edges], axis=1)[:, 0], axis=1)
    kind = body.skeleton.kind
    assert length[kind == LinkKind.SEAM].max() < 1.02 * length[kind == LinkKind.INTER_PLANE].max()


def test_planes_of_two_and_one_satellites():
    assert (
        len(
            sky(
                "constellation.planes=2",
                "constellation.phasing=0",
                "constellation.satellites_per_plane=2",
            ).skeleton.edges
        )
        == 4
    )
    assert (
        len(
            sky(
                "constellation.planes=2",
                "constellation.phasing=0",
                "constellation.satellites_per_plane=1",
            ).skeleton.edges
        )
        == 1
    )


@pytest.mark.parametrize("seam", ["fixed", "dynamic"])
@pytest.mark.parametrize("preset", ["paper", "paper-star", "small"])
def test_a_link_is_never_up_beyond_its_limits(preset, seam):
    body = sky(
        f"links.seam={seam}",
        "links.max_angular_rate_rad_s=0.01",
        "links.max_range_km=2000.0",
        "links.sun_exclusion_deg=20.0",
        "links.polar_shutoff_deg=75.0",
        "links.acquisition_s=10.0",
        "simulation.steps=20",
        preset=preset,
    )
    edges, entry = body.skeleton.edges, body.skeleton.entry
    network, rng = body.network(0), np.random.default_rng(3)
    for _ in range(20):
        powered = rng.random(body.constellation.size) < 0.95
        snapshot = network.advance(powered)
        r_km, v_km_s = snapshot.instant.r_km, snapshot.instant.v_km_s
        up = snapshot.up
        assert powered[edges[up]].all()
        a, b = r_km[edges[up, 0]], r_km[edges[up, 1]]
        length_km = np.linalg.norm(b - a, axis=1)
        assert (length_km <= 2000.0).all()
        assert (angular_rate_rad_s(r_km, v_km_s, edges[up]) <= 0.01 * (1 + 1e-12)).all()
        along = np.linspace(0, 1, 101)[:, None, None]
        lowest = np.linalg.norm(a + along * (b - a), axis=2).min(axis=0)
        assert (lowest >= R_EARTH_KM + 80.0).all()
        latitude_deg = np.degrees(np.arcsin(np.abs(r_km[:, 2]) / np.linalg.norm(r_km, axis=1)))
        across = body.skeleton.kind[up] != LinkKind.INTRA_PLANE
        assert (latitude_deg[edges[up][across]] <= 75.0).all()
        # Each end: the angle between its partner and the Sun, unless the Earth hides the Sun.
        sun = snapshot.instant.sun_km / np.linalg.norm(snapshot.instant.sun_km)
        for here, partner in ((a, b), (b, a)):
            angle = np.degrees(np.arccos((partner - here) @ sun / length_km))
            height = here @ sun
            hidden = (height < 0) & (np.linalg.norm(np.cross(here, sun), axis=1) < R_EARTH_KM)
            assert ((angle >= 20.0 - 1e-9) | hidden).all()
        # Both directions of a link carry the same delay: light time up, inf down.
        np.testing.assert_array_equal(
            snapshot.weight_s[entry[:, 0]], snapshot.weight_s[entry[:, 1]]
        )
        np.testing.assert_allclose(snapshot.weight_s[entry[up, 0]], length_km / C_KM_S, rtol=1e-12)
        assert np.isinf(snapshot.weight_s[entry[~up]]).all()


def test_outages_follow_the_replicate_and_nothing_else():
    first, again = sky(), sky()
    a = [s.link_state.copy() for s in first.snapshots(3)]
    first.planning_weights(np.array([0, 5]), np.random.default_rng(1))
    b = [s.link_state.copy() for s in again.snapshots(3)]
    other = next(again.snapshots(4)).link_state
    np.testing.assert_array_equal(a, b)
    assert (a[0] != other).any()


def test_planning_sees_the_geometry_but_not_the_outages_of_the_run():
    body = sky("links.max_angular_rate_rad_s=0.01")
    run = next(body.snapshots(0))
    geometry = (run.link_state == LinkState.UP) | (run.link_state == LinkState.RANDOM)
    planned = np.isfinite(body.planning_weights(np.array([0]), np.random.default_rng(0))[0])
    planned = planned[body.skeleton.entry[:, 0]]
    assert not planned[~geometry].any()
    agree = (planned == run.up)[geometry].mean()
    assert agree == pytest.approx(0.95**2 + 0.05**2, abs=0.03)  # independent draws


def test_networkx_export():
    body = sky(preset="small")
    snapshot = next(body.snapshots(0))
    graph = to_networkx(body, snapshot)
    assert graph.number_of_nodes() == 48
    assert graph.number_of_edges() == snapshot.up.sum()
    a, b, data = next(iter(graph.edges(data=True)))
    nodes = graph.nodes
    length = np.linalg.norm([nodes[a][k] - nodes[b][k] for k in ("x_km", "y_km", "z_km")])
    assert data["range_km"] == pytest.approx(length, rel=1e-9)
    assert data["kind"] in ("intra-plane", "inter-plane", "seam")


def test_skeleton_without_partners_is_empty():
    body = sky(
        "constellation.planes=1", "constellation.phasing=0", "constellation.satellites_per_plane=1"
    )
    assert (
        len(plus_grid(body.constellation, seam="closed", minimum_radius_km=R_EARTH_KM).edges) == 0
    )


def test_planes_of_unequal_size_pair_past_a_plane_with_gaps():
    body = sky("links.seam=open", "constellation.phasing=0").constellation
    keep = ~((body.plane == 1) & (body.slot >= 10))  # plane 1 has an arc of 10 satellites
    fields = {
        name: value[keep] if isinstance(value := getattr(body, name), np.ndarray) else value
        for name in body.__dataclass_fields__
    }
    fields["names"] = tuple(np.array(body.names)[keep])
    grid = plus_grid(type(body)(**fields), seam="open", minimum_radius_km=R_EARTH_KM + 80)
    plane = fields["plane"][grid.edges]
    across = plane[grid.kind == LinkKind.INTER_PLANE]
    gaps, counts = np.unique(across[:, 1] - across[:, 0], return_counts=True)
    assert gaps.tolist() == [1, 2]
    # 22 satellites of plane 0 find theirs in plane 2; both sides of plane 1 pair its ten.
    assert counts.tolist() == [10 + 10 + 30 * 32, 22]
    assert np.bincount(grid.edges.ravel()).max() == 4
    slots = fields["slot"][grid.edges[grid.kind == LinkKind.INTER_PLANE]]
    assert (slots[:, 0] == slots[:, 1]).all()
