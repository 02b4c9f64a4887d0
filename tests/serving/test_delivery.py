"""Tokens on their way to users: the way of the step, none for a while, and no overtaking."""

import numpy as np
import pytest
from queueing import system
from test_users import closed

from agents.model import TwinModel
from agents.request_rows import request_rows
from twin.network.routing import shortest_paths
from twin.scenario import loader
from twin.vocabulary import Cause

TIMES = ("asked_s", "came_s", "first_s", "last_s")
NO_WAY = np.inf


def answered(ways_s, *, output, step_s=2.5, engine=None):
    """The answer to a prompt of one token, a token a second, with a way down for each step."""
    if engine is None:
        engine = system(gateway=1.0)
        asked = {name: np.ones(1, int) for name in ("number", "site", "prompt")}
        asked |= {"site": np.zeros(1, int), "output": np.array([output]), "asked_s": np.zeros(1)}
        engine.add(asked, np.zeros(1))
    found, state = [], engine.state
    for step, way_s in enumerate(ways_s):
        engine.step["exit_s"][:] = way_s
        engine.change(
            satellite=state.parts["satellite"].copy(),
            forward_s=np.zeros(len(state.parts)),
            speed=np.ones(len(state.satellites)),
            dead=np.zeros(len(state.satellites), bool),
            cache_lost=np.zeros(1, bool),
        )
        engine.advance(step_s)
        rows = engine.outcomes()
        for name in TIMES:
            rows[name] += step * step_s
        found.append(rows)
        state.shift(step_s)
    return engine, np.concatenate(found)


def test_tokens_wait_for_a_way_and_arrive_together_once_there_is_one():
    """Made at 1, 2, ..., 8; those of 3 to 7 wait until 7.5, and all take 0.2 s from then on."""
    _, (row,) = answered([0.5, NO_WAY, NO_WAY, 0.2], output=8)
    assert (row["first_s"], row["last_s"]) == pytest.approx((1.5, 8.2))
    assert row["gap_s"] == pytest.approx(7.7 - 2.5)


def test_a_token_with_a_shorter_way_does_not_overtake():
    """Made at 1, 2, 3 and 4; at the user at 1.3, 5.3 for its way, then no earlier."""
    _, (row,) = answered([0.3, 3.3, 0.1, 0.1], output=4, step_s=1.5)
    assert (row["first_s"], row["last_s"]) == pytest.approx((1.3, 5.3))
    assert row["gap_s"] == pytest.approx(4.0)


def test_an_answer_is_complete_when_its_last_token_has_a_way():
    """Its memory is free before, and it stays inside until the step that has a way begins."""
    engine, rows = answered([0.5, NO_WAY], output=3)
    core = engine.state.core[0]
    assert not len(rows)
    instance = engine.state.instances[0]
    assert instance["blocks"] == instance["all_blocks"]
    assert core["inside"] == 1
    (row,) = engine.inside()
    assert (row["cause"], row["made"]) == (Cause.UNFINISHED, 3)
    engine, (row,) = answered([NO_WAY, 0.2], output=3, engine=engine)
    assert row["cause"] == Cause.NONE
    assert row["last_s"] == pytest.approx(7.7 - 5.0)
    assert engine.state.core["inside"][0] == 0
    assert engine.state.core["inside_s"][0] == pytest.approx(7.5)


def test_a_user_thinks_when_the_answer_has_arrived():
    engine = closed(system(gateway=1.0), 1, think_s=1.0, fixed=1)
    _, rows = answered([NO_WAY, 0.25, 0.25, 0.25], output=1, engine=engine)
    np.testing.assert_allclose(rows["last_s"], [2.75, 5.0, 7.25, 9.5])
    np.testing.assert_allclose(rows["asked_s"], [1.0, 3.75, 6.0, 8.25])


def down_s(model):
    """Ways from the LM heads to the sites in a step."""
    heads = model.requests.heads.satellite.ravel()
    graph = model.world.skeleton, model.snapshot.weight_s
    delay_s = shortest_paths(graph[0].indptr, graph[0].indices, graph[1], heads)[0]
    service = model.ground.service
    across_s = np.where(service.satellite < 0, np.inf, delay_s[:, service.satellite])
    return (across_s + service.delay_s).T


def test_users_of_sites_that_hand_over_get_tokens_when_visits_and_ways_say():
    """From the services of the LM heads alone, over the ways of the step in which each one ends."""
    changes = {
        "serving.mode": "requests",
        "serving.head_satellites": 2,
        "requests.record_every": 1,
        "requests.rate_per_s": 0.02,
        "requests.prompt_tokens": 2.0,
        "requests.output_tokens": 200.0,
        "ground.users": "cities",
        "ground.minimum_elevation_deg": 10.0,
        "outages.model": "none",
        "links.acquisition_s": 0.0,
    }
    model = TwinModel(loader.load("small", changes))
    ways_s, visits, rows, handovers = [], [], [], 0
    layers = model.inference.card.layers
    while model.running:
        model.step()
        handovers += model.ground.handovers
        ways_s.append(down_s(model))
        step, start_s = len(ways_s) - 1, model.snapshot.instant.t_s
        done = model.requested.visits
        done = done[done["layer"] == layers]
        visits += [(int(v["number"]), step, v["ended_s"] + start_s) for v in done]
        found = request_rows(model, step, model.requested)
        keys = (
            "request",
            "site",
            "cause",
            "asked_s",
            "ttft_s",
            "e2e_s",
            "longest_gap_s",
            "retries",
        )
        rows += zip(*(found[key] for key in keys), strict=True)
    checked, waited = 0, 0
    for number, site, cause, asked_s, ttft_s, e2e_s, gap_s, retries in rows:
        if cause is not None or retries:
            continue
        there_s, kept = [], []
        mine = [(step, made_s) for n, step, made_s in visits if n == number]
        for step, made_s in mine:
            later = step
            while not np.isfinite(ways_s[later][site, number % 2]):
                later += 1
            sent_s = made_s if later == step else later * model.world.step_s
            there_s.append(max(sent_s + ways_s[later][site, number % 2], *there_s[-1:], 0.0))
            kept.append(later > step)
        waited += any(kept)
        assert ttft_s == pytest.approx(there_s[0] - asked_s, abs=1e-8)
        assert e2e_s == pytest.approx(there_s[-1] - asked_s, abs=1e-8)
        assert gap_s == pytest.approx(np.diff(there_s).max(), abs=1e-8)
        checked += 1
    assert checked > 10
    assert waited > 0
    assert handovers > 100
