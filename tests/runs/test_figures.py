"""The table of figures: rows merge by its rules, in any grouping, and unknown values are gaps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.model import TwinModel
from twin.runs import figures
from twin.runs.distribution import Distribution
from twin.runs.figures import QUANTITIES, STEP_FIGURES, merge_blocks, merge_rows
from twin.runs.rules import LEAST, MOST, SUM, Mean, Quantile, Ratio
from twin.runs.tables import TABLES
from twin.scenario import loader

STORED = [n for n, f in STEP_FIGURES.items() if not isinstance(f.rule, Ratio | Quantile)]


@pytest.fixture(scope="module")
def steps():
    """Rows of a run in which tokens are lost, retried and served later, and their latencies."""
    settings = ["outages.availability=0.8", "workload.retries=2", "simulation.steps=24"]
    model = TwinModel(loader.load("small", settings))
    rows, tokens = [], []
    while model.running:
        model.step()
        rows.append(model.row)
        tokens.append(Distribution.of(model.served.latency.total_s))
    return {name: np.array([row[name] for row in rows], float) for name in STEP_FIGURES}, tokens


def test_the_steps_table_has_the_figures_of_a_step():
    assert TABLES["steps"].names == list(STEP_FIGURES)
    assert QUANTITIES == ("latency", "ttft")


def test_every_figure_says_what_it_is():
    for figure in STEP_FIGURES.values():
        assert figure.label
        assert figure.sentence.endswith(".")


def test_rows_merge_as_by_hand(steps):
    rows, tokens = steps
    merged = merge_rows(rows, distributions={"latency": Distribution.merged(tokens)})
    served = rows["tokens_served"]
    assert rows["tokens_retried"].sum() > 0
    assert merged["tokens_served"] == served.sum()
    assert merged["soc_min"] == rows["soc_min"].min()
    assert merged["temperature_max_c"] == rows["temperature_max_c"].max()
    assert merged["links_up"] == pytest.approx(rows["links_up"].mean())
    mean_s = np.nansum(rows["latency_mean_s"] * served) / served.sum()
    assert merged["latency_mean_s"] == pytest.approx(mean_s)
    assert merged["energy_per_token_j"] == pytest.approx(rows["drawn_j"].sum() / served.sum())
    assert merged["tokens_served_share"] == served.sum() / rows["tokens_asked"].sum()
    every = np.repeat(Distribution.merged(tokens).value_s, Distribution.merged(tokens).count)
    assert merged["latency_p99_s"] == np.percentile(every, 99)
    assert np.isnan(merged["ttft_p99_s"])
    assert np.isnan(merge_rows(rows)["latency_p99_s"])


@given(st.lists(st.integers(1, 23), unique=True), st.integers(0, 23))
def test_merging_merged_rows_gives_the_same(steps, cuts, start):
    rows, _ = steps
    cuts = sorted(cut for cut in cuts if cut > start)
    mine = {name: rows[name][start:] for name in STORED}
    starts = np.array([0, *(cut - start for cut in cuts)])
    parts = merge_blocks(mine, starts)
    weights = np.diff([*starts, 24 - start]).astype(float)
    again = merge_rows({name: parts[name] for name in STORED}, weights)
    whole = merge_rows(mine)
    assert again == pytest.approx(whole, rel=1e-12, nan_ok=True)
    assert (parts["tokens_served_share"] <= 1).all()
    for name in STORED:
        if STEP_FIGURES[name].rule == SUM:
            assert np.nansum(parts[name]) == pytest.approx(np.nansum(mine[name]))


def test_ratios_of_a_step_are_those_of_its_merge(steps):
    rows, _ = steps
    for step in range(24):
        row = {name: rows[name][step] for name in STORED}
        merged = merge_rows({name: np.array([value]) for name, value in row.items()})
        for name, value in figures.ratios(row).items():
            assert merged[name] == pytest.approx(value, nan_ok=True), name


@pytest.mark.parametrize("rule", [SUM, LEAST, MOST, Mean()])
def test_a_gap_is_left_out_and_nothing_but_gaps_is_one(rule):
    name = next(name for name, figure in STEP_FIGURES.items() if figure.rule == rule)
    found = merge_blocks({name: np.array([np.nan, 2.0, np.nan, np.nan])}, np.array([0, 2]))[name]
    np.testing.assert_array_equal(found, [2.0, np.nan])
