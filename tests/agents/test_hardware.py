"""Satellites that differ, fail, and stand in for each other; and plans carried out under way."""

import itertools

import numpy as np
import pytest

from agents.fleet import hardware
from agents.model import TwinModel
from agents.run import run_scenario
from placement.migration import migration
from placement.problem import Placement
from twin.errors import InputError
from twin.network.outages import two_states
from twin.scenario import loader
from twin.vocabulary import LinkState
from twin.world.world import World

FAULTY = ("faults.model=exponential", "faults.availability=0.9", "faults.mean_down_s=300")


def model(*overrides: str, preset: str = "small") -> TwinModel:
    return TwinModel(loader.load(preset, overrides))


def test_hubs_are_faster_larger_and_less_busy():
    scenario = loader.load(
        "small",
        ["compute.hub_every=4", "compute.hub_gflops=0.04", "compute.hub_memory_gb=64"],
    )
    pace, memory_bytes = hardware(World(scenario).constellation, scenario)
    hub = World(scenario).constellation.slot % 4 == 0
    np.testing.assert_array_equal(pace, np.where(hub, 4.0, 1.0))
    np.testing.assert_array_equal(memory_bytes, np.where(hub, 64e9, 16e9))
    mixed, alike = TwinModel(scenario), model()
    for twin in (mixed, alike):
        twin.step()
    hosting = alike.fleet.experts > 0
    np.testing.assert_array_equal(
        mixed.controller.placement.expert, alike.controller.placement.expert
    )
    np.testing.assert_allclose(
        (mixed.fleet.utilisation * pace)[hosting], alike.fleet.utilisation[hosting]
    )
    assert mixed.row["compute_mean_s"] < alike.row["compute_mean_s"]
    assert mixed.row["compute_done_flop"] == pytest.approx(alike.row["compute_done_flop"])


@pytest.mark.parametrize(
    "overrides", [["compute.hub_every=4"], ["compute.hub_gflops=1.0"], ["compute.hub_memory_gb=1"]]
)
def test_hubs_need_a_place_and_a_size(overrides):
    with pytest.raises(InputError, match="hub_every goes with hub_gflops or hub_memory_gb"):
        loader.load("small", overrides)


def test_faults_last_as_long_and_are_as_rare_as_the_scenario_says():
    rng = np.random.default_rng(0)
    states = [None]
    for _ in range(4000):
        states.append(two_states(states[-1], 400, 0.9, 300.0, 30.0, rng=rng))
    up = np.array(states[1:])
    assert up.mean() == pytest.approx(0.9, abs=0.005)
    began = (up[:-1] & ~up[1:]).sum()
    # Sampled every 30 s, of down times of 300 s those are missed that fit between two samples.
    forget = 1 - np.exp(-30.0 / 270.0)
    assert (~up).sum() / began == pytest.approx(1 / (0.9 * forget), rel=0.03)


def test_a_faulty_satellite_has_no_links_and_serves_nothing():
    twin = model(*FAULTY)
    downs = 0
    while twin.running:
        twin.step()
        down = ~twin.fleet.sound
        downs += down.sum()
        assert (twin.fleet.degree[down] == 0).all()
        assert (twin.fleet.utilisation[down] == 0).all()
        edges = twin.world.skeleton.edges
        touches = np.isin(edges, np.flatnonzero(down)).any(axis=1)
        assert (twin.snapshot.link_state[touches] != LinkState.UP).all()
        assert twin.row["faulty"] == down.sum()
    assert downs > 0


def test_faults_begin_and_end_in_turn_and_are_the_same_for_every_strategy(tmp_path):
    seen = []
    for strategy in ("joint", "space-xnet"):
        scenario = loader.load("small", [*FAULTY, f"placement.strategy={strategy}"])
        events = run_scenario(scenario, runs_dir=tmp_path).table("events").to_pylist()
        seen.append(
            [(e["step"], e["kind"], e["satellite"]) for e in events if "fault" in e["kind"]]
        )
    assert seen[0] == seen[1]
    for satellite in {row[2] for row in seen[0]}:
        kinds = [kind for _, kind, of in seen[0] if of == satellite]
        assert all(a != b for a, b in itertools.pairwise(kinds))


def test_copies_stand_in_for_faulty_hosts():
    lost = {"joint": 0, "replicated": 0}
    for strategy, replicate in itertools.product(lost, range(4)):
        more = [f"placement.strategy={strategy}", f"simulation.replicate={replicate}"]
        twin = model(*FAULTY, *more, "workload.retries=0")
        while twin.running:
            twin.step()
            lost[strategy] += twin.row["tokens_lost"]
            placement, up = twin.controller.placement, twin.fleet.up
            for layer, serving in enumerate(twin.hosts.gateway):
                first = [g for g in placement.gateways[layer] if g >= 0 and up[g]]
                assert serving == (first[0] if first else placement.gateway[layer])
    assert lost["replicated"] < 0.5 * lost["joint"]


POLICIES = {
    "periodic": "{every_steps = 8}",
    "threshold": "{hold_steps = 2, relative_increase = 0.05}",
    "on-event": "{events = 'fault,outage'}",
    "receding-horizon": "{every_steps = 4}",
    "clairvoyant": "{every_steps = 4}",
    "market": "{every_steps = 4}",
}


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_carries_its_plans_out_and_loses_no_count(policy, tmp_path):
    overrides = [
        *FAULTY,
        "simulation.steps=40",
        f"controller.policy={policy}",
        f"controller.params={POLICIES[policy]}",
        "controller.horizon_steps=20",
        "placement.planning_snapshots=3",
        "links.rate_gbps=0.00001",  # so slow that moving an expert takes several steps
        "controller.telemetry_delay_s=120",
    ]
    scenario = loader.load("small", overrides)
    run = run_scenario(scenario, runs_dir=tmp_path)
    steps = run.table("steps").to_pandas()
    waiting = (
        steps["tokens_asked"].sum() - steps["tokens_served"].sum() - steps["tokens_lost"].sum()
    )
    assert 0 <= waiting <= 32
    events = run.table("events").to_pandas()
    moved = events[events["kind"] == "migration-end"]["value"].sum()
    if policy == "clairvoyant":
        assert steps["migrated_bytes"].sum() == moved == 0
    else:
        assert moved <= steps["migrated_bytes"].sum() + 1e-6
        assert (steps["migrated_byte_hops"] >= steps["migrated_bytes"]).all()
    assert steps["placement"].max() > 0
    placements = run.table("placements").to_pandas()
    rows = placements.groupby("placement")[["layer", "expert"]].nunique()
    assert (rows["layer"] == 8).all()
    assert (rows["expert"] == 5).all()  # the gateway and four experts, each hosted somewhere
    again = run_scenario(scenario, runs_dir=tmp_path)
    assert again.table("steps").equals(run.table("steps"))


def test_a_policy_refuses_parameters_before_the_first_step():
    with pytest.raises(InputError, match="unknown event 'rain'"):
        model("controller.policy=on-event", "controller.params={events = 'rain'}")


def test_what_has_moved_serves_from_the_next_step_on():
    twin = model(
        "controller.policy=periodic",
        "controller.params={every_steps = 10}",
        "placement.strategy=rand-intra",
        "outages.model=none",
    )
    for _ in range(10):
        twin.step()
    before = twin.controller.placement
    twin.step()  # plans and moves
    assert twin.controller.placement == before
    assert twin.row["migrated_bytes"] > 0
    twin.step()
    after = twin.controller.placement
    assert isinstance(after, Placement)
    moves = migration(twin.controller.problem, before, after)
    assert moves.total_bytes > 0


def test_the_controller_learns_what_tokens_choose():
    twin = model(
        "activations.kind=mixtral",
        "activations.topics=['instruct/machine_learning', 'original/college_medicine']",
        "activations.topic_s=6500",
        "model.card=mixtral-8x7b",
        "constellation.planes=20",
        "constellation.satellites_per_plane=20",
        "controller.activation_memory_s=300",
        "placement.strategy=joint",
        "workload.tokens_per_step=2000",
        "simulation.steps=60",
        "compute.gflops=1000",
        "compute.memory_gb=64",
    )
    twin.run()
    truth = twin.inference.activation
    first = twin.inference.at(0.0).activation
    learnt = twin.controller.state.estimate
    assert np.abs(learnt - truth).mean() < 0.5 * np.abs(first - truth).mean()
