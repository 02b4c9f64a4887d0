"""Services worked out before they begin give what events give, one after the other."""

import numpy as np
import pytest
from queueing import system

from twin.serving.engine.engine import Engine
from twin.serving.engine.records import DRAIN, FORWARD, FREE, LOSE, WAY
from twin.serving.engine.start import nothing_served
from twin.serving.link_load import set_ways
from twin.serving.ways import Ways

MANY = 10**9
LAYERS, EXPERTS, LINKS = 5, 4, 12
PARTS = LAYERS + 1 + LAYERS * EXPERTS
TIMES = ("asked_s", "came_s", "admitted_s", "first_s", "last_s", "gap_s")
SHARES = ("wait_s", "serve_s", "way_s", "busy_s", "hops")


def ring(seed, *, shared, blocks=MANY, **rules):
    """A ring whose parts have satellites of their own, but for the head and some that share one."""
    rng = np.random.default_rng(seed)
    state = nothing_served(satellites=PARTS + 3, layers=LAYERS, experts=EXPERTS, links=LINKS)
    engine = Engine(state, layers=LAYERS, experts=EXPERTS)
    parts = state.parts
    parts["satellite"] = np.arange(PARTS)
    parts["satellite"][-1] = 0
    for p in rng.choice(np.arange(1, PARTS), shared, replace=False):
        parts["satellite"][p] = rng.integers(1, PARTS)
    parts["token_s"] = rng.uniform(0.01, 0.04, PARTS)
    parts["overhead_s"] = rng.uniform(0.0, 0.01, PARTS)
    parts["score_s"][:LAYERS], parts["read_s"][:LAYERS] = 1e-6, 1e-5
    hops = rng.integers(1, 4, 2 * LAYERS * EXPERTS)
    first = np.concatenate([[0], np.cumsum(hops)]).astype(np.int32)
    rows = np.empty(first[-1], WAY)
    rows["link"] = rng.integers(0, LINKS, len(rows))
    rows["delay_s"] = rng.uniform(0.001, 0.02, len(rows))
    delay_s = np.add.reduceat(rows["delay_s"], first[:-1]).reshape(2, LAYERS, EXPERTS)
    engine.step["out_s"][:], engine.step["on_s"][:] = delay_s
    set_ways(engine, Ways(first=first, links=rows))
    weight = rng.dirichlet(np.ones(EXPERTS), LAYERS)
    engine.step["weight"][:], engine.step["activation"][:] = weight, 2 * weight
    most = ("most_running", "queue_most", "blocks", "all_blocks")
    plain = {
        "seed": 4, "top_k": 2, "block": 4, "chunk": 6, "one_class": 1, "service_tokens": 1,
        "waiting_tokens": 2, "transfer_s": 0.002, "retries": 2,
    }  # fmt: skip
    engine.set(**plain | dict.fromkeys(most, MANY) | {"blocks": blocks, "all_blocks": blocks})
    engine.set(**rules)
    return engine


def add(engine, seed, count=60, over_s=100.0):
    rng = np.random.default_rng(seed)
    at_s = np.sort(rng.uniform(0, over_s, count))
    lengths = {"prompt": rng.integers(1, 20, count), "output": rng.integers(1, 25, count)}
    number = np.arange(count)
    engine.add(lengths | {"number": number, "site": 0 * number, "asked_s": at_s}, at_s)


def serve(engine, step_s, change=lambda engine, step: None):
    """All rows, and each satellite's work, services and tokens, in steps of some length."""
    rows, begin_s, step = [], 0.0, 0
    while (engine.state.requests["phase"] != FREE).any():
        change(engine, step)
        engine.advance(step_s)
        rows.append(engine.outcomes())
        for name in TIMES[:-1]:
            rows[-1][name] += begin_s
        engine.state.shift(step_s)
        begin_s, step = begin_s + step_s, step + 1
        assert step < 10_000
    satellites = engine.state.satellites
    done = np.stack([satellites[name] for name in ("busy_s", "services", "served_tokens")])
    return np.sort(np.concatenate(rows), order="number"), done


def assert_alike(one, other):
    (rows, done), (others, others_done) = one, other
    for name in rows.dtype.names:
        exact = name not in (*TIMES, *SHARES)
        np.testing.assert_allclose(
            rows[name], others[name], rtol=0, atol=0 if exact else 1e-9, err_msg=name
        )
    np.testing.assert_allclose(done, others_done, rtol=0, atol=1e-9)


# Patience that nobody loses changes nothing, but that nothing is settled.
BY_EVENTS = {"patience_s": 1e9}


@pytest.mark.parametrize("shared", [0, 6])
@pytest.mark.parametrize("step_s", [1e6, 7.0, 0.31])
def test_the_same_as_by_events(shared, step_s):
    """Single tokens, chunks that wait for links, satellites with one part and with several."""
    ahead, events = ring(1, shared=shared), ring(1, shared=shared, **BY_EVENTS)
    for engine in (ahead, events):
        add(engine, 2)
    mine, theirs = serve(ahead, step_s), serve(events, 1e6)
    assert len(mine[0]) == 60
    assert_alike(mine, theirs)
    np.testing.assert_array_equal(ahead.step["passed"], events.step["passed"])
    fewer = ahead.state.core["order"][0] / events.state.core["order"][0]
    assert fewer < (0.8 if step_s > 1 else 0.97)


@pytest.mark.parametrize("blocks", [30, 80])
def test_the_same_where_memory_is_short(blocks):
    """Requests that give way cancel work under way, so that nothing is worked out before."""
    ahead, events = ring(3, shared=2, blocks=blocks), ring(3, shared=2, blocks=blocks, **BY_EVENTS)
    for engine in (ahead, events):
        add(engine, 4)
    mine, theirs = serve(ahead, 5.0), serve(events, 5.0)
    assert mine[0]["preempted"].sum() > 0 or blocks == 80
    assert_alike(mine, theirs)


@pytest.mark.parametrize("handover", [FORWARD, DRAIN, LOSE])
@pytest.mark.parametrize("seed", range(4))
def test_the_same_where_satellites_slow_down_die_and_hand_over(seed, handover):
    def change(engine, step):
        rng = np.random.default_rng([seed, step])
        ill = step < 60
        parts = engine.state.parts
        satellite = parts["satellite"].copy()
        if step % 3 == 0 and ill:
            satellite[rng.integers(1, PARTS)] = rng.integers(1, PARTS + 3)
        speed = rng.choice([0.0, 0.5, 1.0, 1.0, 1.0] if ill else [1.0], PARTS + 3)
        dead = rng.random(PARTS + 3) < 0.01 * ill
        for name in ("out_s", "on_s"):
            table = engine.step[name]
            table[:] = np.where(np.isinf(table), 0.03, table)
            table[rng.random(table.shape) < 0.03 * ill] = np.inf
        other = np.random.default_rng([7, seed, step])
        ways_s = [0.01, 0.05, np.inf] if ill else [0.01]
        engine.step["exit_s"][:] = other.choice(ways_s)
        reach_s = engine.step["reach_s"]
        reach_s[:] = other.choice([0.01, 0.02, 0.03, np.inf], reach_s.shape, p=[0.4, 0.3, 0.2, 0.1])
        engine.change(
            satellite=satellite,
            forward_s=rng.uniform(0.01, 0.1, PARTS),
            speed=np.where(dead, 0.0, speed),
            dead=dead,
            cache_lost=dead[parts["satellite"][None, :LAYERS]].any(axis=1),
        )

    ahead, events = ring(5, shared=3), ring(5, shared=3, **BY_EVENTS)
    for engine in (ahead, events):
        engine.set(handover=handover)
        add(engine, 6)
    mine, theirs = serve(ahead, 2.0, change), serve(events, 2.0, change)
    assert (mine[0]["tries"] > 0).any()
    assert_alike(mine, theirs)
    assert ahead.state.core["order"][0] < events.state.core["order"][0]
    parts = ahead.state.parts
    np.testing.assert_array_equal(parts["coming"], 0)


def test_a_part_waits_where_another_that_has_left_is_still_served():
    """Two layers of an expert each, which change places while tokens are with them."""

    def swapped(edge_s, **rules):
        engine = system(layers=2, gateway=0.05, ways=0.1, service_tokens=1, **rules)
        engine.state.parts["token_s"][3:] = 1.0, 0.2
        one = np.ones(2, int)
        asked = {"number": np.arange(2), "site": 0 * one, "prompt": one, "output": 6 * one}
        engine.add(asked | {"asked_s": np.zeros(2)}, np.zeros(2))
        engine.advance(edge_s)
        engine.state.shift(edge_s)
        satellite = engine.state.parts["satellite"][[0, 1, 2, 4, 3]]
        still = {"speed": np.ones(5), "dead": np.zeros(5, bool), "cache_lost": False}
        engine.change(satellite=satellite, forward_s=np.full(5, 0.1), **still)
        engine.advance(1e3)
        return np.sort(engine.outcomes(), order="number")["last_s"]

    for edge_s in np.arange(0.15, 6.0, 0.17):
        np.testing.assert_allclose(swapped(edge_s), swapped(edge_s, **BY_EVENTS), atol=1e-9)
