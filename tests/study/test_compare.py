"""Comparisons: pairs of strategy and policy, paired intervals, regret, domination, the figure."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twin.errors import InputError
from twin.report.comparison import comparison_tables
from twin.report.drawing import png
from twin.report.trade_offs import comparison_picture
from twin.runs.cells import text
from twin.scenario import loader
from twin.study.cases import Case, make_cases, read_params
from twin.study.compare import Comparison, Outcome, compare, non_dominated
from twin.study.pool import Pool

FIGURES = {
    "latency_mean_s": 1.0,
    "latency_p50_s": 1.0,
    "latency_p95_s": 1.0,
    "latency_p99_s": 1.5,
    "ttft_p50_s": np.nan,
    "ttft_p99_s": np.nan,
    "tokens_served_share": 0.9,
    "tokens_lost_share": 0.1,
    "lost_dead_share": 0.02,
    "lost_unreachable_share": 0.08,
    "throughput_per_s": 100.0,
    "energy_per_token_j": 36000.0,
    "compute_energy_per_token_j": 0.5,
    "migrated_gb": 0.0,
    "placements": 1.0,
    "soc_min": 0.8,
}


def outcome(name: str, policy: str = "static", infeasible: str | None = None, **columns) -> Outcome:
    """An outcome whose figures are given, one a replicate."""
    scenario = loader.load("small", [f"placement.strategy={name}", f"controller.policy={policy}"])
    rows = [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    return Outcome(
        case=Case(name=f"{name} / {policy}", scenario=scenario),
        runs=[] if infeasible else [FIGURES | row for row in rows],
        infeasible=infeasible,
    )


def comparison(*outcomes: Outcome) -> Comparison:
    return Comparison(scenario="small", seed=0, replicates=3, outcomes=list(outcomes))


SLOW = outcome("rand-place", latency_mean_s=[2.0, 4.0, 3.0], tokens_lost_share=[0.1, 0.2, 0.3])
FAST = outcome("space-xnet", latency_mean_s=[1.0, 2.0, 1.8], tokens_lost_share=[0.0, 0.1, 0.2])
KNOWING = outcome(
    "space-xnet", "clairvoyant", latency_mean_s=[0.5, 1.0, 1.5], tokens_lost_share=[0.0, 0.0, 0.0]
)
CANNOT = outcome("joint", infeasible="no room")


def test_ratios_are_paired_as_by_hand():
    # 0.5, 0.5, 0.6: mean 8/15, sd 0.1/sqrt(3), t(2, 0.975) = 4.302653.
    ratio = comparison(SLOW, FAST).ratio(FAST)
    assert ratio.mean == pytest.approx(8 / 15, abs=1e-12)
    assert ratio.ci95 == pytest.approx(4.302653 * 0.1 / 3, abs=1e-7)


def test_differences_are_paired_as_by_hand():
    difference = comparison(SLOW, FAST).difference(FAST, "latency_mean_s")
    # -1, -2, -1.2: mean -1.4, sd sqrt(0.28).
    assert difference.mean == pytest.approx(-1.4)
    assert difference.ci95 == pytest.approx(4.302653 * np.sqrt(0.28 / 3), abs=1e-6)
    # Alike in every replicate: no doubt at all, however much replicates differ.
    assert comparison(SLOW, FAST).difference(FAST, "tokens_lost_share").ci95 == pytest.approx(
        0.0, abs=1e-15
    )


def test_regret_is_against_the_same_strategy_or_else_any_that_knew():
    result = comparison(SLOW, FAST, KNOWING, outcome("rand-place", "clairvoyant", "no room"))
    mine, other = result.regret(FAST), result.regret(SLOW)
    assert mine is not None
    assert other is not None
    assert mine.against == other.against == "space-xnet / clairvoyant"
    assert mine.latency_s.mean == pytest.approx((0.5 + 1.0 + 0.3) / 3)
    assert other.lost.mean == pytest.approx(0.2)
    assert result.as_json()["cases"]["space-xnet / clairvoyant"]["regret"]["lost"]["mean"] == 0
    assert comparison(SLOW, FAST).regret(FAST) is None


def test_the_first_that_could_be_run_is_the_reference():
    result = comparison(CANNOT, SLOW, FAST)
    assert result.reference is SLOW
    entry = result.as_json()["cases"]["joint / static"]
    assert entry["infeasible"] == "no room"
    assert "ratio" not in entry


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 12), st.just(2)),
        elements=st.sampled_from([0.0, 1.0, 2.0, 3.0, np.nan]),
    )
)
def test_non_dominated_points_by_brute_force(points):
    def beats(a, b):
        return a[0] <= b[0] and a[1] <= b[1] and (a[0] < b[0] or a[1] < b[1])

    expected = [
        not np.isnan(b).any() and not any(beats(a, b) for a in points) for b in points.tolist()
    ]
    assert non_dominated(points).tolist() == expected


def test_more_is_better_for_throughput_and_less_for_energy():
    quick = outcome("joint", latency_mean_s=[1.0] * 3, throughput_per_s=[10.0] * 3)
    broad = outcome("packed", latency_mean_s=[2.0] * 3, throughput_per_s=[20.0] * 3)
    result = comparison(quick, broad)
    assert result.non_dominated("throughput_per_s") == [quick, broad]
    assert result.non_dominated("energy_per_token_j") == [quick]


def test_parameters_go_to_their_own_strategy_and_policy():
    scenario = loader.load("small", ["placement.strategy=joint", "placement.params.refine=7"])
    cases = make_cases(
        scenario,
        ["space-xnet", "joint"],
        ["static", "periodic"],
        strategy_params=read_params("--strategy-params", ["joint.busy_margin=0.5"]),
        policy_params=read_params("--policy-params", ["periodic.every_steps=10"]),
    )
    assert [case.name for case in cases] == [
        "space-xnet / static",
        "space-xnet / periodic",
        "joint / static",
        "joint / periodic",
    ]
    assert cases[0].scenario.placement.params == {}
    assert cases[3].scenario.placement.params == {"refine": 7, "busy_margin": 0.5}
    assert cases[3].scenario.controller.params == {"every_steps": 10}
    (alone,) = make_cases(scenario, ["joint"], ["static"], strategy_params={}, policy_params={})
    assert alone.name == "joint"


@pytest.mark.parametrize(
    ("strategies", "policies", "params", "said"),
    [
        (["best"], ["static"], [], "unknown placement strategy 'best'; known: rand-place"),
        (["joint"], ["sometimes"], [], "unknown policy 'sometimes'; known: static"),
        (["joint", "joint"], ["static"], [], "each placement strategy must be named once"),
        (["joint"], ["periodic"], ["periodic.often=1"], "has no parameter 'often'; it takes"),
        (["joint"], ["periodic"], ["periodic.every_steps=x"], "every_steps must be a number"),
        (["joint"], ["static"], ["periodic.every_steps=1"], "'periodic', which is not compared"),
        (["joint"], ["periodic"], ["periodic=1"], "--policy-params periodic=1: must look like"),
        (["joint"], ["periodic"], ["periodic"], "--policy-params periodic: must look like name.k"),
    ],
)
def test_mistakes_are_told_before_any_run(strategies, policies, params, said):
    with pytest.raises(InputError, match=re.escape(said)):
        make_cases(
            loader.load("small"),
            strategies,
            policies,
            strategy_params={},
            policy_params=read_params("--policy-params", params),
        )


def test_a_case_without_room_does_not_stop_the_others():
    scenario = loader.load("small", ["compute.memory_gb=0.0004", "simulation.steps=3"])
    cases = make_cases(
        scenario, ["single-satellite", "space-xnet"], ["static"], strategy_params={},
        policy_params={},
    )  # fmt: skip
    result = compare(cases, replicates=2, pool=Pool(workers=1))
    assert "the model takes" in (result.outcomes[0].infeasible or "")
    assert result.reference.case.strategy == "space-xnet"
    with pytest.raises(InputError, match="no case can be run; single-satellite: single-satellite"):
        compare(cases[:1], replicates=2, pool=Pool(workers=1))


def test_throughput_is_that_of_the_busiest_satellite():
    """All on one satellite: 1 / (all gateways + top-K experts of every layer)."""
    scenario = loader.load("small", ["simulation.steps=2"])
    (case,) = make_cases(
        scenario, ["single-satellite"], ["static"], strategy_params={}, policy_params={}
    )
    run = compare([case], replicates=2, pool=Pool(workers=1)).outcomes[0].runs[0]
    from twin.moe.inference import inference

    model = inference(scenario)
    token_s = model.stage_s.sum() + 8 * model.card.top_k * model.expert_s
    assert run["throughput_per_s"] == pytest.approx(1 / token_s)
    assert run["tokens_served_share"] == 1.0
    assert 0 < run["compute_energy_per_token_j"] < run["energy_per_token_j"]


def test_throughput_of_the_papers_placement():
    """A gateway's attention and router take 18.4 ms: 54 tokens a second (computed elsewhere)."""
    scenario = loader.load("paper", ["simulation.steps=2"])
    (case,) = make_cases(scenario, ["space-xnet"], ["static"], strategy_params={}, policy_params={})
    (outcome,) = compare([case], replicates=1, pool=Pool(workers=1)).outcomes
    assert outcome.runs[0]["throughput_per_s"] == pytest.approx(1 / 18.4e-3, rel=0.01)


def test_tables_fit_a_hundred_columns(capsys, monkeypatch):
    from twin.cli.console import Console

    monkeypatch.setenv("COLUMNS", "100")
    told = comparison_tables(comparison(SLOW, FAST, KNOWING, CANNOT))
    assert len(told) == 4
    for table in told:
        assert all(len(row) == len(table.header) for row in table.rows)
        rows = [[text(cell) for cell in row] for row in table.rows]
        Console(None).table(table.title, table.header, rows)
    out = capsys.readouterr().out
    assert "space-xnet / clairvoyant" in out  # in one piece
    assert "unreachable 8.000 %" in out
    assert max(len(line) for line in out.splitlines() if line[0] in "┏┃│└┡") <= 100


def test_figure_of_cases_that_lie_on_each_other_or_served_nobody(tmp_path):
    nobody = outcome("rand-intra", latency_mean_s=[np.nan] * 3, tokens_served_share=[0.0] * 3)
    twice = outcome("mine", latency_mean_s=[1.0, 2.0, 1.8])
    png(comparison_picture(comparison(SLOW, FAST, twice, nobody, CANNOT)), tmp_path / "c.png")
    png(comparison_picture(comparison(nobody)), tmp_path / "n.png")
    assert (tmp_path / "n.png").read_bytes().startswith(b"\x89PNG")
