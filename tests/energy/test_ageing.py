"""Rainflow counting against the standard's example and a plain implementation of another kind."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.energy.ageing import BINS, SHALLOWEST, Rainflow

CYCLE_LIFE = 1000.0


def four_point(series):
    """(range, cycles) pairs by the four-point method over whole series, residue as halves."""
    turns = [series[0]]
    for x in series[1:]:
        if x == turns[-1]:
            continue
        if len(turns) > 1 and (turns[-1] - turns[-2]) * (x - turns[-1]) > 0:
            turns[-1] = x
        else:
            turns.append(x)
    counted, i = [], 0
    while i + 3 < len(turns):
        a, b, c, d = turns[i : i + 4]
        if abs(c - b) <= min(abs(b - a), abs(d - c)):
            counted.append((abs(c - b), 1.0))
            del turns[i + 1 : i + 3]
            i = max(i - 2, 0)
        else:
            i += 1
    return counted + [(abs(b - a), 0.5) for a, b in pairwise(turns)]


def expected(series):
    """Histogram and share of life by `four_point`."""
    histogram, life = np.zeros(BINS), 0.0
    for depth, cycles in four_point(series):
        histogram[min(int(depth * BINS), BINS - 1)] += cycles
        if depth >= SHALLOWEST:
            life += cycles / (CYCLE_LIFE * 0.5 ** ((depth - 0.30) / 0.15))
    return histogram, life


def count(series):
    series = np.asarray(series, dtype=float)
    return Rainflow(series[:1], cycle_life=CYCLE_LIFE).push(series[1:, None]).wear()


def test_the_standard_s_example():
    """ASTM E1049-85 figure 6: ranges 3, 4, 6, 8, 9 count 0.5, 1.5, 0.5, 1, 0.5."""
    unit = 0.101  # so that the ranges fall well inside their bins
    history = [unit * (x + 4) for x in (-2, 1, -3, 5, -1, 3, -4, 4, -2)]
    wear = count(history)
    found = {3: 0.5, 4: 1.5, 6: 0.5, 8: 1.0, 9: 0.5}
    histogram = np.zeros(BINS)
    for size, cycles in found.items():
        histogram[int(size * unit * BINS)] = cycles
    np.testing.assert_array_equal(wear.histogram[0], histogram)
    drawn = unit * (4 + 6 + 7 + 6)
    assert wear.full_cycles[0] == pytest.approx(drawn)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=80))
def test_streaming_agrees_with_the_whole_series(levels):
    series = [level / 40.03 for level in levels]
    wear = count(series)
    histogram, life = expected(series)
    np.testing.assert_allclose(wear.histogram[0], histogram)
    assert wear.life_used[0] == pytest.approx(life, rel=1e-9)


def test_a_long_history_of_many_batteries():
    rng = np.random.default_rng(3)
    walk = rng.normal(0.0, 0.05, (20_000, 8)).cumsum(axis=0)
    series = np.abs((walk + 0.5) % 2.0 - 1.0)  # folded into 0 to 1
    rain = Rainflow(series[0], cycle_life=CYCLE_LIFE)
    for chunk in np.array_split(series[1:], 300):
        rain.push(chunk)
    wear = rain.wear()
    for j in range(8):
        histogram, life = expected(series[:, j].tolist())
        np.testing.assert_array_equal(wear.histogram[j], histogram)
        assert wear.life_used[j] == pytest.approx(life, rel=1e-9)
        drawn = -np.minimum(np.diff(series[:, j]), 0.0).sum()
        assert wear.full_cycles[j] == pytest.approx(drawn, rel=1e-9)


def test_a_spiral_deeper_than_the_memory_counts_the_same():
    swing = 0.499 * 0.97 ** np.arange(100) * (-1.0) ** np.arange(100)
    series = 0.5 + swing
    histogram, life = expected(series.tolist())
    wear = count(series)
    np.testing.assert_array_equal(wear.histogram[0], histogram)
    assert wear.life_used[0] == pytest.approx(life, rel=1e-9)


@pytest.mark.parametrize(("depth", "cycles"), [(0.15, 2000), (0.30, 1000), (0.45, 500), (0.6, 250)])
def test_cycle_life_halves_for_every_15_points(depth, cycles):
    wear = count([1.0, 1.0 - depth] * cycles + [1.0])
    assert wear.life_used[0] == pytest.approx(1.0)
    assert wear.full_cycles[0] == pytest.approx(depth * cycles)


def test_ripple_wears_nothing_and_looking_changes_nothing():
    rain = Rainflow(np.array([1.0]), cycle_life=CYCLE_LIFE)
    rain.push(np.array([[0.995], [1.0]] * 100))
    assert rain.wear().life_used[0] == 0.0
    assert rain.wear().full_cycles[0] == pytest.approx(0.5)
    first, second = rain.wear(), rain.wear()
    np.testing.assert_array_equal(first.histogram, second.histogram)
