"""Partners in neighbouring planes: by rule, the same any day, changing where planes drift."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from agents.fork import fork
from agents.run import resume, run_scenario
from twin.errors import InputError
from twin.network import phasing
from twin.network.grid import LinkKind
from twin.runs import checkpoints
from twin.runs.tables import TABLES
from twin.scenario import loader
from twin.vocabulary import LinkState
from twin.world.world import World

KUIPER = {
    "kind": "walker",
    "planes": 34,
    "satellites_per_plane": 34,
    "altitude_km": 630.0,
    "inclination_deg": 51.9,
    "alternate_half_slots": True,
}


def hypatia(planes, slots, shift=0):
    """Links as Hypatia builds them (Kassing et al., IMC 2020; generate_plus_grid_isls)."""
    links = set()
    for i in range(planes):
        for j in range(slots):
            own = i * slots + j
            links.add(frozenset((own, i * slots + (j + 1) % slots)))
            links.add(frozenset((own, (i + 1) % planes * slots + (j + shift) % slots)))
    return links


def links_of(world):
    return {frozenset(pair) for pair in world.skeleton.edges[~world.skeleton.passing].tolist()}


def named_links(world):
    names = world.constellation.names
    return {frozenset(names[i] for i in pair) for pair in links_of(world)}


def real(path, start, seam="closed", time=None, **more):
    changes = {
        "constellation": {"kind": "tle", "tle": str(path)},
        "simulation": {"start_utc": start} | (time or {"steps": 60, "orbits": 1.0}),
        "links.seam": seam,
        "outages.model": "none",
    }
    return loader.load("small", changes | {k.replace("__", "."): v for k, v in more.items()})


@pytest.mark.parametrize("shift", [0, 1, -2, 33])
def test_hypatias_grid_by_fields(shift):
    changes = {"constellation": KUIPER | {"link_shift": shift}, "links.seam": "closed"}
    found = links_of(World(loader.load("small", changes)))
    assert len(found) == 2312
    assert found == hypatia(34, 34, shift)


def test_alternate_half_slots_are_hypatias_orbits():
    body = World(loader.load("small", {"constellation": KUIPER})).constellation
    plane, slot = np.divmod(np.arange(34 * 34), 34)
    degrees = (plane % 2) * 360 / 68 + slot * 360 / 34
    np.testing.assert_allclose(np.degrees(body.argp_rad + body.nu_rad), degrees, atol=1e-9)
    np.testing.assert_allclose(np.degrees(body.raan_rad), plane * 360 / 34, atol=1e-9)


@pytest.mark.parametrize(("planes", "phasing_f", "shift"), [(33, 17, 0), (33, 17, -1), (6, 0, 2)])
def test_a_shifted_delta_closes_like_all_its_other_planes(planes, phasing_f, shift):
    shell = {
        "planes": planes,
        "satellites_per_plane": 32,
        "phasing": phasing_f,
        "link_shift": shift,
    }
    table = {"kind": "walker", "altitude_km": 550.0, "inclination_deg": 53.0} | shell
    world = World(loader.load("small", {"constellation": table, "links.seam": "closed"}))
    grid, body = world.skeleton, world.constellation
    latitude = (body.argp_rad + body.nu_rad) / (2 * np.pi)
    step = latitude[grid.edges[:, 1]] - latitude[grid.edges[:, 0]]
    slots = (32 * step[grid.kind != LinkKind.INTRA_PLANE] + 16) % 32 - 16
    np.testing.assert_allclose(slots, phasing_f / planes + shift, atol=1e-9)
    assert len(slots) == 32 * planes


def test_phasing_and_half_slots_exclude_each_other():
    with pytest.raises(InputError, match="give phasing or alternate_half_slots, not both"):
        loader.load("small", {"constellation": KUIPER | {"phasing": 3}})


def kuiper_sets(element_sets, noise_deg=0.0, name="kuiper.tle"):
    plane, slot = np.divmod(np.arange(34 * 34), 34)
    noise = noise_deg * np.random.default_rng(5).standard_normal(len(plane))
    latitude = plane % 2 * 360 / 68 + slot * 360 / 34 + noise
    return element_sets(51.9, plane * 360 / 34, latitude, 14.80, name=name)


@pytest.mark.parametrize("noise_deg", [0.0, 0.3])
@pytest.mark.parametrize("start", ["2022-09-14", "2022-09-03", "2022-10-13"])
def test_hypatias_element_sets_pair_as_its_grid_whatever_the_day(element_sets, noise_deg, start):
    world = World(real(kuiper_sets(element_sets, noise_deg), start))
    expected = {frozenset(f"SAT {i}" for i in pair) for pair in hypatia(34, 34)}
    assert named_links(world) == expected


@pytest.mark.parametrize("step_slots", [0.5, -0.5, 0.46, 0.53])
def test_offsets_of_half_a_slot_do_not_build_up(element_sets, step_slots):
    plane, slot = np.divmod(np.arange(12 * 20), 20)
    latitude = (slot + step_slots * plane) * 18.0
    world = World(real(element_sets(53.0, 30.0 * plane, latitude, 15.0), "2022-09-14", seam="open"))
    body, edges = world.constellation, world.skeleton.edges
    across = edges[world.skeleton.kind == LinkKind.INTER_PLANE]
    turns = body.phases.turns
    step = 20 * ((turns[across[:, 1]] - turns[across[:, 0]] + 0.5) % 1 - 0.5)
    built_up = np.cumsum([np.median(step[body.plane[across[:, 0]] == p]) for p in range(11)])
    assert len(across) == 11 * 20
    assert np.abs(step).max() < 0.55
    assert np.abs(built_up).max() < 0.55


SOME_DAYS = [0, 3, 15, 28]
LOCKED = {
    "iridium": "elements_2024/iridium-next.tle",
    "globalstar": "elements_2024/globalstar.tle",
    "starlink-2022": "starlink_3023_2022-09-14.tle",
    "starlink-2024": "elements_2024/starlink.tle",
}


@pytest.mark.parametrize("name", LOCKED)
def test_pairs_are_the_same_all_month_where_planes_are_locked(shared_data, name):
    path = shared_data / LOCKED[name]
    first = datetime(*((2022, 9, 14) if name == "starlink-2022" else (2024, 7, 16)), tzinfo=UTC)
    days = SOME_DAYS if "starlink" in name else range(30)
    pairs = set()
    for day in days:
        world = World(real(path, (first + timedelta(days=day)).isoformat()))
        assert not world.skeleton.passing.any()
        pairs.add(frozenset(named_links(world)))
    assert len(pairs) == 1


def drifting(element_sets):
    """Twelve planes of twenty, like OneWeb's: 4 km apart in altitude, neighbours 20 or 28."""
    plane, slot = np.divmod(np.arange(12 * 20), 20)
    rev_day = 13.15 - 0.0111 * (plane * 5 % 12)
    return element_sets(87.9, 15.0 * plane, 18.0 * slot + 4.0 * plane, rev_day)


def a_day(element_sets, **more):
    return real(
        drifting(element_sets),
        "2022-09-14T12:00:00Z",
        seam="open",
        links__acquisition_s=300.0,
        time={"steps": 300, "step_s": 240.0, "record_tokens_per_step": 0},
        workload__tokens_per_step=1,
        **more,
    )


def test_drifting_planes_pair_again_with_the_nearest(element_sets):
    world = World(real(drifting(element_sets), "2022-09-14T12:00:00Z", seam="open"))
    grid, body = world.skeleton, world.constellation
    table = grid.timetable
    assert grid.passing.any()
    assert table.starts_s[0] == 0
    assert (np.diff(table.starts_s) > 0).all()
    drift = np.array([body.phases.drift_turns_s[body.plane == p][0] for p in range(12)])
    fastest = np.abs(np.diff(drift, append=drift[0])).max()
    hold_s = phasing.HOLD_SLOTS / 20 / fastest
    np.testing.assert_allclose(np.diff(table.starts_s)[1:], hold_s)
    ends = grid.edges[grid.passing]
    for k, start_s in enumerate(table.starts_s[1:], start=1):
        there = np.concatenate([grid.edges[~grid.passing], ends[table.chosen[k]]])
        assert np.bincount(there.ravel()).max() <= 4
        turns = body.phases.turns + body.phases.drift_turns_s * (
            body.phases.age_s + start_s + np.array([[0.0], [hold_s]])
        )
        off = 20 * ((turns[:, ends[:, 1]] - turns[:, ends[:, 0]] + 0.5) % 1 - 0.5)
        # Nearest in the middle; half of what the fastest drift in a period is a quarter slot.
        assert np.abs(off[:, table.chosen[k]]).max() < 0.5 + 0.25 + 0.01
        assert table.chosen[k].sum() == table.chosen[1].sum()


def test_the_partners_at_an_instant_do_not_depend_on_the_start(element_sets):
    path = drifting(element_sets)
    early = World(real(path, "2022-09-14T12:00:00Z", seam="open"))
    late = World(real(path, "2022-09-15T06:00:00Z", seam="open"))

    def at(world, t_s):
        grid = world.skeleton
        there = ~grid.passing
        there[grid.passing] = grid.timetable.chosen[grid.timetable.period(t_s)]
        names = world.constellation.names
        return {frozenset(names[i] for i in pair) for pair in grid.edges[there].tolist()}

    for hours in np.linspace(0, 5.9, 12):
        assert at(early, (18 + hours) * 3600) == at(late, hours * 3600)


def test_new_partners_acquire_each_other(element_sets):
    world = World(
        real(
            drifting(element_sets),
            "2022-09-14T12:00:00Z",
            seam="open",
            time={"steps": 2400, "step_s": 30.0},
            links__acquisition_s=90.0,
        )
    )
    starts_s = world.skeleton.timetable.starts_s
    passing = np.flatnonzero(world.skeleton.passing)
    before, repaired = None, 0
    for snapshot in world.snapshots(0):
        paired = snapshot.link_state[passing] != LinkState.UNPAIRED
        if before is not None and (paired & ~before).any():
            new = snapshot.link_state[passing][paired & ~before]
            assert np.isin(new, [LinkState.PAT, LinkState.GRAZING]).all()
            assert (new == LinkState.PAT).any()
            t_s = snapshot.instant.t_s
            assert np.min(np.abs(t_s - starts_s[starts_s <= t_s])) < 30.0
            repaired += int((paired & ~before).sum())
        before = paired
    assert repaired >= 12


@pytest.fixture
def whole(element_sets, tmp_path):
    return run_scenario(a_day(element_sets), runs_dir=tmp_path, run_id="whole")


def test_a_fork_across_new_partners_is_the_rest_of_its_parent(whole, tmp_path):
    events = whole.table("events").to_pandas()
    assert ((events["kind"] == "isl-down") & (events["cause"] == "pat")).any()
    changed, beginning = fork(whole, 180)
    rest = run_scenario(changed, runs_dir=tmp_path, run_id="rest", beginning=beginning)
    for name in TABLES:
        theirs = whole.table(name).to_pandas()
        ours = rest.table(name).to_pandas()
        if "step" in theirs and len(theirs):
            theirs = theirs[theirs["step"] >= 180].reset_index(drop=True)
            assert theirs.equals(ours.reset_index(drop=True)), name


class StoppedError(Exception):
    """Stands for a crash."""


def test_a_run_that_broke_off_between_new_partners_is_finished_byte_for_byte(
    whole, tmp_path, monkeypatch
):
    def watch(model):
        if model.snapshot.step == 190:
            raise StoppedError

    monkeypatch.setattr(checkpoints.Checkpoints, "due", property(lambda self: True))
    with pytest.raises(StoppedError):
        run_scenario(whole.scenario, runs_dir=tmp_path, run_id="a", watch=watch)
    done = resume(tmp_path / "a.partial")
    for name in TABLES:
        file = f"{name}.parquet"
        assert (done.path / file).read_bytes() == (whole.path / file).read_bytes(), name


def test_a_fork_may_be_as_long_as_the_links_are_known_for(whole):
    fork(whole, 290, changes=["simulation.steps=360"])
    with pytest.raises(InputError, match=r"simulation\.steps.*drift"):
        fork(whole, 290, changes=["simulation.steps=361"])


def test_oneweb_moves_a_slot_in_eight_hours(shared_data):
    path = shared_data / "elements_2024/oneweb.tle"
    world = World(real(path, "2024-07-16T15:00:00Z", seam="open"))
    starts_s = world.skeleton.timetable.starts_s
    # Planes 24 km apart: 22.4 deg a day of slots of 360/58 deg; a change every half slot.
    assert np.diff(starts_s)[1:] == pytest.approx(0.5 * 360 / 58 / 22.6 * 86_400, rel=0.01)
    chosen = world.skeleton.timetable.chosen.sum(axis=1) + (~world.skeleton.passing).sum()
    assert np.ptp(chosen) < 0.02 * chosen.mean()
    assert chosen.min() > 627 + 0.8 * 11 / 12 * 627
