"""Max-min fairness: by hand, by its definition, by linear programs, and in exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from twin.serving.flows import carry, fair_rates

A, B, C = 0, 1, 2


def flows_of(*paths):
    return [np.array(path, np.int32) for path in paths]


def random_case(rng):
    """Up to 8 flows over 6 links; small whole capacities, so that links tie."""
    capacity = rng.integers(1, 9, 6).astype(float)
    paths = [rng.choice(6, rng.integers(1, 5), replace=False) for _ in range(rng.integers(1, 9))]
    return flows_of(*paths), capacity


def by_linear_programs(links, capacity):
    """Raise the least rate as far as it goes, fix the flows that cannot exceed it, and so on."""
    count = len(links)
    over = np.array([[float(j in path) for path in links] for j in range(len(capacity))])
    fixed = {}
    while len(fixed) < count:
        free = [f for f in range(count) if f not in fixed]

        def most(gain, least, free=free):
            """Highest `gain` of rates, none of the free ones below `least`; last is the level."""
            bounds = [
                (fixed[f], fixed[f]) if f in fixed else (least, None) for f in range(count)
            ] + [(0, None)]
            above = np.zeros((len(free), count + 1))
            above[np.arange(len(free)), free], above[:, -1] = -1.0, 1.0
            limits = np.vstack([np.column_stack([over, np.zeros(len(capacity))]), above])
            room = np.concatenate([capacity, np.zeros(len(free))])
            return -linprog(-np.array(gain), A_ub=limits, b_ub=room, bounds=bounds).fun

        level = most([0.0] * count + [1.0], 0.0)
        for f in free:
            alone = [float(f == other) for other in range(count)] + [0.0]
            if most(alone, level * (1 - 1e-9)) <= level * (1 + 1e-6):
                fixed[f] = level
    return np.array([fixed[f] for f in range(count)])


def in_fractions(links, room, wanted):
    """What comes in one unit of time, in exact arithmetic, by a filling of its own."""
    left = [Fraction(int(w)) for w in wanted]
    now = Fraction(0)
    while now < 1 and any(left):
        going = {f for f, rest in enumerate(left) if rest}
        spare, rising, rate = dict(enumerate(map(int, room))), set(going), {}
        while rising:
            shares = {
                j: Fraction(spare[j]) / n
                for j in spare
                if (n := sum(j in links[f] for f in rising))
            }
            level = min(shares.values())
            full = {j for j, share in shares.items() if share == level}
            stopped = {f for f in rising if full & set(links[f].tolist())}
            for f in stopped:
                rate[f] = level
                for j in links[f].tolist():
                    spare[j] -= level
            rising -= stopped
        until = min(min(left[f] / rate[f] for f in going), 1 - now)
        for f in going:
            left[f] -= rate[f] * until
        now += until
    return [float(w - rest) for w, rest in zip(wanted.tolist(), left, strict=True)]


def test_three_links_five_flows():
    rates = fair_rates(flows_of([A, B], [A, C], [B], [C], [A]), np.array([10.0, 4.0, 6.0]))
    np.testing.assert_array_equal(rates, [2, 3, 2, 3, 5])


def test_a_flow_that_takes_no_link_is_there_at_once():
    assert fair_rates(flows_of([], [A]), np.array([1.0])).tolist() == [np.inf, 1.0]
    assert carry(flows_of([], [A]), np.array([1.0]), np.array([5.0, 5.0])).tolist() == [5.0, 1.0]


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_flow_has_a_full_link_on_which_none_is_faster(seed):
    """Which is what max-min fair rates are (Bertsekas and Gallager 1992, section 6.5.2)."""
    links, capacity = random_case(np.random.default_rng(seed))
    rate = fair_rates(links, capacity)
    on = [np.array([j in path for path in links]) for j in range(len(capacity))]
    load = np.array([rate[users].sum() for users in on])
    assert (load <= capacity * (1 + 1e-12)).all()
    for f, path in enumerate(links):
        assert any(
            load[j] >= capacity[j] * (1 - 1e-12) and rate[f] >= rate[on[j]].max() * (1 - 1e-12)
            for j in path
        )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_linear_programs_find_the_same_rates(seed):
    links, capacity = random_case(np.random.default_rng(seed))
    expected = by_linear_programs(links, capacity)
    np.testing.assert_allclose(fair_rates(links, capacity), expected, rtol=1e-6)


def test_who_ends_frees_its_share_for_the_rest():
    """Of 6 a step three take 2 each; the first ends at 1/2, the second at 5/6, the last at 1."""
    wanted = np.array([1.0, 2.0, 4.0])
    done = carry(flows_of([A], [A], [A]), np.array([6.0]), wanted)
    np.testing.assert_allclose(done, [1, 2, 3], rtol=1e-15)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_comes_in_a_step_is_what_exact_arithmetic_says(seed):
    rng = np.random.default_rng(seed)
    links, room = random_case(rng)
    wanted = rng.integers(1, 5, len(links)).astype(float)
    done = carry(links, room, wanted)
    np.testing.assert_allclose(done, in_fractions(links, room, wanted), rtol=1e-12)


@pytest.mark.parametrize("parts", [2, 7])
def test_a_step_in_parts_carries_the_same(parts):
    """Shares depend on who goes, not on when one looks."""
    rng = np.random.default_rng(3)
    links, room = random_case(rng)
    wanted = rng.uniform(1, 4, len(links))
    left = wanted.copy()
    for _ in range(parts):
        left -= carry(links, room / parts, left)
    np.testing.assert_allclose(wanted - left, carry(links, room, wanted), rtol=1e-12)
