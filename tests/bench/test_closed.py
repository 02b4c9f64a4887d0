"""The bench of the closed loop: what it counts, and that its figures can be kept."""

import json

import numpy as np
import pytest

import closed as closed_loop
from closed import closed, grid
from twin.live.act import Asked
from twin.live.advice import choices
from won_back import Case, Flown, data_of, fieller, rows_of_choosing, rows_of_judging, together


def case(gap, won):
    shares = {"design": 0 * gap, "true": gap, "act": won}
    flown = {
        arm: [Flown(counted=0.9 + one, whole=0.8 + one) for one in more.tolist()]
        for arm, more in shares.items()
    }
    return Case(setting="x", flown=flown)


SURE = case(np.array([0.04, 0.05, 0.06]), np.array([0.02, 0.03, 0.025]))
UNSURE = case(np.array([0.1, -0.1, 0.02]), np.array([0.5, 0.5, 0.5]))


def test_only_gaps_that_exceed_their_interval_are_judged():
    assert SURE.chosen
    assert not UNSURE.chosen
    assert not Case(setting="x", flown={}, refused="no plan").chosen
    found = data_of(SURE)["counted"]
    assert found["back"] == pytest.approx(0.5)
    assert found["back_low"] < 0.5 < found["back_high"]
    assert np.isinf(data_of(UNSURE)["counted"]["back_high"])


def test_settings_are_summed_by_seed():
    """Two settings with the same plants are no more plants."""
    one, both = (together(cases)["counted"] for cases in ([SURE], [SURE, SURE]))
    assert both["gap"] == pytest.approx(2 * one["gap"])
    for name in ("back", "back_low", "back_high"):
        assert both[name] == pytest.approx(one[name])
    assert together([]) == {}


def test_fiellers_interval_holds_the_ratio_as_often_as_it_says():
    rng = np.random.default_rng(5)
    gap = 1.0 + 0.5 * rng.standard_normal((2000, 6))
    won = 0.7 * gap + 0.3 * rng.standard_normal((2000, 6))
    found = [fieller(w, g) for w, g in zip(won, gap, strict=True)]
    inside = [low <= 0.7 <= high for low, high in found if np.isfinite(low)]
    assert len(inside) > 1500
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)
    assert fieller(0.8 * gap[0], gap[0]) == pytest.approx((0.8, 0.8))


def test_the_grid_is_that_of_the_protocol():
    assert len(set(grid(50))) == 8
    assert sum("every_steps=50" in setting for setting in grid(50)) == 4


def test_it_flies_each_plant_three_times(monkeypatch, tmp_path):
    monkeypatch.setattr(Case, "chosen", property(lambda self: not self.refused))
    changes = [
        "simulation.orbits=0.5", "simulation.steps=60", "bus.battery_wh=150",
        "workload.tokens_per_step=4",
    ]  # fmt: skip
    asked = Asked(every=20, wanted=choices(["energy-aware"]), orbits=0.1, members=2)
    cases = ["bus.battery_wh=150", "placement.strategy=energy-aware workload.rate_per_s=1e6"]
    found = closed(
        "small", changes, cases, [], first=[3, 4], second=[5, 6], asked=asked,
        file=tmp_path / "kept.jsonl", progress=lambda done, of: None,
    )  # fmt: skip
    flown, refused = found["choosing"]
    assert "no ring" in refused["refused"]
    (judged,) = found["judged"]
    assert set(judged["flown"]) == {"design", "true", "act"}
    assert all(len(each) == 2 for each in flown["flown"].values())
    assert len(rows_of_choosing(found)) == 2
    assert all(len(row) == 9 for row in rows_of_judging(found))
    json.dumps(found)
    monkeypatch.setattr(closed_loop, "_acted", None)  # all are kept
    monkeypatch.setattr(closed_loop, "_alone", None)
    again = closed(
        "small", changes, cases, [], first=[3, 4], second=[5, 6], asked=asked,
        file=tmp_path / "kept.jsonl", progress=lambda done, of: None,
    )  # fmt: skip
    assert again == found
