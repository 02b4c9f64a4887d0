"""What several shells mean for who hosts the model and who serves users."""

import numpy as np
import pytest

from agents.model import TwinModel
from agents.run import run_scenario
from placement.deployment import deploy
from placement.strategies.table import STRATEGIES
from twin.network.handover import NOBODY
from twin.planning.forecast import entry_share
from twin.runs.replay import snapshots
from twin.scenario import loader
from twin.study.place import problem_of
from twin.world.world import World

HOSTS = {
    "planes": 10, "satellites_per_plane": 12, "altitude_km": 550.0, "inclination_deg": 53.0,
    "phasing": 5,
}  # fmt: skip
OTHERS = HOSTS | {"inclination_deg": 70.0, "planes": 9}
FIRST, SIZE = 108, 120
QUICK = [name for name in STRATEGIES if name != "exact"]
CALM = {"outages.model": "none", "simulation.steps": 20, "placement.planning_snapshots": 3}


def two_shells(**changes):
    table = {"kind": "shells", "shells": [OTHERS, HOSTS], "host_shell": 1}
    named = {key.replace("__", "."): value for key, value in changes.items()}
    return loader.load("small", {"constellation": table} | CALM | named)


@pytest.fixture(scope="module")
def problems():
    alone = loader.load("small", {"constellation": HOSTS | {"kind": "walker"}} | CALM)
    return problem_of(alone), problem_of(two_shells())


@pytest.mark.parametrize("strategy", QUICK)
def test_the_host_shell_is_planned_as_if_it_were_alone(strategy, problems):
    alone, among = (
        deploy(problem, STRATEGIES[strategy], instances=1, rng=np.random.default_rng(3)).instances[
            0
        ]
        for problem in problems
    )
    np.testing.assert_array_equal(
        among.gateways, np.where(alone.gateways < 0, -1, alone.gateways + FIRST)
    )
    np.testing.assert_array_equal(
        among.copies, np.where(alone.copies < 0, -1, alone.copies + FIRST)
    )


@pytest.mark.parametrize(("policy", "params"), [("on-event", {}), ("periodic", {"every_steps": 5})])
def test_nothing_moves_to_another_shell_over_bridges(policy, params):
    twin = TwinModel(
        two_shells(
            links__cross_shell_every=4,
            faults__model="exponential",
            faults__availability=0.9,
            controller__policy=policy,
            controller__params=params,
            placement__strategy="replicated",
        )
    )
    while twin.running:
        twin.step()
        placement = twin.controller.placement
        hosts = np.concatenate([placement.gateways.ravel(), placement.copies.ravel()])
        assert (twin.world.constellation.shell[hosts[hosts >= 0]] == 1).all()
    assert twin.controller.plans > 0


def serving_shells(every):
    scenario = two_shells(ground__users="cities", links__cross_shell_every=every)
    twin = TwinModel(scenario)
    found = []
    while twin.running:
        twin.step()
        satellite = twin.ground.service.satellite
        found.append(twin.world.constellation.shell[satellite[satellite != NOBODY]])
    share = entry_share(World(scenario), np.array([0, 10]))
    return np.bincount(np.concatenate(found), minlength=2), share, twin


def test_users_reach_the_host_shell_only_unless_bridges_lead_there():
    counts, share, _ = serving_shells(0)
    assert counts[0] == 0 < counts[1]
    assert share[:, :FIRST].sum() == 0 < share[:, FIRST:].sum()
    counts, share, twin = serving_shells(3)
    assert (counts > 0).all()
    assert share[:, :FIRST].sum() > 0
    # Whoever enters by the other shell still finds the model.
    assert np.isfinite(twin.delay_s[0, :FIRST]).all()


def test_a_run_over_bridges_is_replayed_link_by_link(tmp_path):
    scenario = two_shells(
        links__cross_shell_every=3,
        links__seam="dynamic",
        outages__model="gilbert-elliott",
        faults__model="exponential",
    )
    run = run_scenario(scenario, runs_dir=tmp_path)
    steps = run.table("steps").to_pydict()
    for (snapshot, _), up, random in zip(
        snapshots(run), steps["links_up"], steps["links_down_random"], strict=True
    ):
        assert (snapshot.up.sum(), (snapshot.link_state == 4).sum()) == (up, random)
    assert run.manifest["notes"][0].startswith("228 satellites in 2 shells, 19 planes of 12, ")
    assert "cross-shell" in run.manifest["conclusion"]["links"]
