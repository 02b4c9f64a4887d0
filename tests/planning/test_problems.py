"""What the planner is told, and what the controller makes of reports."""

from dataclasses import replace

import numpy as np
import pytest

from agents.status import FleetStatus, happened
from placement.problem import Placement
from twin.energy import bus
from twin.moe.inference import inference
from twin.planning.forecast import Light, Oracle, busy_limit
from twin.planning.problems import Known, last_planned_step, planning_problem
from twin.scenario import loader
from twin.world.topology import Network
from twin.world.world import World

N = 48


def pose(*overrides, first_step=0, last_step=9, oracle=False, in_force_to=None, **known):
    scenario = loader.load("small", ["placement.planning_snapshots=4", *overrides])
    world, model = World(scenario), inference(scenario)
    usual = {
        "memory_bytes": np.full(N, 1e9),
        "pace": np.ones(N),
        "soc": np.ones(N),
        "probability": model.probability,
        "activation": model.activation,
    }
    problem = planning_problem(
        scenario,
        world,
        model,
        Known(**(usual | known)),
        first_step=first_step,
        last_step=last_step,
        rng=np.random.default_rng(0),
        oracle=Oracle(world, world.simulated(0)) if oracle else None,
        in_force_to=in_force_to,
    )
    return world, problem


def test_the_planner_is_told_what_is_known():
    current = Placement(gateway=np.arange(8, dtype=np.int32), expert=np.zeros((8, 4), np.int32))
    pace, memory_bytes = np.linspace(1, 4, N), np.linspace(0, 1e9, N)
    _, problem = pose(pace=pace, memory_bytes=memory_bytes, current=current)
    assert problem.current is current
    np.testing.assert_array_equal(problem.speed, pace)
    np.testing.assert_array_equal(problem.memory_bytes, memory_bytes)
    assert len(problem.weight_s) == len(problem.entry_share) == 4
    assert len(pose(last_step=1)[1].weight_s) == 2  # no more snapshots than steps


def test_a_plan_looks_to_its_horizon_and_never_past_the_end_of_the_run():
    steps = ["simulation.steps=30"]
    scenario = loader.load("small", [*steps, "controller.horizon_steps=12"])
    assert [last_planned_step(scenario, step) for step in (0, 10, 25)] == [11, 21, 29]
    assert last_planned_step(loader.load("small", steps), 10) == 29


def test_the_rate_is_the_one_asked_or_that_of_the_tokens_followed():
    world, followed = pose()
    assert followed.rate_per_s * world.step_s == pytest.approx(32)
    assert pose("workload.rate_per_s=0.25")[1].rate_per_s == 0.25


def test_a_gateway_takes_its_weights_and_the_caches_of_all_conversations():
    none, one, three = (
        pose("model.context_tokens=100", f"workload.conversations={n}")[1] for n in (0, 1, 3)
    )
    assert none.kv_bytes == 0
    assert three.kv_bytes == 3 * one.kv_bytes > 0
    assert three.gateway_bytes - three.kv_bytes == none.gateway_bytes


def test_where_requests_are_served_a_gateway_takes_what_they_have_cached():
    told = pose("model.context_tokens=100", "workload.conversations=3", cached_tokens=700)[1]
    assert told.kv_bytes == pytest.approx(
        7 / 3 * pose("model.context_tokens=100", "workload.conversations=3")[1].kv_bytes
    )


def test_only_the_oracle_knows_who_will_be_faulty_while_a_plan_is_in_force():
    faults = ["faults.model=exponential", "faults.availability=0.7"]
    world, told = pose(*faults, oracle=True, in_force_to=2)
    coming = [None]
    for step in range(3):
        coming.append(world.simulated(0).sound(step, coming[-1], N))
    sound = np.stack(coming[1:]).all(axis=0)
    assert 0 < sound.sum() < N
    np.testing.assert_array_equal(told.memory_bytes > 0, sound)
    assert len(told.weight_s) == 3
    _, guessed = pose(*faults)
    assert (guessed.memory_bytes > 0).all()
    assert guessed.availability == 0.7
    assert pose("faults.availability=0.7")[1].availability == 1.0  # without a model, no faults


def test_planning_draws_outages_of_its_own():
    world, told = pose("outages.availability=0.8", oracle=True)
    _, guessed = pose("outages.availability=0.8")
    network = Network(world, world.simulated(0))
    met = [network.advance().weight_s for _ in range(10)]
    np.testing.assert_array_equal(told.weight_s, np.stack(met)[[0, 3, 6, 9]])
    assert (np.isinf(guessed.weight_s) != np.isinf(told.weight_s)).any()


def test_who_would_brown_out_idle_may_not_compute():
    profile = replace(bus.BUS_PROFILES["v2mini"], battery_wh=200.0)
    dark = Light(np.zeros((60, 1)), np.zeros((60, 1)))
    idle_w = profile.idle_w
    left_wh = 200.0 * (1 - profile.brownout_soc) - idle_w / profile.eta_discharge
    assert left_wh < 0  # an hour of darkness is too long for this battery
    assert busy_limit(profile, np.ones(1), dark)[0] == 0.0
    large = replace(profile, battery_wh=1e6)
    assert busy_limit(large, np.ones(1), dark)[0] == 1.0


CALM = FleetStatus(
    taking=np.ones(3, bool),
    up=np.ones(3, bool),
    lit=np.ones(3, bool),
    low=np.zeros(3, bool),
    sound=np.ones(3, bool),
    soc=np.ones(3),
    latency_s=0.1,
    version=0,
    handovers=0,
    choices=None,
)
FIRST = np.array([True, False, False])


@pytest.mark.parametrize(
    ("before", "now", "events"),
    [
        ({}, {}, set()),
        ({}, {"up": ~FIRST}, {"brown-out"}),
        ({}, {"up": ~FIRST, "sound": ~FIRST}, {"fault"}),  # off, but not for want of power
        ({"up": ~FIRST}, {"up": ~FIRST}, set()),  # no news
        ({"up": ~FIRST}, {}, {"recovered"}),
        ({}, {"low": FIRST}, {"soc-low"}),
        ({"low": FIRST}, {}, set()),
        ({}, {"lit": ~FIRST}, {"shadow"}),
        ({"lit": ~FIRST}, {}, set()),
        ({}, {"latency_s": np.inf}, {"outage"}),
        ({}, {"latency_s": np.nan}, set()),
        ({}, {"handovers": 2}, {"ground-handover"}),
    ],
)
def test_two_reports_tell_what_has_happened_to_hosts(before, now, events):
    before, now = replace(CALM, **before), replace(CALM, **now)
    assert happened(before, now, FIRST) == events
    # Nobody minds what happens to a satellite that hosts nothing.
    assert happened(before, now, ~FIRST) == events & {"outage", "ground-handover"}
