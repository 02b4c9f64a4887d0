from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform

from twin.errors import InputError
from twin.scenario.world import ElementSets
from twin.space import planes
from twin.space.constellation import from_element_sets
from twin.space.propagation import propagate

START = "2022-09-14T12:00:00Z"


def recover(shared, name):
    return from_element_sets(ElementSets(tle=str(shared / f"{name}_2022-09-14.tle")), START)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(0, 10_000))
def test_the_tree_is_as_short_as_scipys(n, seed):
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal((n, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    angle = 2 * np.arcsin(squareform(pdist(normal)) / 2)
    parent, child, length = planes.spanning_tree(normal)
    np.testing.assert_allclose(length, angle[parent, child], atol=1e-12)
    assert length.sum() == pytest.approx(minimum_spanning_tree(angle).sum())
    assert sorted([0, *child]) == list(range(n))


@settings(max_examples=80, deadline=None)
@given(
    count=st.integers(1, 24),
    size=st.integers(3, 12),
    inc_deg=st.sampled_from([5.0, 53.0, 87.9, 90.0, 97.6, 148.0]),
    spread_deg=st.sampled_from([180.0, 360.0]),
    seed=st.integers(0, 10_000),
)
def test_planes_of_any_inclination_come_back_in_order(count, size, inc_deg, spread_deg, seed):
    rng = np.random.default_rng(seed)
    plane = np.repeat(np.arange(count), size)
    node_deg = 40 + plane * spread_deg / count
    shuffled = rng.permutation(count * size)
    shuffled = np.concatenate([[0], shuffled[shuffled != 0]])  # the first is of the first plane
    noise = 0.02 * rng.standard_normal((2, count * size))
    inc, node = np.radians([inc_deg + noise[0], node_deg + noise[1]])[:, shuffled]
    normal = planes.normals(inc, node)
    found = planes.ordered(planes.cluster(normal), normal)
    np.testing.assert_array_equal(found, plane[shuffled])
    assert planes.stand_clear(found, normal)


def test_equatorial_orbits_are_one_plane_wherever_their_nodes_are():
    rng = np.random.default_rng(3)
    inc, node = np.radians([0.05 * rng.random(20), 360 * rng.random(20)])
    longitude = 2 * np.pi * np.arange(20) / 20
    normal = planes.normals(inc, node)
    label = planes.cluster(normal)
    assert not label.any()
    # Along the plane they stand where they are, not where their nodes say.
    turns = planes.places(label, normal, planes.directions(inc, node, longitude - node))
    apart = (turns - np.arange(20) / 20 + 0.5) % 1 - 0.5
    assert np.abs(apart - apart.mean()).max() < 1e-4


def test_planes_without_distinct_gaps_do_not_stand_clear():
    rng = np.random.default_rng(4)
    normal = planes.normals(np.full(80, np.radians(53.0)), 2 * np.pi * rng.random(80))
    assert not planes.stand_clear(planes.cluster(normal), normal)


def test_order_starts_after_the_widest_gap_else_with_the_earliest():
    inc = np.full(5, np.radians(60.0))
    open_ended = planes.normals(inc, np.radians([200.0, 170, 230, 260, 290]))
    np.testing.assert_array_equal(
        planes.ordered(np.arange(5, dtype=np.int32), open_ended), [1, 0, 2, 3, 4]
    )
    # All round: which gap is the widest hangs on the last digit, and does not count.
    closed = planes.normals(inc, np.radians([216.0, 144.0001, 288, 359.9999, 72]))
    np.testing.assert_array_equal(
        planes.ordered(np.arange(5, dtype=np.int32), closed), [0, 4, 1, 2, 3]
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=30), st.integers(1, 60))
def test_densest_centre_holds_most(values, half_width):
    x = np.array(values, dtype=float)

    def held(centre):
        return np.count_nonzero(np.abs(x - centre) <= half_width)

    assert held(planes.densest_centre(x, half_width)) == max(held(v / 2) for v in range(401))


def test_slots_rank_the_place_along_the_plane(shared):
    c = recover(shared, "oneweb_426")
    r_km, v_km_s = (x[0] for x in propagate(c, "kepler", np.zeros(1)))
    normal = np.cross(r_km, v_km_s)
    node = np.cross([0, 0, 1.0], normal)
    ahead = np.cross(normal, node)
    turns = np.arctan2(
        np.sum(r_km * ahead, axis=1) / np.linalg.norm(ahead, axis=1),
        np.sum(r_km * node, axis=1) / np.linalg.norm(node, axis=1),
    ) / (2 * np.pi)
    # Counted from the plane's node; that of a satellite's own orbit is up to 0.1 deg aside.
    np.testing.assert_allclose(np.cos(2 * np.pi * (turns - c.ring_position)), 1, atol=1e-9)
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


def test_repeated_names_are_told_apart(shared, tmp_path):
    lines = (shared / "oneweb_426_2022-09-14.tle").read_text().splitlines()[:9]
    lines[3] = lines[0]
    path = tmp_path / "three.tle"
    path.write_text("\n".join(lines))
    c = from_element_sets(ElementSets(tle=str(path)), START)
    assert sorted(c.names) == ["ONEWEB-0008", "ONEWEB-0012 44057", "ONEWEB-0012 44058"]
