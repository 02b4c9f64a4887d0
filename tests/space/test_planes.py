from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.errors import InputError
from twin.scenario.world import ElementSets
from twin.space.constellation import from_element_sets
from twin.space.planes import cluster_angles, densest_centre
from twin.space.propagation import propagate

START = "2022-09-14T12:00:00Z"


def recover(shared, name, **overrides):
    params = {"altitude_window_km": 17.0, "plane_gap_deg": 1.0} | overrides
    path = str(shared / f"{name}_2022-09-14.tle")
    return from_element_sets(ElementSets(tle=path, **params), START)


def brute_force_planes(nodes_deg, gap_deg):
    """Connected groups of nodes, linked when at most a gap apart on the circle."""
    groups = [{i} for i in range(len(nodes_deg))]
    for i, a in enumerate(nodes_deg):
        for j, b in enumerate(nodes_deg):
            if abs((a - b + 180) % 360 - 180) <= gap_deg:
                one = next(g for g in groups if i in g)
                two = next(g for g in groups if j in g)
                if one is not two:
                    groups.remove(two)
                    one |= two
    return {frozenset(g) for g in groups}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 3599), min_size=1, max_size=25),
    st.sampled_from([0.55, 2.05, 15.05, 90.05]),
)
def test_clusters_are_connected_groups(tenths, gap_deg):
    nodes_deg = np.array(tenths) / 10
    label = cluster_angles(np.radians(nodes_deg), np.radians(gap_deg))
    found = {frozenset(np.flatnonzero(label == k).tolist()) for k in range(label.max() + 1)}
    assert found == brute_force_planes(nodes_deg, gap_deg)


def test_clusters_start_after_the_widest_gap():
    nodes_deg = np.array([10.0, 350, 330, 11, 200])
    label = cluster_angles(np.radians(nodes_deg), np.radians(4.0))
    np.testing.assert_array_equal(label, [3, 2, 1, 3, 0])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=30), st.integers(1, 60))
def test_densest_centre_holds_most(values, half_width):
    x = np.array(values, dtype=float)

    def held(centre):
        return np.count_nonzero(np.abs(x - centre) <= half_width)

    assert held(densest_centre(x, half_width)) == max(held(v / 2) for v in range(401))


def test_oneweb(shared):
    """Nine unequal planes at the operational altitude; the rest still climbing."""
    c = recover(shared, "oneweb_426")
    assert c.size == 347
    assert np.bincount(c.plane).tolist() == [37, 39, 42, 50, 14, 50, 25, 41, 49]
    assert len(c.left_out) == 426 - 347
    assert all("mean altitude" in reason for _, reason in c.left_out)
    node_deg = [np.degrees(c.raan_rad[c.plane == p]).mean() for p in range(9)]
    steps_deg = np.diff(node_deg)
    assert np.all(np.minimum(abs(steps_deg - 15), abs(steps_deg - 30)) < 0.5)


def test_starlink_shell(shared):
    """All 72 planes, five degrees apart; two satellites on their way between planes."""
    c = recover(shared, "starlink_1468_550km")
    assert (c.n_planes, c.size) == (72, 1466)
    assert [name for name, _ in c.left_out] == ["STARLINK-3564", "STARLINK-3996"]
    assert all(r.startswith("in a plane of fewer than 3: 1 at") for _, r in c.left_out)
    node_deg = [np.degrees(np.median(c.raan_rad[c.plane == p])) for p in range(72)]
    np.testing.assert_allclose(np.diff(node_deg) % 360, 5, atol=0.2)


def test_slots_rank_the_argument_of_latitude(shared):
    c = recover(shared, "oneweb_426")
    r_km, v_km_s = (x[0] for x in propagate(c, "kepler", np.zeros(1)))
    normal = np.cross(r_km, v_km_s)
    node = np.cross([0, 0, 1.0], normal)
    ahead = np.cross(normal, node)
    turns = np.arctan2(
        np.sum(r_km * ahead, axis=1) / np.linalg.norm(ahead, axis=1),
        np.sum(r_km * node, axis=1) / np.linalg.norm(node, axis=1),
    ) / (2 * np.pi)
    np.testing.assert_allclose(np.cos(2 * np.pi * (turns - c.ring_position)), 1, atol=1e-12)
    for p in range(c.n_planes):
        mine = c.plane == p
        np.testing.assert_array_equal(c.slot[mine], np.arange(mine.sum()))
        assert all(a <= b for a, b in pairwise(c.ring_position[mine]))
    assert len(set(c.names)) == c.size == len(c.satrecs)


@pytest.mark.parametrize("name", ["oneweb_426", "starlink_1468_550km"])
def test_mean_elements_move_as_sgp4(shared, name):
    """Within the short (J2) and long (J3) periods left out, and not drifting apart in 6 h."""
    c = recover(shared, name)
    t_s = np.arange(0.0, 6 * 3600.0, 600.0)
    ours, theirs = propagate(c, "kepler-j2", t_s), propagate(c, "sgp4", t_s)
    assert theirs[0].flags.c_contiguous
    apart_km = np.linalg.norm(ours[0] - theirs[0], axis=2)
    assert apart_km[0].max() < 18
    assert np.median(apart_km[-9:]) < np.median(apart_km[:9]) + 1
    assert np.linalg.norm(ours[1] - theirs[1], axis=2).max() < 0.03


def test_start_far_from_the_element_sets(shared):
    table = ElementSets(tle=str(shared / "oneweb_426_2022-09-14.tle"))
    with pytest.raises(InputError, match=r"ONEWEB.*within 30 days of the start 2026-03-20"):
        from_element_sets(table, "2026-03-20T00:00:00Z")


def test_a_few_satellites_make_no_plane(shared):
    with pytest.raises(InputError, match="fewer than 60"):
        recover(shared, "oneweb_426", plane_minimum=60)


def test_repeated_names_are_told_apart(shared, tmp_path):
    lines = (shared / "oneweb_426_2022-09-14.tle").read_text().splitlines()[:9]
    lines[3] = lines[0]
    path = tmp_path / "three.tle"
    path.write_text("\n".join(lines))
    c = from_element_sets(ElementSets(tle=str(path), plane_minimum=1), START)
    assert sorted(c.names) == ["ONEWEB-0008", "ONEWEB-0012 44057", "ONEWEB-0012 44058"]
