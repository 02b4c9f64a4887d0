"""Groups on links: tandems by hand, Lindley's recursion, steps of any length, and their load."""

import itertools

import numpy as np
import pytest

from twin.serving.engine.engine import Engine
from twin.serving.engine.records import WAY
from twin.serving.engine.start import nothing_served
from twin.serving.link_load import link_busy_s, set_ways
from twin.serving.ways import Paths, Ways, ways
from twin.vocabulary import Cause

MANY = 10**9


def legs(*paths):
    """Ways of legs, given as lists of (link, delay)."""
    return Ways(
        first=np.cumsum([0, *map(len, paths)]).astype(np.int32),
        links=np.array([hop for path in paths for hop in path], WAY),
    )


def ring(over, *, layers=1, experts=1, links=8, **rules):
    """Layers and experts that take no time unless told, each on a satellite of its own."""
    parts = layers + 1 + layers * experts
    state = nothing_served(satellites=parts, layers=layers, experts=experts, links=links)
    engine = Engine(state, layers=layers, experts=experts)
    state.parts["satellite"] = np.arange(parts)
    lead(engine, over)
    engine.step["weight"][:] = 1 / experts
    engine.step["activation"][:] = 1 / experts
    plain = dict.fromkeys(
        ("chunk", "most_running", "service_tokens", "queue_most", "blocks", "all_blocks"), MANY
    )
    plain |= {"top_k": 1, "block": 16, "one_class": 1, "waiting_tokens": 2, "transfer_s": 1.0}
    engine.set(**plain | rules)
    return engine


def lead(engine, over):
    delay_s = [
        over.links["delay_s"][a:b].sum() for a, b in zip(over.first, over.first[1:], strict=False)
    ]
    shape = engine.step["out_s"].shape
    engine.step["out_s"][:], engine.step["on_s"][:] = np.reshape(delay_s, (2, *shape))
    set_ways(engine, over)


def ask(engine, at_s, prompt, output=1):
    at_s, count = np.asarray(at_s, float), len(at_s)
    asked = {"number": np.arange(count), "site": np.zeros(count, int), "asked_s": at_s}
    asked["prompt"] = np.broadcast_to(prompt, count).astype(int)
    asked["output"] = np.broadcast_to(output, count).astype(int)
    engine.add(asked, at_s)


def serve(engine, at_s, prompt, output=1):
    ask(engine, at_s, prompt, output)
    engine.advance(1e12)
    return np.sort(engine.outcomes(), order="number")


TANDEM = legs([(0, 0.1), (1, 0.2), (2, 0.3)], [])


def test_two_chunks_on_a_tandem_of_links():
    """Store and forward; the second waits for the first at every link."""
    done = serve(ring(TANDEM), [0.0, 1.0], [3, 2])
    np.testing.assert_allclose(done["last_s"], [9.6, 11.6], rtol=1e-12)
    np.testing.assert_allclose(done["way_s"], [9.6, 10.6], rtol=1e-12)
    assert not done["wait_s"].any()


def test_single_tokens_cut_through_and_wait_for_nobody():
    done = serve(ring(TANDEM), [0.0, 1.0], [3, 1])
    np.testing.assert_allclose(done["last_s"], [9.6, 1.0 + 0.6 + 1.0], rtol=1e-12)
    slow = serve(ring(TANDEM, waiting_tokens=1), [0.0, 1.0], [3, 1])
    np.testing.assert_allclose(slow["last_s"], [9.6, 9.6 + 1.0], rtol=1e-12)


def test_the_two_directions_of_a_leg_are_links_of_their_own():
    """Out on link 0, on over link 1: the second chunk goes out while the first comes back."""
    done = serve(ring(legs([(0, 0.5)], [(1, 0.5)])), [0.0, 0.0], [2, 2])
    np.testing.assert_allclose(done["last_s"], [5.0, 7.0], rtol=1e-12)


def test_one_link_is_lindleys_recursion():
    """M/D/1: chunks of four tokens at random on one link."""
    rng = np.random.default_rng(0)
    at_s = np.cumsum(rng.exponential(1 / 0.9, 20_000))
    done = serve(ring(legs([(0, 0.25)], []), transfer_s=0.25), at_s, 4)
    ends = np.empty_like(at_s)
    end_s = 0.0
    for i, t_s in enumerate(at_s):
        end_s = max(t_s, end_s) + 1.0
        ends[i] = end_s + 0.25
    np.testing.assert_allclose(done["last_s"], ends, rtol=0, atol=1e-9)


def random_ring(seed, **rules):
    """A ring in which hardly ever two times are alike, so that rounding decides which is first.

    Each leg has its own links, and no two rounds of a token take equally long.
    """
    rng, link = np.random.default_rng(seed), itertools.count()
    paths = [
        [(next(link), float(rng.uniform(0.01, 0.1))) for _ in range(rng.integers(1, 4))]
        for _ in range(2 * 3 * 2)
    ]
    plain = {"seed": seed, "chunk": 8, "transfer_s": 0.0123456789, "top_k": 2, "retries": 1}
    engine = ring(legs(*paths), layers=3, experts=2, links=36, **plain | rules)
    drawn = rng.uniform(0.001, 0.01, len(engine.state.parts))
    engine.state.parts["token_s"] = np.concatenate([drawn[:3], drawn[4:], drawn[3:4]])
    engine.state.parts["score_s"][:3] = rng.uniform(1e-5, 2e-5, 3)
    return engine, legs(*paths)


@pytest.mark.parametrize("waiting_tokens", [1, 2])
@pytest.mark.parametrize("micro", [False, True])
@pytest.mark.parametrize("blocks", [12, MANY])
@pytest.mark.parametrize("seed", range(5))
def test_the_length_of_a_step_changes_nothing_and_nothing_is_lost(
    seed, waiting_tokens, micro, blocks
):
    rng = np.random.default_rng(seed)
    at_s, prompt, output = (
        np.sort(rng.uniform(0, 5, 30)), rng.integers(1, 60, 30), rng.integers(1, 6, 30),
    )  # fmt: skip
    rules = {"waiting_tokens": waiting_tokens, "micro": micro, "batch_requests": 8}
    rules |= {"batch_tokens": 64, "blocks": blocks, "all_blocks": blocks}
    ends = []
    for step_s in (1e12, 0.31, 2.0):
        engine, over = random_ring(seed, **rules)
        ask(engine, at_s, prompt, output)
        found, start_s = [], 0.0
        while engine.state.core["events"][0]:
            engine.advance(step_s)
            done = engine.outcomes()
            for name in ("came_s", "last_s"):
                done[name] += start_s
            found.append(done)
            start_s += step_s
            engine.state.shift(step_s)
            set_ways(engine, over)
        ends.append(np.sort(np.concatenate(found), order="number"))
        core = engine.state.core[0]
        assert core["inside"] == 0
        assert (engine.state.instances["blocks"] == blocks).all()
        for name in ("requests", "members", "groups", "jobs"):
            assert core[f"left_{name}"] == len(getattr(engine.state, name)), name
    for other in ends[1:]:
        np.testing.assert_allclose(other["last_s"], ends[0]["last_s"], rtol=0, atol=1e-9)
    served = ends[0]["cause"] == Cause.NONE
    np.testing.assert_array_equal(served, -(-(prompt + output - 1) // 16) <= blocks)


def test_who_is_under_way_goes_on_over_the_links_that_it_set_out_for():
    engine = ring(TANDEM)
    ask(engine, [0.0], 3)
    engine.advance(4.0)
    lead(engine, legs([(5, 9.0)], []))
    engine.advance(1e12)
    assert engine.outcomes()["last_s"] == pytest.approx(9.6)
    assert engine.state.links["taken_s"].tolist() == [3, 3, 3, 0, 0, 0, 0, 0]


def test_load_is_the_time_that_a_link_is_taken_within_the_step():
    """Two chunks of 3 s on one link from 1 s on: 3 s of the first 4, 3 s of the next."""
    engine = ring(legs([(0, 0.5)], []))
    ask(engine, [1.0, 1.5], 3)
    loads = []
    for _ in range(3):
        before = engine.state.links.copy()
        engine.state.links["taken_s"] = 0.0
        engine.advance(4.0)
        loads.append(link_busy_s(engine, before, 4.0)[0])
        engine.state.shift(4.0)
    assert loads == [3.0, 3.0, 0.0]
    # A token that cuts through takes its time as well.
    engine = ring(TANDEM)
    ask(engine, [0.0], 1)
    before = engine.state.links.copy()
    engine.advance(4.0)
    assert link_busy_s(engine, before, 4.0).tolist() == [1, 1, 1, 0, 0, 0, 0, 0]


def test_a_request_is_charged_for_its_tokens_times_links():
    done = serve(ring(legs([(0, 0.1), (1, 0.2), (2, 0.3)], [(3, 0.1)])), [0.0, 1.0, 1.0], [3, 2, 1])
    assert done["hops"].tolist() == [12, 8, 4]


def test_a_service_is_divided_by_tokens():
    """Services of 1 + n / 10: one token alone, then three and one that waited together."""
    engine = ring(legs([], []))
    engine.state.parts["token_s"][0], engine.state.parts["overhead_s"][0] = 0.1, 1.0
    engine.state.satellites["pace"][0] = 2.0
    done = serve(engine, [0.0, 0.1, 0.2], [1, 3, 1])
    np.testing.assert_allclose(done["busy_s"], np.array([1.1, 1.05, 0.35]) / 2.0, rtol=1e-12)


def test_ways_are_the_shortest_paths_in_order():
    """On a line 0 - 1 - 2 - 3: gateways on 0 and 2, an expert of each layer on 3."""
    tail, head = np.array([0, 1, 1, 2, 2, 3]), np.array([1, 0, 2, 1, 3, 2], np.int32)
    weight_s = np.array([0.1, 0.1, 0.2, 0.2, 0.3, 0.3])
    predecessor = np.array([[-1, 0, 1, 2], [1, 2, -1, 2]], np.int32)
    paths = Paths(
        indptr=np.searchsorted(tail, np.arange(5)).astype(np.int32),
        indices=head,
        weight_s=weight_s,
        predecessor=predecessor,
        head_predecessor=predecessor[:1],
    )
    found = ways(paths, np.array([[3], [3]], np.int32))
    hops = [
        [(int(tail[j]), int(head[j])) for j in found.links["link"][a:b]]
        for a, b in zip(found.first, found.first[1:], strict=False)
    ]
    out, on = [(0, 1), (1, 2), (2, 3)], [(3, 2)]
    assert hops == [out, [(2, 3)], on, [(3, 2), (2, 1), (1, 0)]]
    np.testing.assert_array_equal(found.links["delay_s"], weight_s[found.links["link"]])
