"""Several shells: each as if alone, and what bridges between them add."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.constants import C_KM_S, J2_EARTH, MU_EARTH_KM3_S2, R_EARTH_KM
from twin.network.grid import LinkKind
from twin.network.routing import shortest_paths
from twin.scenario import loader
from twin.space.propagation import propagate
from twin.vocabulary import LinkState
from twin.world.world import World

LOW = {
    "planes": 10, "satellites_per_plane": 12, "altitude_km": 525.0, "inclination_deg": 53.0,
    "phasing": 5, "raan_first_deg": 20.0,
}  # fmt: skip
MIDDLE = {
    "planes": 5, "satellites_per_plane": 14, "altitude_km": 535.0, "inclination_deg": 87.0,
    "raan_spread_deg": 180.0,
}  # fmt: skip
HIGH = {
    "planes": 8, "satellites_per_plane": 9, "altitude_km": 1150.0, "inclination_deg": 115.0,
    "phasing": 1,
}  # fmt: skip
SHELLS = (LOW, MIDDLE, HIGH)
SIZES = [120, 70, 72]
ONE_METRE_KM = 1e-3


def sky(*shells, **changes) -> World:
    """An orbit of some shells without random outages."""
    table = {"kind": "walker"} | shells[0] if len(shells) == 1 else None
    table = table or {"kind": "shells", "shells": list(shells)}
    named = {"constellation": table, "outages.model": "none", "simulation.steps": 120}
    return World(
        loader.load("small", named | {k.replace("__", "."): v for k, v in changes.items()})
    )


@pytest.fixture(scope="module")
def bridged() -> World:
    return sky(*SHELLS, links__seam="dynamic", links__cross_shell_every=3, links__acquisition_s=10)


def test_shells_fly_as_each_alone():
    together = sky(*SHELLS).constellation
    t_s = np.array([0.0, 1234.5, 86_400.0])
    r_km, v_km_s = propagate(together, "kepler-j2", t_s)
    for k, shell in enumerate(SHELLS):
        alone_km, alone_km_s = propagate(sky(shell).constellation, "kepler-j2", t_s)
        np.testing.assert_array_equal(r_km[:, together.shell == k], alone_km)
        np.testing.assert_array_equal(v_km_s[:, together.shell == k], alone_km_s)


def test_planes_are_numbered_through_and_names_tell_the_shell():
    body = sky(*SHELLS).constellation
    assert np.bincount(body.shell).tolist() == SIZES
    assert (body.n_shells, body.n_planes) == (3, 23)
    assert np.bincount(body.plane).tolist() == [12] * 10 + [14] * 5 + [9] * 8
    assert len(set(body.names)) == body.size
    assert (body.names[0], body.names[120 + 14], body.names[-1]) == ("S0P0S00", "S1P1S00", "S2P7S8")


@pytest.mark.parametrize("inclination_deg", [33.0, 53.0, 90.0, 148.0])
def test_nodes_turn_with_the_inclination_as_j2_says(inclination_deg):
    leaning = LOW | {"planes": 1, "phasing": 0, "inclination_deg": inclination_deg}
    body = sky(LOW, leaning).constellation
    day_s = 86_400.0
    r_km, v_km_s = propagate(body, "kepler-j2", np.array([0.0, day_s]))
    normal = np.cross(r_km[:, -1], v_km_s[:, -1])
    node_rad = np.arctan2(normal[:, 0], -normal[:, 1])
    a_km = R_EARTH_KM + 525.0
    per_turn = (
        -3 * np.pi * J2_EARTH * (R_EARTH_KM / a_km) ** 2 * np.cos(np.radians(inclination_deg))
    )
    turns = day_s / (2 * np.pi * np.sqrt(a_km**3 / MU_EARTH_KM3_S2))
    assert np.diff(node_rad)[0] == pytest.approx(per_turn * turns, abs=1e-9)


@pytest.mark.parametrize("seam", ["open", "closed", "dynamic"])
def test_the_grid_of_each_shell_is_the_one_it_has_alone(seam):
    together = sky(*SHELLS, links__seam=seam).skeleton
    found = set(map(tuple, np.c_[together.edges, together.kind, together.changing].tolist()))
    expected, pairings = set(), 0
    for shell, first in zip(SHELLS, np.cumsum([0, *SIZES]), strict=False):
        grid = sky(shell, links__seam=seam).skeleton
        rows = np.c_[grid.edges + first, grid.kind, grid.changing]
        expected |= set(map(tuple, rows.tolist()))
        pairings += grid.pairings
    assert found == expected
    assert len(together.edges) == len(found)
    assert together.pairings == pairings


def reach(world: World, sources, step=0):
    """Delays from some satellites to all, and the positions they are from."""
    snapshot = next(itertools.islice(world.snapshots(0), step, None))
    grid = world.skeleton
    sources = np.asarray(sources, np.int32)
    delay_s = shortest_paths(grid.indptr, grid.indices, snapshot.weight_s, sources)[0]
    return delay_s, snapshot.instant.r_km


@pytest.mark.parametrize("seam", ["closed", "dynamic"])
def test_without_bridges_no_path_leads_to_another_shell(seam):
    alone = sky(*SHELLS, links__seam=seam)
    shell = alone.constellation.shell
    delay_s, _ = reach(alone, np.arange(len(shell)))
    np.testing.assert_array_equal(np.isfinite(delay_s), shell[:, None] == shell)


def test_bridges_lead_to_all_shells_and_never_faster_than_light(bridged):
    delay_s, r_km = reach(bridged, np.arange(len(bridged.constellation.shell)), step=70)
    assert np.isfinite(delay_s).all()
    straight_s = np.linalg.norm(r_km[:, None] - r_km, axis=2) / C_KM_S
    assert (delay_s >= straight_s * (1 - 1e-12)).all()


def test_bridges_are_every_so_many_th_and_face_the_shells_beside_theirs(bridged):
    grid, shell = bridged.skeleton, bridged.constellation.shell
    across = grid.edges[grid.kind == LinkKind.CROSS_SHELL]
    rank = np.concatenate([np.arange(n) for n in SIZES])
    assert (rank[across] % 3 == 0).all()
    assert len(across) == len(np.unique(across, axis=0)) == 40 * 24 + 24 * 24
    assert set(map(tuple, shell[across].tolist())) == {(0, 1), (2, 1)}
    assert not (grid.kind[~grid.changing] == LinkKind.CROSS_SHELL).any()
    # One for each bridge of the shell in the middle, and for each satellite of a last plane.
    assert grid.pairings == (~grid.changing).sum() + 24 + (12 + 14 + 9)


@settings(max_examples=8, deadline=None)
@given(share=st.floats(0.3, 1.0), seed=st.integers(0, 1000))
def test_four_terminals_and_a_bridges_fifth_have_one_partner_each(bridged, share, seed):
    grid, n = bridged.skeleton, bridged.constellation.size
    network, rng = bridged.network(0), np.random.default_rng(seed)
    crossing = grid.kind == LinkKind.CROSS_SHELL
    for _ in range(20):
        paired = network.advance(rng.random(n) < share).link_state != LinkState.UNPAIRED
        for own, most in ((~crossing, 4), (crossing, 1), (grid.kind == LinkKind.SEAM, 1)):
            assert np.bincount(grid.edges[paired & own].ravel()).max(initial=0) <= most
        assert paired.sum() <= grid.pairings


def test_a_satellite_can_have_a_partner_across_the_seam_and_one_in_another_shell(bridged):
    grid = bridged.skeleton
    both = 0
    for snapshot in bridged.snapshots(0):
        ends = [
            np.unique(grid.edges[snapshot.up & (grid.kind == kind)])
            for kind in (LinkKind.SEAM, LinkKind.CROSS_SHELL)
        ]
        both += len(np.intersect1d(*ends))
    assert both > 0


def test_links_between_shells_are_as_long_as_the_shells_are_apart(bridged):
    grid, body = bridged.skeleton, bridged.constellation
    apart_km = np.abs(np.diff(body.a_km[grid.edges], axis=1))[:, 0]
    assert set(np.unique(apart_km[grid.kind == LinkKind.CROSS_SHELL]).round(6)) == {10.0, 615.0}
    seen = 0
    for snapshot in bridged.snapshots(0):
        up = snapshot.up & (grid.kind == LinkKind.CROSS_SHELL)
        length_km = snapshot.weight_s[grid.entry[up, 0]] * C_KM_S
        assert (length_km >= apart_km[up] - ONE_METRE_KM).all()
        seen += int(up.sum())
    assert seen > 10 * bridged.scenario.simulation.steps


@settings(max_examples=15, deadline=None)
@given(period=st.integers(0, 60), dead=st.sets(st.integers(0, 261), max_size=40))
def test_partners_are_the_nearest_that_both_terminals_can_have(bridged, period, dead):
    # The same choice in plain Python, from lengths that are worked out anew.
    seam, grid = bridged._seam, bridged.skeleton
    powered = np.ones(262, bool)
    powered[list(dead)] = False
    pairs, kind = grid.edges[grid.changing], grid.kind[grid.changing]
    middle_s = np.array([(seam.start_s(period) + seam.start_s(period + 1)) / 2])
    chosen = seam.partners(period, powered)
    able = seam._lasting[period - seam._first] & powered[pairs].all(axis=1)
    r_km = propagate(bridged.constellation, "kepler-j2", middle_s)[0][0]
    length_km = np.linalg.norm(r_km[pairs[:, 0]] - r_km[pairs[:, 1]], axis=1)
    taken, expected = set(), np.zeros(len(pairs), bool)
    for c in sorted(np.flatnonzero(able).tolist(), key=lambda c: (round(length_km[c], 6), c)):
        terminals = {(int(s), kind[c] == LinkKind.CROSS_SHELL) for s in pairs[c]}
        if not terminals & taken:
            taken |= terminals
            expected[c] = True
    np.testing.assert_array_equal(chosen, expected)
