"""Plans carried out in whole runs: every byte, host and row of the record accounted for."""

import itertools
from collections import Counter

import numpy as np
import pytest

from agents.model import TwinModel
from agents.run import run_scenario
from twin.scenario import loader

# So slow that an expert takes several steps; one plan that nothing supersedes.
SLOW = (
    "simulation.steps=40",
    "links.rate_gbps=0.000001",
    "controller.policy=periodic",
    "controller.params={every_steps = 20}",
    "placement.strategy=rand-intra",
    "outages.model=none",
)


def model(*overrides):
    return TwinModel(loader.load("small", [*SLOW, *overrides]))


@pytest.mark.parametrize("steps", [24, 40])
def test_bytes_carried_are_those_that_arrived_and_those_still_on_their_way(steps):
    twin = model(f"simulation.steps={steps}")
    carried, begun, ended = 0.0, Counter(), Counter()
    ended_bytes = 0.0
    while twin.running:
        twin.step()
        carried += twin.row["migrated_bytes"]
        rows = twin.log.columns(0.0)
        for kind, cause, target, value in zip(
            *(rows[name] for name in ("kind", "cause", "other", "value")), strict=True
        ):
            if kind == "migration-start":
                begun[cause, int(target)] += 1
            elif kind == "migration-end":
                ended[cause, int(target)] += 1
                ended_bytes += value
    under_way = twin.controller.transfers.under_way
    on_their_way = sum(a.size_bytes - a.left_bytes for a in under_way)
    assert carried == pytest.approx(ended_bytes + on_their_way)
    assert carried > 0
    assert twin.row["under_way"] == len(under_way)
    started = Counter((a.kind, a.target) for a in under_way if a.source is not None)
    assert begun == ended + started
    assert bool(under_way) == (steps == 24)  # one run ends in the middle, the other does not


def test_a_slow_migration_goes_through_mixtures_and_ends_at_the_plan():
    twin = model()
    for _ in range(20):
        twin.step()
    old = twin.controller.placement
    wanted = None
    mixtures = 0
    while twin.running:
        twin.step()
        placement, transfers = twin.controller.placement, twin.controller.transfers
        assert (placement.gateway >= 0).all()
        assert (placement.expert >= 0).all()
        assert twin.row["lost_moving"] == 0
        mixtures += placement != old and bool(transfers.under_way)
        wanted = placement
    assert mixtures > 1
    assert not twin.controller.transfers.under_way
    assert twin.controller.plans == 1
    assert wanted.replica.size == wanted.standby.size == 0  # no old copy is kept
    assert wanted != old


def test_a_plan_is_told_of_as_often_as_it_changes_hosts():
    twin = model()
    versions = []
    while twin.running:
        twin.step()
        versions.append((twin.row["placement"], twin.controller.placement))
    assert versions[-1][0] > 1
    for (number, placement), (later, after) in itertools.pairwise(versions):
        assert later - number in (0, 1)
        assert (placement != after) == (later > number)


def test_the_record_of_placements_names_every_host_of_every_version(tmp_path):
    overrides = [
        *SLOW,
        "placement.strategy=replicated",
        "faults.model=exponential",
        "faults.availability=0.9",
    ]
    run = run_scenario(loader.load("small", overrides), runs_dir=tmp_path)
    rows = run.table("placements").to_pandas()
    steps = run.table("steps").to_pandas()
    assert rows["copy"].max() >= 1
    assert rows["satellite"].between(0, 47).all()
    assert not rows.duplicated(["placement", "layer", "expert", "copy"]).any()
    assert not rows.duplicated(["placement", "layer", "expert", "satellite"]).any()
    first = rows[rows["copy"] == 0].groupby("placement").size()
    assert (first == 8 * 5).all()
    # A row of steps names a version that is on record from that step or before.
    since = rows.groupby("placement")["step"].first()
    for step, version in zip(steps["step"], steps["placement"], strict=True):
        assert since[version] <= step
    assert (since.diff().dropna() > 0).all()


@pytest.mark.parametrize("delay_steps", [0, 3])
def test_reports_come_as_late_as_telemetry_is(delay_steps):
    step_s = model().world.step_s
    twin = model(
        "faults.model=exponential",
        "faults.availability=0.8",
        f"controller.telemetry_delay_s={max(delay_steps - 0.5, 0) * step_s}",
    )
    sound = []
    while twin.running:
        twin.step()
        sound.append(twin.fleet.sound.copy())
        if len(sound) > delay_steps:
            known = twin.controller.known
            np.testing.assert_array_equal(known.sound, sound[-1 - delay_steps])
    assert len({tuple(row) for row in sound}) > 10


def test_where_nobody_takes_anything_on_the_plan_in_force_stays():
    twin = model(
        "controller.params={every_steps = 1}",
        "faults.model=exponential",
        "faults.availability=0.05",
        "faults.mean_down_s=100000",
        "simulation.steps=12",
    )
    twin.step()
    first = twin.controller.placement
    failed = 0
    while twin.running:
        twin.step()
        failed += twin.log.columns(0.0)["kind"].count("replan-failed")
    assert failed == 11
    assert twin.controller.plans == 0
    assert twin.controller.placement == first
