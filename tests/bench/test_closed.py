"""The bench of the closed loop: what it counts, and that its figures can be kept."""

import json

import numpy as np
import pytest

from closed import ACT, TRUE, WRONG, Case, _data, closed, ratio_interval
from twin.live.act import Asked


def case(gap, won):
    wrong = np.full(len(gap), 0.9)
    return Case(
        setting="x",
        served={WRONG: wrong, TRUE: wrong + gap, ACT: wrong + won},
        commands=np.ones(len(gap), np.int64),
    )


def test_only_gaps_that_exceed_their_interval_count():
    sure = case(np.array([0.04, 0.05, 0.06]), np.array([0.02, 0.03, 0.025]))
    unsure = case(np.array([0.1, -0.1, 0.02]), np.array([0.5, 0.5, 0.5]))
    found = _data([sure, unsure], [1, 2, 3])
    assert [one["counts"] for one in found["cases"]] == [True, False]
    assert found["won_back"] == pytest.approx(0.075 / 0.15)
    assert found["won_back_low"] < found["won_back"] < found["won_back_high"]
    assert np.isnan(_data([unsure], [1, 2, 3])["won_back"])
    json.dumps(found)


def test_a_share_that_is_the_same_everywhere_is_sure():
    gap = np.array([0.02, 0.05, 0.01])
    assert ratio_interval(0.8 * gap, gap) == pytest.approx((0.8, 0.8))


def test_it_flies_each_plant_three_times():
    changes = [
        "simulation.orbits=0.5", "simulation.steps=60", "bus.battery_wh=150",
        "workload.tokens_per_step=4",
    ]  # fmt: skip
    asked = Asked(every=20, strategies=["energy-aware"], orbits=0.1, members=2)
    found = closed(
        "small", changes, [""], [], seeds=[3, 4], asked=asked, progress=lambda done, of: None
    )
    (one,) = found["cases"]
    assert all(len(shares) == 2 for shares in one["served"].values())
    assert all(0.5 < share <= 1.0 for share in one["served"][ACT])
