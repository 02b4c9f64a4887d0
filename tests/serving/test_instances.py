"""Several instances of the model in one engine."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_engine_invariants import assert_all_is_given_back

from agents.model import TwinModel
from twin.scenario import loader
from twin.serving.engine.engine import Engine
from twin.serving.engine.records import FREE, WAY
from twin.serving.engine.start import nothing_served
from twin.serving.link_load import set_ways
from twin.serving.ways import Ways
from twin.vocabulary import Cause, EventKind
from twin.world import state as states

LAYERS, EXPERTS, HEADS, LINKS = 3, 4, 2, 7
PARTS = LAYERS + LAYERS * EXPERTS + HEADS
LEGS = (2 * LAYERS - 1 + HEADS) * EXPERTS
SAME = ("number", "made", "tries", "preempted", "cause", "first_s", "last_s", "gap_s", "wait_s")


def tables(seed):
    """Times, delays and links of one instance."""
    rng = np.random.default_rng(seed)
    hops = rng.integers(1, 4, LEGS)
    rows = np.empty(hops.sum(), WAY)
    rows["link"], rows["delay_s"] = rng.integers(0, LINKS, len(rows)), rng.uniform(0.001, 0.02)
    times = rng.uniform(0.01, 0.04, PARTS)
    times[-HEADS:] = 0.02  # all heads are alike
    return times, hops, rows


def serving(instances, **rules):
    """An engine whose instances have satellites and links of their own; `tables` by their seeds."""
    count, found = len(instances), [tables(seed) for seed in instances]
    state = nothing_served(
        satellites=PARTS * count, layers=LAYERS, experts=EXPERTS, links=LINKS * count,
        heads=HEADS, instances=count,
    )  # fmt: skip
    engine = Engine(state, layers=LAYERS, experts=EXPERTS, heads=HEADS, instances=count)
    own = [np.split(times, [LAYERS, PARTS - HEADS]) for times, *_ in found]
    state.parts["token_s"] = np.concatenate([each[k] for k in range(3) for each in own])
    state.parts["satellite"] = np.random.default_rng(1).permutation(PARTS * count)
    out = LAYERS * EXPERTS
    split = [(hops[:out], hops[out:], rows) for _, hops, rows in found]
    links, hops = [], []
    for part in range(2):
        for i, (first, then, rows) in enumerate(split):
            mine = rows[: first.sum()] if part == 0 else rows[first.sum() :]
            mine = mine.copy()
            mine["link"] += i * LINKS
            links.append(mine)
            hops.append((first, then)[part])
    hops, links = np.concatenate(hops), np.concatenate(links)
    first = np.concatenate([[0], np.cumsum(hops)]).astype(np.int32)
    delay_s = np.add.reduceat(links["delay_s"], first[:-1]).reshape(-1, EXPERTS)
    engine.step["out_s"][:], engine.step["on_s"][:] = np.split(delay_s, [count * LAYERS])
    engine.step["back_s"][:] = 0.03
    set_ways(engine, Ways(first=first, links=links))
    weight = np.random.default_rng(2).dirichlet(np.ones(EXPERTS), LAYERS)
    engine.step["weight"][:], engine.step["activation"][:] = weight, 2 * weight
    plain = {
        "seed": 4, "top_k": 2, "block": 4, "chunk": 6, "one_class": 1, "service_tokens": 4,
        "waiting_tokens": 2, "transfer_s": 0.002, "retries": 2, "batch_tokens": 64,
        "batch_requests": 8, "most_running": 50, "queue_most": 100, "handover": 0,
    }  # fmt: skip
    engine.set(**plain | rules)
    return engine


def answered(engine, asked, at_s, instance):
    engine.add(asked | {"asked_s": at_s}, at_s, instance)
    engine.advance(1e9)
    assert_all_is_given_back(engine)
    return np.sort(engine.outcomes(), order="number")


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(2, 4),
    blocks=st.sampled_from([20, 10**6]),
    micro=st.integers(0, 1),
    service_tokens=st.sampled_from([1, 4]),
)
def test_instances_that_share_nothing_are_engines_of_their_own(
    seed, count, blocks, micro, service_tokens
):
    rng = np.random.default_rng(seed)
    n = 40
    at_s, instance = np.sort(rng.uniform(0, 20, n)), rng.integers(0, count, n)
    asked = {"number": np.arange(n), "site": np.zeros(n, int)}
    asked |= {"prompt": rng.integers(1, 30, n), "output": rng.integers(1, 12, n)}
    rules = {"all_blocks": blocks, "blocks": blocks, "micro": micro}
    rules["service_tokens"] = service_tokens
    seeds = rng.integers(0, 1000, count).tolist()
    together = answered(serving(seeds, **rules), asked, at_s, instance)
    assert (together["instance"] == instance).all()
    for i, alone in enumerate(seeds):
        mine = instance == i
        some = {name: values[mine] for name, values in asked.items()}
        own = answered(serving([alone], **rules), some, at_s[mine], np.zeros(mine.sum(), int))
        for name in SAME:
            np.testing.assert_array_equal(together[mine][name], own[name], name)


def test_a_request_sent_to_another_instance_is_there_a_way_later():
    """It waits at the first, which is shut, and is asked at the second 2.5 s after the edge."""
    engine = serving([0, 0], all_blocks=10**6, blocks=10**6)
    engine.state.instances["open"] = [0, 1]
    one = {name: np.array([n]) for name, n in (("number", 7), ("site", 0), ("prompt", 5))}
    one |= {"output": np.array([3]), "asked_s": np.array([0.5])}
    engine.add(one, np.array([0.5]), np.array([0]))
    engine.advance(1.0)
    engine.state.shift(1.0)
    assert engine.state.instances["waiting"].tolist() == [1, 0]
    row = np.flatnonzero(engine.state.requests["phase"] != FREE)
    engine.redirect(row, np.array([1]), np.array([2.5]))
    engine.advance(1e9)
    (moved,) = engine.outcomes()
    assert_all_is_given_back(engine)
    assert (moved["instance"], moved["cause"], moved["made"]) == (1, Cause.NONE, 3)
    assert moved["admitted_s"] == pytest.approx(2.5)
    assert engine.state.core["inside_s"][0] == pytest.approx(moved["last_s"] + 0.5)


FOUR = {
    "placement.strategy": "joint",
    "placement.instances": 3,
    "serving.mode": "requests",
    "serving.dispatch": "shortest-wait",
    "requests.rate_per_s": 0.6,
    "requests.prompt_tokens": 40,
    "requests.output_tokens": 20,
    "requests.drain_s": 1500.0,
    "compute.gflops": 0.05,
    "workload.retries": 3,
    "controller.policy": "on-event",
    "controller.params": {"events": "fault"},
}


def test_when_a_first_gateway_dies_its_requests_go_to_others_and_none_is_lost():
    model = TwinModel(loader.load("small", FOUR))
    for _ in range(4):
        model.step()
    struck = model.instances[1]
    before = struck.requests
    model.satellites[int(struck.placement.gateway[0])].remove()
    kinds, tries = [], 0
    while model.running:
        model.step()
        kinds += [str(k) for k in model.log.arrays(0.0)["kind"]]
        tries += int(model.requested.ended["tries"].sum())
        assert set(model.requested.ended["cause"].tolist()) <= {Cause.NONE}
    assert before > 0
    assert tries > 0
    story = [EventKind.SATELLITE_LOST, EventKind.INSTANCE_SHUT, EventKind.REQUESTS_MOVED]
    first = [kinds.index(kind) for kind in story if kind in kinds]
    assert EventKind.INSTANCE_SHUT in kinds
    assert EventKind.REQUESTS_MOVED in kinds
    assert first == sorted(first)
    state = model.requests.state.engine
    assert not (state.requests["phase"] != FREE).any()


def test_a_draining_instance_finishes_what_it_has():
    model = TwinModel(loader.load("small", FOUR))
    for _ in range(4):
        model.step()
    model.instances[0].drain()
    for _ in range(20):
        model.step()
    assert model.instances[0].requests == 0
    assert model.requested.made_by[0] == 0
    assert (model.requested.made_by[1:] > 0).all()
    model.instances[0].reopen()
    for _ in range(4):
        model.step()
    assert model.requested.made_by[0] > 0


@pytest.mark.parametrize(
    "dispatch", ["nearest", "least-loaded", "shortest-wait", "lit-first", "cache-aware"]
)
def test_a_saved_run_goes_on_alike(dispatch, tmp_path):
    changes = FOUR | {"serving.dispatch": dispatch, "controller.telemetry_delay_s": 300.0}
    model = TwinModel(loader.load("small", changes))
    for _ in range(6):
        model.step()
    states.write(tmp_path / "state", model.state, note={})
    other = TwinModel(model.config, state=states.read(tmp_path / "state", type(model.state)))
    for _ in range(4):
        model.step()
        other.step()
        assert states.equal(model.state, other.state)
        assert model.requested.ended.tobytes() == other.requested.ended.tobytes()
