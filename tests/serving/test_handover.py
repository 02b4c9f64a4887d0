"""A part of the model moves while work waits for it: sent on, served first, or lost."""

import numpy as np
import pytest
from queueing import system
from test_engine_invariants import assert_all_is_given_back

from agents.model import TwinModel
from twin.report.scenario import scenario_table
from twin.scenario import loader
from twin.serving.engine.records import DRAIN, FORWARD, FREE, LOSE
from twin.vocabulary import Cause
from twin.world import state as states

GATEWAY, EXPERT, HEAD, NEW = range(4)
REACHED_FROM = {GATEWAY: 0, HEAD: 1, EXPERT: 1}
"""Where the old host's result goes: to the first gateway, or to the LM head."""
EDGE_S = 1.5


def move(engine, part, *, reached_from, dead=False, no_way=False):
    """Move a part from the satellite of its number to the last one, and let all else happen.

    From then on the new host is 0.3 s behind a gateway and 0.4 s before the next; the old one is
    0.5 s from it where work is forwarded, and 0.25 s before where its results go.
    """
    state = engine.state
    engine.step["out_s"][:], engine.step["on_s"][:] = 0.3, 0.4
    engine.step["reach_s"][:] = np.inf
    engine.step["reach_s"][part, reached_from] = np.inf if no_way else 0.25
    satellite = state.parts["satellite"].copy()
    satellite[part] = len(state.satellites) - 1
    down = np.arange(len(state.satellites)) == (part if dead else -1)
    engine.change(
        satellite=satellite,
        forward_s=np.full(len(satellite), np.inf if no_way else 0.5),
        speed=np.where(down, 0.0, 1.0),
        dead=down,
        cache_lost=np.zeros(1, bool),
    )
    engine.advance(1e3)
    assert_all_is_given_back(engine)
    return engine.outcomes()


def moved(handover, part, *, retries=0, **edge):
    """Three tokens asked at 0 and one at 1.6; the part takes a second for each, and moves at 1.5.

    The second is in service then, and the third waits. All ways are of 0.1 s before.
    """
    seconds = {GATEWAY: "gateway", HEAD: "head", EXPERT: "expert"}[part]
    engine = system(ways=0.1, spare=1, service_tokens=1, retries=retries, **{seconds: 1.0})
    engine.set(handover=handover)
    at_s, one = np.array([0.0, 0.0, 0.0, 1.6]), np.ones(4, int)
    asked = {"number": np.arange(4), "site": 0 * one, "prompt": one, "output": one}
    engine.add(asked | {"asked_s": at_s}, at_s)
    engine.advance(EDGE_S)
    early = engine.outcomes()
    engine.state.shift(EDGE_S)
    late = move(engine, part, reached_from=REACHED_FROM[part], **edge)
    late["last_s"] += EDGE_S
    return np.sort(np.concatenate([early, late]), order="number")


@pytest.mark.parametrize(
    ("handover", "part", "last_s"),
    [
        # In service until 2.1, and on. The third is there at 2, behind the fourth, there at 1.9.
        (FORWARD, EXPERT, [1.2, 2.1 + 0.4, 3.9 + 0.4, 2.9 + 0.4]),
        # The third is served by the old host from 2.1 to 3.1, the fourth by the new one.
        (DRAIN, EXPERT, [1.2, 2.1 + 0.25, 3.1 + 0.25, 2.9 + 0.4]),
        # The third is asked again at 1.5, and served from 1.8 on; the fourth from 2.8 on.
        (LOSE, EXPERT, [1.2, 2.1 + 0.4, 2.8 + 0.4, 3.8 + 0.4]),
        (FORWARD, GATEWAY, [1.2, 2.0 + 0.7, 3.6 + 0.7, 2.6 + 0.7]),
        (DRAIN, GATEWAY, [1.2, 2.0 + 0.25 + 0.7, 3.0 + 0.25 + 0.7, 2.6 + 0.7]),
        (LOSE, GATEWAY, [1.2, 2.0 + 0.7, 2.5 + 0.7, 3.5 + 0.7]),
        (FORWARD, HEAD, [1.2, 2.2, 3.0, 4.0]),
        (DRAIN, HEAD, [1.2, 2.2 + 0.25, 3.2 + 0.25, 3.3]),
        (LOSE, HEAD, [1.2, 2.2, 3.2, 4.2]),
    ],
)
def test_what_waits_where_a_part_moves_ends_when_worked_out_by_hand(handover, part, last_s):
    done = moved(handover, part, retries=1)
    np.testing.assert_allclose(done["last_s"], last_s, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(done["tries"], [0, 0, handover == LOSE, 0])


@pytest.mark.parametrize("part", [GATEWAY, HEAD, EXPERT])
@pytest.mark.parametrize(
    ("handover", "second", "third"),
    [
        (FORWARD, Cause.NONE, Cause.UNREACHABLE),
        (DRAIN, Cause.UNREACHABLE, Cause.UNREACHABLE),
        (LOSE, Cause.NONE, Cause.HANDED_OVER),
    ],
)
def test_without_a_way_requests_fail_and_with_a_dead_host_all_that_are_there(
    part, handover, second, third
):
    causes = moved(handover, part, no_way=True)["cause"]
    np.testing.assert_array_equal(causes, [Cause.NONE, second, third, Cause.NONE])
    causes = moved(handover, part, dead=True)["cause"]
    np.testing.assert_array_equal(causes, [Cause.NONE, Cause.DEAD, Cause.DEAD, Cause.NONE])


def test_a_chunk_waits_at_the_new_host_for_those_ahead_of_it():
    """Four chunks of a token, at the second layer's gateway at 0.3, 0.4, 0.5 and 0.6.

    It takes a second for each, and moves at 0.55. The old host has served the third at 3.3; that
    is at the new one at 3.55, which then serves the fourth.
    """
    engine = system(layers=2, ways=0.1, spare=1, service_tokens=1, chunk=1, handover=DRAIN)
    engine.state.parts["token_s"][:2] = 0.1, 1.0
    one = np.ones(1, int)
    asked = {"number": one, "site": 0 * one, "prompt": 4 * one, "output": one}
    engine.add(asked | {"asked_s": np.zeros(1)}, np.zeros(1))
    engine.advance(0.55)
    engine.state.shift(0.55)
    (row,) = move(engine, 1, reached_from=1)
    assert row["last_s"] + 0.55 == pytest.approx(4.55 + 0.7)


MOVING = {
    "serving.mode": "requests",
    "compute.accounting": "full",
    "compute.gflops": 0.001,
    "requests.rate_per_s": 0.3,
    "requests.lengths": "lognormal",
    "requests.prompt_tokens": 40.0,
    "requests.output_tokens": 5.0,
    "requests.record_every": 1,
    "serving.chunk_tokens": 4,
    "placement.strategy": "rand-intra",
    "controller.policy": "periodic",
    "controller.params": {"every_steps": 2},
    "outages.model": "none",
    "links.acquisition_s": 0.0,
    "ground.users": "cities",
    "ground.minimum_elevation_deg": 10.0,
}


@pytest.mark.parametrize("batching", ["continuous", "micro-batch"])
@pytest.mark.parametrize("handover", ["drain", "lose"])
def test_nothing_is_lost_and_a_saved_run_goes_on_alike(handover, batching, tmp_path):
    changes = {"serving.handover": handover, "serving.batching": batching}
    model, other = TwinModel(loader.load("small", MOVING | changes)), None
    ended, tries, stayed, visits = 0, 0, 0, []
    while model.running:
        model.step()
        state = model.requests.state
        requests = state.engine.requests
        inside = requests["phase"] != FREE
        done = model.requested.ended
        ended, tries = ended + len(done), tries + done["tries"].sum()
        stayed += begun_where_nothing_is_hosted(model)
        assert state.source.number == ended + inside.sum()
        instance = state.engine.instances[0]
        assert instance["all_blocks"] - instance["blocks"] == requests["blocks"][inside].sum()
        visits.append(model.requested.visits.copy())
        for name in ("came_s", "began_s", "ended_s"):
            visits[-1][name] += model.snapshot.instant.t_s
        if model.snapshot.step == 8:
            states.write(tmp_path / "state", model.state, note={})
            read = states.read(tmp_path / "state", type(model.state))
            other = TwinModel(model.config, state=read)
        elif other is not None and model.snapshot.step < 16:
            other.step()
            assert states.equal(model.state, other.state)
            assert done.tobytes() == other.requested.ended.tobytes()
    assert ended > 100
    assert (stayed > 0) == (handover == "drain")
    if handover == "lose":
        assert tries > 0
        return
    in_order(np.concatenate(visits))


def begun_where_nothing_is_hosted(model):
    """Services for gateways that begin within a step at satellites that these have left."""
    rows = model.requested.visits
    rows = rows[(rows["expert"] < 0) & (rows["layer"] < model.inference.card.layers)]
    left = rows["satellite"] != model.hosts.gateway[rows["layer"]]
    return (left & (rows["began_s"] >= 0.0)).sum()


def in_order(visits):
    """The tokens of one request keep their order at every layer's gateway and the LM head."""
    mine = visits[visits["expert"] < 0]
    mine = np.sort(mine, order=["number", "layer", "began_s", "first_token"])
    one, next_one = mine[:-1], mine[1:]
    same = (one["number"] == next_one["number"]) & (one["layer"] == next_one["layer"])
    assert (one["first_token"] <= next_one["first_token"])[same].all()
    apart = same & (one["satellite"] != next_one["satellite"])
    assert (one["ended_s"] <= next_one["began_s"] + 1e-9)[apart].all()
    assert apart.sum() > 10


def test_the_report_says_what_becomes_of_what_waits():
    for handover, words in (
        ("forward", "forward: it is sent to the new host"),
        ("drain", "drain: the old satellite serves it before anything else"),
        ("lose", "lose: its requests fail"),
    ):
        changes = {"serving.mode": "requests", "serving.handover": handover}
        rows = scenario_table([loader.load("small", changes)], ["case"]).rows
        (row,) = [row for row in rows if row[0] == "serving.handover"]
        assert row[1] == handover
        assert words in row[2]
        assert "brown-out" in row[2]
