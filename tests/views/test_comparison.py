"""What the page says of runs side by side, against numbers worked out by hand."""

import numpy as np
import pytest
from scipy import stats

from agents.run import run_scenario
from twin.runs.cells import text
from twin.runs.statistics import Estimate
from twin.scenario import loader
from twin.views.comparison import NOTHING, captions, compare, describe, warnings

STRATEGIES = ("space-xnet", "rand-intra", "rand-place")
REPLICATES = 3


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Of every strategy a run a replicate."""
    folder = tmp_path_factory.mktemp("runs")
    made = {}
    for strategy in STRATEGIES:
        for replicate in range(REPLICATES):
            overrides = [
                "simulation.steps=4",
                f"placement.strategy={strategy}",
                f"simulation.replicate={replicate}",
            ]
            scenario = loader.load("small", overrides)
            run_id = f"{strategy}-{replicate}"
            made[strategy, replicate] = run_scenario(scenario, runs_dir=folder, run_id=run_id)
    return made


def mean_s(run):
    steps = run.table("steps")
    served, latency = (steps[n].to_numpy() for n in ("tokens_served", "latency_mean_s"))
    return float(np.sum(served * latency) / served.sum())


@pytest.mark.parametrize("compared", [1, 2])
def test_differences_are_paired_and_hold_for_all_comparisons_together(runs, compared):
    shown = [runs[strategy, 0] for strategy in STRATEGIES[: compared + 1]]
    told = compare(shown, list(runs.values()))
    for strategy in STRATEGIES[1 : compared + 1]:
        gaps = [
            mean_s(runs[strategy, r]) - mean_s(runs["space-xnet", r]) for r in range(REPLICATES)
        ]
        half = stats.t.ppf(1 - 0.05 / 2 / compared, REPLICATES - 1) * stats.sem(gaps)
        cell = told["cells"][f"{strategy}-0"][0]
        shown_gap = text(Estimate(float(np.mean(gaps)), float(half)))
        assert cell["difference"].removeprefix("+") == shown_gap
        assert cell["value"] == text(mean_s(runs[strategy, 0]))
    assert told["cells"]["space-xnet-0"][0]["difference"] == ""
    assert f"over {REPLICATES} pairs" in told["note"]


def test_without_repetitions_there_is_no_interval_and_the_page_says_so(runs):
    shown = [runs["space-xnet", 0], runs["rand-intra", 0]]
    told = compare(shown, shown)
    assert "±" not in told["cells"]["rand-intra-0"][0]["difference"]
    assert "no interval" in told["note"]


def test_runs_that_share_no_replicate_are_not_taken_for_pairs(runs):
    shown = [runs["space-xnet", 0], runs["rand-intra", 1]]
    assert "no interval" in compare(shown, shown)["note"]


def test_captions_are_the_fields_that_differ():
    made = [
        loader.load("small", overrides)
        for overrides in (
            [],
            ["placement.strategy=rand-intra", "constellation.altitude_km=900"],
            ["simulation.seed=7"],
        )
    ]
    assert captions(made) == [
        "space-xnet, altitude_km 1200, seed 0",
        "rand-intra, altitude_km 900, seed 0",
        "space-xnet, altitude_km 1200, seed 7",
    ]
    assert captions(made[:1] * 2) == ["space-xnet", "space-xnet"]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["simulation.seed=3"], "Other random numbers: seed 0 / 3"),
        (["simulation.replicate=1"], "Other random numbers: replicate 0 / 1"),
        (["simulation.step_s=30"], "Other times"),
        (["constellation.altitude_km=900"], "Other constellations: altitude_km 1200.0 / 900.0"),
    ],
)
def test_what_disagrees_is_warned_of(overrides, said):
    base, other = loader.load("small"), loader.load("small", overrides)
    assert any(said in line for line in warnings([base, other]))
    assert warnings([base, loader.load("small", ["placement.strategy=rand-intra"])]) == []


def test_another_scenario_is_warned_of():
    told = warnings([loader.load("small"), loader.load("paper")])
    assert "Other scenarios: small, paper." in told


def test_a_run_alone_is_compared_with_nothing(runs):
    assert compare([runs["space-xnet", 0]], []) == NOTHING
    assert describe(["a"], [loader.load("small")]) == NOTHING
