"""A comparison where requests are served: figures by hand from the tables of the runs."""

import json
import re

import numpy as np
import pytest
from scipy import stats

from agents.run import run_scenario
from twin.cli.console import Console
from twin.report.comparison import comparison_document, comparison_tables
from twin.report.document import write
from twin.report.drawing import png
from twin.report.trade_offs import comparison_picture
from twin.runs.cells import text
from twin.runs.figures import FIGURES, REQUEST_METRICS, SHORT
from twin.scenario import loader
from twin.study.cases import make_cases
from twin.study.compare import compare
from twin.study.pool import Pool

ASKED = {
    "serving.mode": "requests",
    "compute.accounting": "full",
    "compute.gflops": 0.1,
    "requests.prompt_tokens": 20.0,
    "requests.output_tokens": 5.0,
    "requests.rate_per_s": 0.1,  # fewer than MSER-5 looks for a warm-up in
    "requests.ttft_target_s": 4.0,
    "simulation.orbits": None,
    "simulation.step_s": 20.0,
    "simulation.steps": 15,
}
STRATEGIES = ("space-xnet", "packed")


def comparison(scenario, replicates=3):
    cases = make_cases(scenario, STRATEGIES, ["static"], strategy_params={}, policy_params={})
    return compare(cases, replicates=replicates, pool=Pool(workers=1))


@pytest.fixture(scope="module")
def result():
    return comparison(loader.load("small", ASKED))


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    """Figures of every replicate of every case from the tables ``requests`` alone."""
    found = {}
    for strategy in STRATEGIES:
        for replicate in range(3):
            own = {"placement.strategy": strategy, "simulation.replicate": replicate}
            folder = tmp_path_factory.mktemp("runs")
            run = run_scenario(loader.load("small", ASKED | own), runs_dir=folder)
            rows = run.table("requests").to_pandas()
            served = rows[rows["cause"].isna()]
            waiting = rows[(rows["cause"] == "unfinished") & rows["ttft_s"].isna()]
            good = served[(served["ttft_s"] <= 4.0) & (served["tpot_s"] <= 2.0)]
            figures = {
                **{
                    f"request_ttft_p{p}_s": np.percentile(served["ttft_s"], p) for p in (50, 95, 99)
                },
                "request_tpot_mean_s": served["tpot_s"].mean(),
                "request_tpot_p99_s": np.percentile(served["tpot_s"], 99),
                "request_e2e_mean_s": served["e2e_s"].mean(),
                "request_e2e_p95_s": np.percentile(served["e2e_s"], 95),
                "goodput_per_s": len(good) / 300.0,
                "requests_served_share": len(served) / len(rows),
                "tokens_out_per_s": rows["made_tokens"].sum() / 300.0,
                "request_energy_per_token_j": rows["energy_j"].sum() / rows["made_tokens"].sum(),
                "oldest_wait_s": 300.0 - waiting["asked_s"].min() if len(waiting) else 0.0,
            }
            found.setdefault(strategy, []).append(figures)
    return found


def interval(values):
    values = np.array(values)
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
    return values.mean(), half


def test_every_figure_and_every_paired_difference(result, by_hand):
    data = result.as_json()["cases"]
    first, other = (by_hand[name] for name in STRATEGIES)
    assert tuple(first[0]) == REQUEST_METRICS
    differ = 0
    for name in REQUEST_METRICS:
        mine, theirs = (np.array([run[name] for run in runs]) for runs in (other, first))
        differ += (mine != theirs).any()
        told = data["packed"][name], data["packed"]["request_differences"][name]
        for found, values in zip(told, (mine, mine - theirs), strict=True):
            assert tuple(found.values()) == pytest.approx(interval(values), rel=1e-9, abs=1e-9)
        assert data["space-xnet"]["request_differences"][name] == {"mean": 0.0, "ci95": 0.0}
    assert differ > 6


def test_tables_report_and_json_say_the_same(result, tmp_path):
    plain, against, *_ = comparison_tables(result)
    rows, differences = plain.rows, against.rows
    assert plain.header == against.header == ("case", *(SHORT[name] for name in REQUEST_METRICS))
    assert against.title == "Requests; difference from space-xnet, of shares in points"
    case = result.as_json()["cases"]["packed"]
    for column, name in enumerate(REQUEST_METRICS, 1):
        scale = FIGURES[name].scale
        assert rows[1][column].mean == pytest.approx(scale * case[name]["mean"])
        told = case["request_differences"][name]["mean"]
        assert differences[1][column].mean == pytest.approx(scale * told)
    write(comparison_document(result), tmp_path / "c.html")
    page = re.sub(r"\s*([<>])\s*", r"\1", (tmp_path / "c.html").read_text())
    for cell in (*rows[1][1:], *differences[1][1:]):
        assert f">{text(cell)}<" in page
    png(comparison_picture(result), tmp_path / "c.png")
    assert result.trade.time == "request_e2e_mean_s"


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_headings_and_cells_stand_whole_in_a_narrow_terminal(result, capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    table = comparison_tables(result)[1]
    header, cells = table.header, [[text(cell) for cell in row] for row in table.rows]
    Console(None).table("", header, cells)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    assert {line[-1] for line in lines if line} == set("┓┃┩│┘")
    columns_told = " ".join(" ".join(re.split(r"[┃│]", line)[1:]) for line in lines)
    for word in {*" ".join(header).split(), *(cell for row in cells for cell in row)}:
        assert word in columns_told


def test_of_single_tokens_nothing_is_said_of_requests(tmp_path):
    result = comparison(loader.load("small", ["simulation.steps=3"]), replicates=2)
    said = json.dumps(result.as_json())
    assert not any(name in said for name in REQUEST_METRICS)
    assert "request" not in said
    assert [table.title for table in comparison_tables(result)] == [
        "Latency; x: times space-xnet",
        "Tokens; difference from space-xnet in points",
        "Resources",
    ]
    write(comparison_document(result), tmp_path / "c.html")
    assert "TTFT" not in (tmp_path / "c.html").read_text()
