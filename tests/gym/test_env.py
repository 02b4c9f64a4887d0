"""The environment: gymnasium's own check, what commands do, and that seeds decide."""

import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence

from agents.run import run_scenario
from twin.errors import InputError
from twin.gym import ID, LEVELS, TwinEnv, Verb
from twin.scenario import loader

FAULTY = {"faults.model": "exponential", "faults.availability": 0.9, "simulation.steps": 24}
COPIES = {
    "placement.strategy": "joint",
    "placement.instances": 2,
    "serving.mode": "requests",
    "requests.rate_per_s": 0.05,
}
WAIT = (Verb.WAIT, 0, 0, 0, 0, 0)


def episode(env, seed, *actions):
    """What an agent sees and is given in an episode of some actions, then none."""
    seen, _ = env.reset(seed=seed)
    observations, given, over, number = [seen], [], False, 0
    while not over:
        action = actions[number] if number < len(actions) else WAIT
        seen, reward, _, over, info = env.step(action)
        observations.append(seen)
        given.append((reward, info))
        number += 1
    return observations, given


@pytest.mark.parametrize("changes", [FAULTY, COPIES], ids=["tokens", "requests"])
def test_it_passes_the_check_of_gymnasium(changes):
    env = gymnasium.make(ID, scenario="small", overrides=changes)
    check_env(env.unwrapped)


def test_a_fork_passes_it_too_and_only_the_weather_follows_the_seed(tmp_path):
    scenario = loader.load("small", FAULTY)
    run = run_scenario(scenario, runs_dir=tmp_path, run_id="p")
    env = TwinEnv(start=(str(run.path), 10))
    check_env(env, skip_render_check=True, skip_close_check=True)
    (first, *_), given = episode(env, scenario.simulation.seed)
    assert [info["step"] for _, info in given] == list(range(11, 25))
    served = run.table("steps")["tokens_served"].to_pylist()[10:]
    assert [info["figures"]["tokens_served"] for _, info in given] == served
    (other, *_), elsewhere = episode(env, 5)
    assert data_equivalence(first, other)  # the past is the same
    assert [info["figures"].get("faulty") for _, info in elsewhere] != [
        info["figures"].get("faulty") for _, info in given
    ]


def test_an_agent_that_waits_makes_the_run_of_its_seed(tmp_path):
    env = TwinEnv("small", FAULTY, reward={"tokens_served_share": 1.0}, every_steps=23)
    _, ((reward, info),) = episode(env, 7)
    scenario = loader.load("small", FAULTY | {"simulation.seed": 7})
    steps = run_scenario(scenario, runs_dir=tmp_path).table("steps").to_pandas()[1:]
    assert info["figures"]["tokens_served"] == steps["tokens_served"].sum()
    presented = steps["tokens_asked"].sum() + steps["tokens_waiting"].iloc[0]
    assert reward == steps["tokens_served"].sum() / presented


def test_episodes_are_decided_by_seed_and_actions():
    env = TwinEnv("small", FAULTY)
    env.action_space.seed(5)
    actions = [env.action_space.sample() for _ in range(8)]
    once, again = episode(env, 3, *actions), episode(TwinEnv("small", FAULTY), 3, *actions)
    assert data_equivalence(once, again)
    assert not data_equivalence(once, episode(env, 4, *actions))
    # Without a seed the generator goes on: the same row of seeds follows.
    rows = []
    for _ in range(2):
        env.reset(seed=3)
        rows.append([env.reset()[0]["hosts"].tolist() for _ in range(3)])
    assert rows[0] == rows[1]
    assert len({str(hosts) for hosts in rows[0]}) == 3


def test_it_sees_what_the_controller_knows_and_no_more():
    changes = FAULTY | {"faults.availability": 0.7, "controller.telemetry_delay_s": 300.0}
    env = TwinEnv("small", changes)
    env.reset(seed=1)
    sound = [env.model.fleet.sound.copy()]
    for _ in range(20):
        seen, *_ = env.step(WAIT)
        sound.append(env.model.fleet.sound.copy())
        if len(sound) > 2:  # steps of 273 s: two steps old
            np.testing.assert_array_equal(seen["satellites"][:, 4], sound[-3])


def test_a_move_costs_what_migration_costs():
    slow = {"links.rate_gbps": 1e-6, "outages.model": "none"}
    env = TwinEnv("small", slow)
    seen, _ = env.reset(seed=0)
    gateway, host = seen["hosts"][2, 0], seen["hosts"][2, 1]
    move = (Verb.MOVE, 2, 1, gateway, 0, 0)
    seen, _, _, _, info = env.step(move)
    assert info["done"]
    assert seen["hosts"][2, 1] == host  # it is on its way
    assert info["figures"]["migrated_bytes"] > 0
    assert not env.step(move)[4]["done"]  # as it was asked for already
    for _ in range(30):
        seen, *_ = env.step(WAIT)
    assert seen["hosts"][2, 1] == gateway
    assert not env.step(move)[4]["done"]  # it is there


def test_a_satellite_is_throttled_until_it_is_let_go():
    env = TwinEnv("small", {"outages.model": "none"})
    seen, _ = env.reset(seed=0)
    host, busy = int(seen["hosts"][0, 1]), []
    for level in (None, 0, None, LEVELS - 1, None):
        env.step(WAIT if level is None else (Verb.THROTTLE, 0, 0, host, 0, level))
        busy.append(env.model.satellites[host].utilisation > 0.0)
    assert busy == [True, False, False, True, True]


def test_dispatch_drains_an_instance_and_opens_it_again():
    env = TwinEnv("small", COPIES)
    env.reset(seed=0)
    env.step((Verb.DISPATCH, 0, 0, 0, 1, 0))
    assert env.model.instances[1].draining
    env.step((Verb.DISPATCH, 0, 0, 0, 1, 1))
    assert not env.model.instances[1].draining
    tokens = TwinEnv("small")
    tokens.reset(seed=0)
    assert not tokens.step((Verb.DISPATCH, 0, 0, 0, 0, 0))[4]["done"]  # there are no requests


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"give either a scenario or start=\(RUN, STEP\)"),
        ({"scenario": "smal"}, "unknown scenario 'smal'"),
        ({"scenario": "small", "every_steps": 0}, "every_steps must be an integer >= 1"),
        ({"scenario": "small", "reward": {"served": 1}}, "reward: unknown figure 'served'; known"),
        ({"scenario": "small", "reward": {"soc_min": "x"}}, "soc_min must be a finite number"),
        ({"scenario": "small", "reward": {"latency_p99_s": 1}}, "unknown figure 'latency_p99_s'"),
        ({"start": ("nowhere", 3)}, "nowhere"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(given, message):
    with pytest.raises(InputError, match=message) as wrong:
        TwinEnv(**given)
    assert "\n" not in str(wrong.value)


def test_an_episode_that_is_over_is_reset_first():
    env = TwinEnv("small", {"simulation.steps": 2})
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(WAIT)
    env.reset(seed=0)
    assert env.step(WAIT)[3]
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(WAIT)


def test_without_gymnasium_the_message_says_what_to_install():
    code = "import sys; sys.modules['gymnasium'] = None; import twin.gym"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    told = "twin.gym needs gymnasium: pip install 'orbital-twin[gym]'"
    assert done.stderr.splitlines()[-1].endswith(told)
