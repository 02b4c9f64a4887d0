"""Prefixes that are cached already: who finds which, what it saves, and that no block is lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_engine_invariants import MANY, assert_all_is_given_back, ring, serve

PIECE = 32


def with_hashes(chains, **options):
    """A ring in which requests' prompts have pieces with these hashes."""
    engine = ring(**options)
    first = np.cumsum([0, *map(len, chains)])
    engine.set_hashes(first, np.array([h for chain in chains for h in chain], np.int64))
    engine.set(prefix_tokens=PIECE, prefix_blocks=PIECE // 16)
    return engine


def test_a_prefix_is_found_once_all_of_the_first_prompt_has_passed():
    """The second takes as long as its own end behind what is cached; a third finds nothing."""
    chains = [(1, 2), (1, 2, 3), (9,)]
    options = {"layers": 3, "experts": 4, "blocks": MANY, "chunk": 16}
    at_s, prompt = np.array([0.0, 1e3, 2e3]), np.array([70, 100, 40])
    done = serve(with_hashes(chains, **options), at_s, prompt, 1)
    np.testing.assert_array_equal(done["reused"], [0, 64, 0])
    plain = serve(ring(**options), at_s, prompt, 1)
    took_s = done["first_s"] - done["came_s"]
    usual_s = plain["first_s"] - plain["came_s"]
    assert took_s[[0, 2]] == pytest.approx(usual_s[[0, 2]], rel=1e-12)
    # The first chunk round the ring is not saved: what is, is 64 tokens at the slowest satellite.
    assert took_s[1] < usual_s[1]
    assert usual_s[1] - took_s[1] == pytest.approx(64 * 0.004, rel=0.2)


def test_at_least_one_token_of_a_prompt_is_computed():
    engine = with_hashes([(1, 2), (1, 2)], layers=2, experts=4, blocks=MANY)
    done = serve(engine, np.array([0.0, 1e3]), 2 * PIECE, 3)
    np.testing.assert_array_equal(done["reused"], [0, PIECE])
    np.testing.assert_array_equal(done["made"], [3, 3])


def test_one_after_the_other_finds_what_came_before():
    """An endless cache: the hits are those of a set of all hashes so far."""
    rng = np.random.default_rng(3)
    chains, prompt, expected, seen = [], [], [], set()
    for _ in range(200):
        chain = [0]
        for _ in range(rng.integers(1, 6)):
            chain.append(chain[-1] * 3 + int(rng.integers(1, 4)))
        tokens = int(rng.integers(1, PIECE)) + PIECE * len(chain[1:])
        hits = 0
        while hits < len(chain) - 1 and chain[1 + hits] in seen:
            hits += 1
        seen |= set(chain[1:])
        chains.append(chain[1:])
        prompt.append(tokens)
        expected.append(hits * PIECE)
    engine = with_hashes(chains, layers=2, experts=4, blocks=MANY)
    done = serve(engine, np.arange(200) * 1e4, np.array(prompt), 2)
    np.testing.assert_array_equal(done["reused"], expected)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    blocks=st.integers(16, 120),
    micro=st.booleans(),
    one_satellite=st.booleans(),
)
def test_no_block_is_lost_where_memory_is_short(seed, blocks, micro, one_satellite):
    rng = np.random.default_rng(seed)
    count = 60
    chains = [tuple(rng.integers(0, 3, rng.integers(0, 5)).cumsum()) for _ in range(count)]
    prompt = np.array([len(chain) * PIECE for chain in chains]) + rng.integers(1, PIECE, count)
    output = rng.integers(1, 40, count)
    engine = with_hashes(
        chains, layers=3, experts=4, blocks=blocks, micro=micro, one_satellite=one_satellite
    )
    done = serve(engine, np.sort(rng.uniform(0, 30, count)), prompt, output)
    fits = prompt + output - 1 <= blocks * 16
    np.testing.assert_array_equal(done["made"][fits], output[fits])
    core, pieces = engine.state.core[0], engine.state.prefixes
    instance = engine.state.instances[0]
    assert instance["idle"] == pieces["cached"].sum()
    assert not pieces["users"].any()
    idle_blocks = instance["idle"] * core["prefix_blocks"]
    assert instance["blocks"] + idle_blocks == instance["all_blocks"]
    instance["blocks"] = instance["all_blocks"]
    assert_all_is_given_back(engine)
