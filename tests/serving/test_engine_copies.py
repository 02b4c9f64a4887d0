"""Tokens that choose among copies of their experts, in the engine."""

import numpy as np
import pytest

from twin.moe.copies import soonest
from twin.moe.latency import ComputeTimes, sampled_latency
from twin.serving.engine.engine import Engine
from twin.serving.engine.start import nothing_served

MANY = 10**9
LAYERS, EXPERTS, COPIES = 3, 4, 2
ROWS = LAYERS
FIRST = LAYERS + LAYERS * EXPERTS * COPIES


def system(satellite, out_s, on_s, *, layers=LAYERS, experts=EXPERTS, copies=COPIES, **rules):
    """A ring whose parts are on some satellites: gateways, copies of experts, the LM head."""
    state = nothing_served(
        satellites=int(max(satellite)) + 1, layers=layers, experts=experts, choose_from=copies
    )
    engine = Engine(state, layers=layers, experts=experts)
    parts, columns = state.parts, experts * copies
    parts["satellite"] = satellite
    parts["beside"] = np.arange(len(parts))
    for row in range(layers):
        first = layers + row * columns
        there = parts["satellite"][first : first + columns]
        beside = (there[:, None] == there).argmax(axis=1)
        parts["beside"][first : first + columns] = first + beside
    engine.step["out_s"][:], engine.step["on_s"][:] = out_s, on_s
    engine.step["weight"][:] = 1 / experts
    engine.step["activation"][:] = rules.get("top_k", 2) / experts
    most = ("chunk", "most_running", "queue_most", "blocks", "all_blocks")
    plain = {"seed": 3, "top_k": 2, "block": 16, "one_class": 1, "service_tokens": 1}
    engine.set(**plain | dict.fromkeys(most, MANY) | rules)
    return engine


def ask(engine, at_s, **lengths):
    count = len(at_s)
    same = {name: np.full(count, value) for name, value in lengths.items()}
    number = np.arange(count)
    engine.add(same | {"number": number, "site": 0 * number, "asked_s": at_s}, at_s)


def times_s(engine):
    rows = np.sort(engine.outcomes(), order="number")
    return rows["last_s"] - rows["asked_s"]


def test_copies_with_equal_ways_are_one_queue_with_two_servers():
    """Joining the least work that was sent serves in turn: Kiefer and Wolfowitz's recursion."""
    rng = np.random.default_rng(8)
    at_s = np.cumsum(rng.exponential(0.6, 2000))
    engine = system(
        [0, 1, 2, 3], 0.01, 0.02, layers=1, experts=1, copies=2, top_k=1
    )  # fmt: skip
    engine.state.parts["token_s"][1:3] = 1.0
    ask(engine, at_s, prompt=1, output=1)
    engine.advance(1e6)
    free_s, done_s = np.zeros(2), []
    for t in at_s:
        first = free_s.argmin()
        free_s[first] = max(free_s[first], t + 0.01) + 1.0
        done_s.append(free_s[first] + 0.02)
    assert times_s(engine) == pytest.approx(np.array(done_s) - at_s, abs=1e-9)


def test_a_token_alone_takes_what_the_closed_form_says():
    rng = np.random.default_rng(2)
    columns, expert_s = EXPERTS * COPIES, 0.05
    host = np.stack([rng.permutation(6)[np.arange(columns) % 6] + LAYERS for _ in range(LAYERS)])
    out_s = rng.uniform(0.01, 0.04, (LAYERS, columns))
    on_s = rng.uniform(0.01, 0.04, (LAYERS, columns))
    engine = system([*range(LAYERS), *host.ravel(), 0], out_s, on_s, record_every=1)
    engine.state.parts["token_s"][LAYERS:-1] = expert_s
    at_s = np.arange(50) * 100.0
    ask(engine, at_s, prompt=1, output=1)
    engine.advance(1e6)
    visits = engine.visits()
    order = np.tile(np.arange(columns).reshape(EXPERTS, COPIES), (LAYERS, 1, 1))
    took_s = times_s(engine)
    for number in range(50):
        mine = visits[(visits["number"] == number) & (visits["expert"] >= 0)]
        chosen = np.array([mine["expert"][mine["layer"] == layer] for layer in range(LAYERS)])
        path_s = out_s + on_s
        token = soonest(chosen[None], order, path_s, host, np.full(path_s.shape, expert_s))
        went = host[np.arange(LAYERS)[:, None], token[0]]
        served = np.array([mine["satellite"][mine["layer"] == layer] for layer in range(LAYERS)])
        alone = ComputeTimes(expert_s=expert_s, gateway_s=np.zeros(LAYERS))
        longest_s = float(sampled_latency(path_s, host, token, alone).total_s[0])
        if all(len(set(sats)) == 2 for sats in went):
            assert np.array_equal(np.sort(served), np.sort(went))
            assert took_s[number] == pytest.approx(longest_s, abs=1e-9)
        # The closed form lets experts on one satellite share its compute until both are done.
        assert took_s[number] <= longest_s + 1e-9


def test_a_gateway_leaves_its_own_satellite_alone_while_it_is_busy():
    """One copy beside the gateway, one two ways off, which is sooner once tokens wait here."""
    satellite = [0, 0, 1, 0]
    engine = system(
        satellite, [[0.0, 0.5]], [[0.5, 0.0]], layers=1, experts=1, copies=2, top_k=1,
        record_every=1,
    )  # fmt: skip
    engine.state.parts["token_s"][0] = 0.1
    engine.state.parts["token_s"][1:3] = 1.0
    ask(engine, np.array([0.0, 0.0, 0.0]), prompt=1, output=1)
    engine.advance(1e6)
    visits = engine.visits()
    experts = np.sort(visits[visits["expert"] >= 0], order="number")
    # The first leaves two behind at the gateway (0.2 s): 1.7 s here, 1.5 s away. The second finds
    # 1.6 s here and 2.4 s away, for the first is there; so the third goes away again.
    assert experts["satellite"].tolist() == [1, 0, 1]


def test_work_goes_to_the_copy_that_can_be_reached():
    satellite = [0, 1, 2, 3]
    engine = system(
        satellite, [[np.inf, 0.01]], [[0.02, 0.02]], layers=1, experts=1, copies=2, top_k=1
    )  # fmt: skip
    ask(engine, np.arange(3.0), prompt=1, output=1)
    engine.advance(1e6)
    assert times_s(engine) == pytest.approx(np.full(3, 0.03))


def test_no_more_is_lost_than_without_a_choice():
    """All copies out of reach: requests fail with a cause, none hangs."""
    engine = system(
        [0, 1, 2, 3], [[np.inf, np.inf]], [[0.02, 0.02]], layers=1, experts=1, copies=2, top_k=1
    )  # fmt: skip
    ask(engine, np.arange(3.0), prompt=1, output=1)
    engine.advance(1e6)
    assert len(engine.outcomes()) == 3
    assert not len(engine.inside())
