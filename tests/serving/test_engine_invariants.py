"""The serving engine where memory is short: nothing is lost, nobody starves, no row leaks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.serving.engine.engine import Engine
from twin.serving.engine.start import nothing_served
from twin.vocabulary import Cause

MANY = 10**9


def ring(*, layers, experts, blocks, one_satellite=False, **rules):
    """A ring of layers with slow satellites; all on one where asked."""
    parts = layers + 1 + layers * experts
    state = nothing_served(satellites=parts, layers=layers, experts=experts)
    engine = Engine(state, layers=layers, experts=experts)
    state.parts["satellite"] = 0 if one_satellite else np.arange(parts)
    state.parts["token_s"] = 0.004
    state.parts["score_s"][:layers] = 1e-6
    engine.step["out_s"][:] = engine.step["on_s"][:] = 0.0 if one_satellite else 0.01
    engine.step["local"][:] = one_satellite
    engine.step["weight"][:] = 1 / experts
    engine.step["activation"][:] = 2 / experts
    plain = {
        "seed": 1, "top_k": 2, "block": 16, "chunk": 64, "one_class": 1, "fuse": 1,
        "batch_requests": 32, "batch_tokens": 256, "service_tokens": MANY, "queue_most": MANY,
        "most_running": MANY, "retries": 1, "blocks": blocks, "all_blocks": blocks,
    }  # fmt: skip
    engine.set(**plain | rules)
    return engine


def serve(engine, at_s, prompt, output):
    count = len(at_s)
    engine.add(
        {
            "number": np.arange(count),
            "site": np.zeros(count, int),
            "prompt": np.broadcast_to(prompt, count).astype(int),
            "output": np.broadcast_to(output, count).astype(int),
            "asked_s": at_s,
        },
        at_s,
    )
    engine.advance(1e12)
    return np.sort(engine.outcomes(), order="number")


def assert_all_is_given_back(engine):
    core, state = engine.state.core[0], engine.state
    assert core["inside"] == core["events"] == 0
    instances = engine.state.instances
    assert not instances["running"].any()
    assert not instances["waiting"].any()
    assert (instances["blocks"] == instances["all_blocks"]).all()
    for name in ("requests", "members", "groups", "jobs"):
        assert core[f"left_{name}"] == len(getattr(state, name)), name


@pytest.mark.parametrize("micro", [0, 1])
@pytest.mark.parametrize("one_class", [0, 1])
def test_short_memory_neither_locks_nor_starves(micro, one_class):
    """Nearly a million tokens through caches of 960; a prompt that never fits is refused."""
    rng = np.random.default_rng(1)
    count = 6000
    prompt, output = rng.integers(1, 400, count), rng.integers(1, 300, count)
    prompt[7] = 5000
    at_s = np.sort(rng.uniform(0, 2000, count))
    engine = ring(layers=4, experts=4, blocks=60, micro=micro, one_class=one_class)
    done = serve(engine, at_s, prompt, output)
    assert_all_is_given_back(engine)
    served = done["cause"] == Cause.NONE
    np.testing.assert_array_equal(np.flatnonzero(~served), [7])
    np.testing.assert_array_equal(done["made"][served], output[served])
    assert engine.state.core["preemptions"][0] > 1000
    assert done["preempted"].max() < 20
    # The oldest is never put back, so that who came first is admitted first.
    first_admitted = done["admitted_s"][served]
    assert (np.diff(first_admitted) >= 0).all()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    blocks=st.integers(8, 200),
    micro=st.booleans(),
    chunk=st.integers(1, 200),
    one_satellite=st.booleans(),
    fuse=st.booleans(),
)
def test_requests_are_conserved_and_times_are_in_order(
    seed, blocks, micro, chunk, one_satellite, fuse
):
    rng = np.random.default_rng(seed)
    count = 40
    prompt, output = rng.integers(1, 150, count), rng.integers(1, 60, count)
    at_s = np.sort(rng.uniform(0, 60, count))
    engine = ring(
        layers=3, experts=3, blocks=blocks, micro=micro, chunk=chunk, fuse=fuse,
        one_satellite=one_satellite,
    )  # fmt: skip
    done = serve(engine, at_s, prompt, output)
    assert_all_is_given_back(engine)
    fits = -(-(prompt + output - 1) // 16) <= blocks
    np.testing.assert_array_equal(done["cause"] == Cause.NONE, fits)
    served = done[fits]
    assert (served["came_s"] <= served["admitted_s"]).all()
    assert (served["admitted_s"] < served["first_s"]).all()
    assert (served["first_s"] <= served["last_s"]).all()
    assert engine.state.core["tokens_made"][0] == output[fits].sum()
    stays_s = (served["last_s"] - served["came_s"]).sum()
    assert engine.state.core["inside_s"][0] == pytest.approx(stays_s, rel=1e-9)


@pytest.mark.parametrize(("micro", "count"), [(0, 1), (1, 1), (1, 12)])
def test_fused_services_take_what_single_ones_take(micro, count):
    """On one satellite, a request alone, or batches that stay together."""
    ends = []
    for fuse in (0, 1):
        engine = ring(layers=5, experts=4, blocks=MANY, one_satellite=True, fuse=fuse, micro=micro)
        sizes = np.full(count, 30), np.full(count, 20)
        ends.append(serve(engine, np.zeros(count), *sizes)["last_s"])
    np.testing.assert_allclose(*ends, rtol=1e-12)
