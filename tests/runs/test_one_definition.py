"""Run, compare, sweep and report show the same figures, and those computed by hand from tables."""

import numpy as np
import pytest

from agents.run import run_scenario
from twin.report.curves import percentiles
from twin.report.tables import key_figures
from twin.runs.figures import FIGURES
from twin.runs.repeats import make_cases as cases_of
from twin.runs.summary import summarise
from twin.scenario import loader
from twin.study.cases import make_cases
from twin.study.compare import compare
from twin.study.pool import Pool
from twin.study.sweep import run_point

TOKENS = 16
SHORT = [
    "controller.policy=receding-horizon",
    "simulation.steps=24",
    f"workload.tokens_per_step={TOKENS}",
    # With those that are tried again.
    f"simulation.record_tokens_per_step={8 * TOKENS}",
]


@pytest.fixture(scope="module")
def scenario():
    return loader.load("eclipse-study", SHORT)


@pytest.fixture(scope="module")
def run(scenario, tmp_path_factory):
    return run_scenario(scenario, runs_dir=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def by_hand(run):
    """Figures from the tables ``tokens`` and ``steps`` alone."""
    tokens, steps = run.table("tokens").to_pandas(), run.table("steps").to_pandas()
    served = tokens[tokens["served"]]
    latency_s, weight = served["latency_s"].to_numpy(), steps["tokens_represented"].sum()
    asked = steps["tokens_asked"].sum()
    links = steps[[c for c in steps if c == "links_up" or c.startswith("links_down_")]]
    return {
        "latency_mean_s": latency_s.mean(),
        "latency_p50_s": np.percentile(latency_s, 50),
        "latency_p95_s": np.percentile(latency_s, 95),
        "latency_p99_s": np.percentile(latency_s, 99),
        "tokens_asked": asked,
        "tokens_served_share": len(served) / asked,
        "tokens_lost_share": steps["tokens_lost"].sum() / asked,
        "tokens_retried": len(tokens) - asked,
        "soc_min": steps["soc_min"].min(),
        "temperature_max_c": steps["temperature_max_c"].max(),
        "utilisation_max": steps["utilisation_max"].max(),
        "sunlit_share": steps["sunlit_mean"].mean(),
        "links_up_share": links["links_up"].sum() / links.to_numpy().sum(),
        "energy_per_token_j": steps["drawn_j"].sum() / weight,
        "compute_energy_per_token_j": steps["compute_j"].sum() / weight,
        "throughput_per_s": steps["throughput_per_s"].mean(),
        "migrated_gb": steps["migrated_bytes"].sum() / 1e9,
        "placements": steps["placement"].max() + 1,
    }


def test_a_run_has_the_figures_of_its_tables(run, by_hand):
    figures = summarise(run)
    assert {name: figures[name] for name in by_hand} == pytest.approx(by_hand, rel=1e-12)


def test_compare_has_the_figures_of_the_run(scenario, run):
    (case,) = make_cases(
        scenario,
        [scenario.placement.strategy],
        [scenario.controller.policy],
        strategy_params={},
        policy_params={},
    )
    (outcome,) = compare([case], replicates=1, pool=Pool(workers=1)).outcomes
    figures = summarise(run)
    assert outcome.runs[0] == {name: figures[name] for name in figures if name in FIGURES}


def test_a_sweep_has_the_figures_of_the_run(scenario, run):
    found = run_point(loader.to_toml(scenario), 0)
    assert found["error"] is None
    figures = summarise(run)
    assert found["figures"] == {name: figures.get(name) for name in FIGURES}


def test_a_report_shows_the_figures_of_the_run(run, by_hand):
    cases = cases_of([run])
    rows = {row[0]: row[1] for row in key_figures(cases).rows}
    for name, value in by_hand.items():
        figure = FIGURES[name]
        if figure.header in rows:
            assert rows[figure.header] == pytest.approx(figure.scale * value, rel=1e-12), name
    assert FIGURES["latency_p99_s"].header in rows
    within = {row[0]: row[1] for row in percentiles(cases[:1]).rows}
    assert within["50 % took at most"] == pytest.approx(by_hand["latency_p50_s"], rel=1e-12)
    assert within["95 % took at most"] == pytest.approx(by_hand["latency_p95_s"], rel=1e-12)
