"""Satellites that bid: what they may know and when, and what a market never does."""

from dataclasses import replace

import numpy as np
import pytest

from agents.fork import fork
from agents.market_state import NEVER, Award, arrival
from agents.model import TwinModel
from agents.run import run_scenario
from placement.policies.telemetry import Bids
from twin.constants import C_KM_S
from twin.scenario import loader
from twin.serving.transfer_state import used_bytes

MARKET = ["controller.policy=market", "controller.params={every_steps = 2}"]
FAULTY = [*MARKET, "faults.model=exponential", "faults.availability=0.95"]


def model(*overrides, preset="small"):
    return TwinModel(loader.load(preset, [*FAULTY, *overrides]))


def test_a_message_is_read_at_the_start_of_the_step_after_it_arrives():
    delay_s = np.array([0.0, 0.5, 1.0, 1.1, np.inf])
    assert arrival(7, delay_s, 1.0).tolist() == [7, 8, 8, 9, NEVER]


def test_what_a_gateway_has_heard_is_as_old_as_light_makes_it():
    """In steps of 10 ms, which is less than any link takes."""
    twin = model(
        "simulation.step_s=0.01",
        "simulation.steps=30",
        "outages.model=none",
        "faults.model=none",
        "controller.params={every_steps = 2, patience_s = 0.5}",
    )
    for _ in range(26):
        twin.step()
    mine, step = twin.market.state, twin.snapshot.step
    r_km, edges = twin.snapshot.instant.r_km, twin.world.skeleton.edges
    gateway = int(twin.all_hosts.gateway[0])
    near = edges[(edges == gateway).any(axis=1)].sum(axis=1) - gateway
    assert len(near) == 4
    for satellite in near:
        light_s = np.linalg.norm(r_km[satellite] - r_km[gateway]) / C_KM_S
        read = [told.step for told in mine.quotes if told.there[0, satellite] <= step]
        assert step - max(read) == np.ceil(light_s / 0.01) > 1
    # Of itself it knows what is so now.
    assert max(told.step for told in mine.quotes if told.there[0, gateway] <= step) == step


def test_nothing_is_heard_of_those_that_are_off_and_patience_ends():
    twin = model("faults.model=none", "controller.params={every_steps = 2, patience_s = 200}")
    for _ in range(8):
        twin.step()
    hosts = set(twin.controller.placement.expert.ravel()) | set(twin.controller.placement.gateway)
    idle = next(s for s in range(twin.fleet.size) if s not in hosts)
    known = []
    twin.satellites[idle].remove()
    for _ in range(5):
        twin.step()
        known.append(bool(twin.market.state.heard(twin.snapshot.step).known[0, idle]))
    # Steps last 110 s: what it said two steps ago is the oldest that is remembered.
    assert known == [True, True, False, False, False]


SHORT = ["compute.memory_gb=0.00013"]
COPIES = [
    "compute.memory_gb=0.0005",
    "placement.strategy=joint",
    "placement.instances=2",
    "serving.mode=requests",
    "requests.rate_per_s=0.05",
    "requests.lengths=fixed",
    "requests.prompt_tokens=8",
    "requests.output_tokens=8",
]


@pytest.mark.parametrize("served", [SHORT, COPIES], ids=["tokens", "requests of two instances"])
def test_every_expert_has_one_host_and_memory_is_never_over(served):
    """Memory holds two experts, or ten, and faults make whole layers look for hosts at once."""
    twin = model("faults.availability=0.85", *served)
    moved, memory = 0, twin.fleet.memory_bytes
    while twin.running:
        twin.step()
        placement, state = twin.controller.placement, twin.controller.transfers.state
        assert (placement.expert >= 0).all()
        assert (placement.gateway >= 0).all()
        assert placement.replica.size == placement.standby.size == 0
        assert not state.absent.any()
        # Caches that grow where they are belong to the engine, which admits by what is left.
        weights = replace(state, gateway_bytes=state.gateway_bytes - state.kv_bytes)
        assert (used_bytes(weights, twin.fleet.size) <= memory * (1 + 1e-9)).all()
        things = [wish.thing for wish in state.wanted]
        assert len(things) == len(set(things))
        moved += twin.log.columns(0.0)["kind"].count("migration-end")
    assert moved > 20
    assert twin.controller.plans == 0


def test_of_two_sellers_that_chose_the_same_last_place_one_is_refused():
    twin = model("faults.model=none")
    for _ in range(6):
        twin.step()
    placement, step = twin.controller.placement, twin.snapshot.step
    hosts = set(placement.expert.ravel()) | set(placement.gateway)
    winner = next(s for s in range(twin.fleet.size) if s not in hosts)
    twin.controller.transfers.state.under_way.clear()
    twin.controller.transfers.state.wanted.clear()
    size = twin.controller.transfers.state.expert_bytes
    twin.fleet.memory_bytes[winner] = 1.5 * size
    mine = twin.market.state
    mine.awards = [
        Award(
            layer=layer,
            expert=0,
            source=int(placement.expert[layer, 0]),
            target=winner,
            there=step + 1,
            answered=step + 2,
        )
        for layer in (0, 1)
    ]
    twin.step()
    going = [s.thing for s in twin.controller.transfers.under_way if s.target == winner]
    assert going == [(0, 0)]


def test_a_market_does_not_know_what_the_controller_knows():
    rows = {}
    for delay_s in (0.0, 1e6):
        twin = model(f"controller.telemetry_delay_s={delay_s}")
        rows[delay_s] = []
        while twin.running:
            twin.step()
            rows[delay_s].append(dict(twin.row))
    np.testing.assert_equal(rows[0.0], rows[1e6])


def test_a_gateway_that_fails_is_sold_by_the_one_before_it():
    twin = model("faults.model=none", "outages.model=none", "simulation.steps=40")
    for _ in range(21):
        twin.step()
    gateway = int(twin.controller.placement.gateway[3])
    twin.satellites[gateway].remove()
    begun, lost = [], 0
    while twin.running:
        twin.step()
        lost += twin.row["tokens_lost"]
        seen = twin.log.columns(0.0)
        begun += [
            (twin.snapshot.step, cause)
            for kind, cause in zip(seen["kind"], seen["cause"], strict=True)
            if kind == "migration-start"
        ]
    # 20 is the last step with it. Its word of step 20 is forgotten after 21, the award of 22 is
    # read at the start of 23, when the transfer begins.
    assert (23, "gateway") in begun
    assert gateway not in twin.controller.placement.gateway
    assert twin.row["tokens_served"] == 32
    assert lost < 6 * 32


def test_a_policy_may_open_the_market_and_close_it_again():
    twin = model()
    twin.controller._policy = lambda view, propose: Bids(every_steps=2) if view.step < 30 else None
    asked = []
    while twin.running:
        twin.step()
        asked.append(twin.log.columns(0.0)["kind"].count("take-over"))
    assert sum(asked[:30]) > 0
    assert sum(asked[30:]) == 0


def test_a_fork_opens_the_market_at_any_time(tmp_path):
    still = ["faults.model=exponential", "faults.availability=0.95"]
    parent = run_scenario(loader.load("small", still), runs_dir=tmp_path, run_id="p")
    changed = {"controller.policy": "market", "controller.params": {"every_steps": 2}}
    scenario, beginning = fork(parent, 20, changes=changed)
    child = run_scenario(scenario, runs_dir=tmp_path, run_id="c", beginning=beginning)
    before, after = (
        sum(r.table("steps")["tokens_lost"].to_pylist()[-40:]) for r in (parent, child)
    )
    assert after < before


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("{patience_s = -1}", "patience_s must be a number from 0.0 to"),
        ("{patience = 1}", "policy 'market' has no parameter 'patience'; it takes: every_steps"),
    ],
)
def test_terms_are_checked(params, message):
    with pytest.raises(ValueError, match=message):
        TwinModel(loader.load("small", [*MARKET, f"controller.params={params}"]))
