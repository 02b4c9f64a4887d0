"""Figures of requests: by hand from the tables of runs, in a settled one and in overload."""

import numpy as np
import pytest

from agents.run import run_scenario
from twin.errors import InputError
from twin.report.document import report
from twin.runs.steady import half_width_share, jain, mser5
from twin.runs.summary import summarise
from twin.scenario import loader

BASE = {
    "serving.mode": "requests",
    "compute.accounting": "full",
    "compute.gflops": 0.1,
    "requests.prompt_tokens": 20.0,
    "requests.output_tokens": 5.0,
    "requests.ttft_target_s": 1.15,
    "simulation.orbits": None,
    "simulation.step_s": 20.0,
    "simulation.steps": 60,
}
STEADY = {
    "requests.rate_per_s": 0.6,
    "requests.drain_s": 200.0,
    "ground.users": "cities",
    "simulation.seed": 4,  # with which MSER-5 finds a warm-up
}
CROWDED = {"requests.rate_per_s": 2.0, "serving.max_running": 5}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    runs = {}
    for name, changes in (("steady", STEADY), ("crowded", CROWDED)):
        scenario = loader.load("small", BASE | changes)
        runs[name] = run_scenario(scenario, runs_dir=tmp_path_factory.mktemp("runs"), run_id=name)
    return runs


def test_figures_are_of_requests_asked_from_the_warm_up_until_arrivals_stop(made):
    run = made["steady"]
    rows, figures = run.table("requests").to_pandas(), summarise(run)
    assert rows["asked_s"].max() < 1000.0
    # The answers that are inside at the end have all been made, and wait for a way to the user.
    unfinished = rows[rows["cause"] == "unfinished"]
    assert figures["requests_inside"] == len(unfinished) <= 5
    assert (unfinished["made_tokens"] == unfinished["output_tokens"]).all()
    served = rows[rows["cause"].isna()].sort_values("asked_s")
    cut = mser5(served["ttft_s"].to_numpy())
    warm_up_s = served["asked_s"].iloc[cut] if cut else 0.0
    assert figures["request_warm_up_s"] == warm_up_s
    counted = rows[rows["asked_s"] >= warm_up_s]
    assert figures["requests_counted"] == len(counted)
    assert 0 < cut < len(rows) / 2
    served = counted[counted["cause"].isna()]
    good = served[(served["ttft_s"] <= 1.15) & (served["tpot_s"] <= 2.0)]
    assert 0 < len(good) < len(served) < len(counted)
    waited = counted[counted["cause"] != "unserved"]
    by_hand = {
        "requests_served_share": len(served) / len(counted),
        "goodput_share": len(good) / len(counted),
        "goodput_per_s": len(good) / (1000.0 - warm_up_s),
        "request_ttft_p99_s": np.percentile(served["ttft_s"], 99),
        "request_e2e_mean_s": served["e2e_s"].mean(),
        "request_e2e_half_width_share": half_width_share(
            served.sort_values("asked_s")["e2e_s"].to_numpy()
        ),
        "wait_fairness": jain(waited.groupby("site")["waiting_s"].mean().to_numpy()),
        "oldest_wait_s": 1200.0 - unfinished["asked_s"].min(),
        "requests_overloaded": 0.0,
    }
    assert {name: figures[name] for name in by_hand} == pytest.approx(by_hand, rel=1e-12)


def test_who_is_not_served_at_the_end_misses_the_targets(made):
    run = made["crowded"]
    rows, figures = run.table("requests").to_pandas(), summarise(run)
    left = rows[rows["cause"] == "unfinished"]
    load = run.table("load").to_pandas().iloc[-1]
    assert len(left) >= load["running"] + load["waiting"] > 100
    assert sorted(rows["request"]) == list(range(len(rows)))
    assert figures["requests_overloaded"] == 1.0
    assert figures["request_warm_up_s"] == 0.0
    assert figures["requests_counted"] == len(rows)
    assert figures["requests_ended"] == len(rows) - len(left)
    good = (rows["ttft_s"] <= 1.15) & (rows["tpot_s"] <= 2.0)
    assert figures["goodput_share"] == pytest.approx(good.mean())
    oldest = left[left["ttft_s"].isna()]["asked_s"].min()
    assert figures["oldest_wait_s"] == pytest.approx(1200.0 - oldest)
    assert figures["requests_growth_per_s"] == pytest.approx(2.0 - 1.2, abs=0.5)
    made_in_steps = run.table("load").to_pandas()["tokens_out"].sum()
    assert figures["tokens_out_per_s"] == pytest.approx(made_in_steps / 1200.0)


def test_the_report_says_in_words_what_became_of_requests(made):
    crowded = str(report([made["crowded"].path]))
    assert "Overloaded: more is asked than can be served." in crowded
    steady = str(report([made["steady"].path]))
    assert "Overloaded" not in steady
    rows = made["steady"].table("requests").to_pandas()
    cut_off = int((rows["cause"] == "unserved").sum())
    share = 100 * cut_off / len(rows)
    assert f"the site on the ground had no satellite, or was changing it', {cut_off}, {share}" in (
        steady
    )
    assert "'unfinished', 'the run ended first'" in crowded
    assert "(MSER-5)" in steady
    assert "A run's mean time from end to end is known within" in steady
    assert "is known within" not in crowded
    both = str(report([run.path for run in made.values()]))
    assert "were served" in both


def test_what_changes_over_a_run_has_no_warm_up_and_a_closed_loop_no_overload(tmp_path):
    daily = {"requests.rate_per_s": 1.0, "requests.daily": 0.5}
    run = run_scenario(loader.load("small", BASE | daily), runs_dir=tmp_path, run_id="a")
    assert summarise(run)["request_warm_up_s"] == 0.0
    assert "figures are of a transient" in str(report([run.path]))
    closed = {"requests.arrivals": "closed", "requests.users": 400, "requests.drain_s": 100.0}
    run = run_scenario(loader.load("small", BASE | closed), runs_dir=tmp_path, run_id="b")
    assert summarise(run)["requests_overloaded"] == 0.0
    assert run.table("requests").to_pandas()["asked_s"].max() < 1100.0


def test_a_run_that_still_fills_is_not_called_overloaded(tmp_path):
    """Answers that take as long as the run, and satellites that have little to do."""
    filling = {"requests.rate_per_s": 0.5, "requests.output_tokens": 1e4, "compute.gflops": 10.0}
    run = run_scenario(loader.load("small", BASE | filling), runs_dir=tmp_path, run_id="a")
    assert run.table("load").to_pandas()["running"].iloc[-1] > 500
    assert summarise(run)["requests_overloaded"] is None
    assert "It cannot be said whether this could go on" in str(report([run.path]))


def test_a_run_that_finishes_nothing_for_all_its_work_is_overloaded(tmp_path):
    flood = {"requests.rate_per_s": 5.0, "requests.prompt_tokens": 2000.0, "compute.gflops": 0.01}
    run = run_scenario(loader.load("small", BASE | flood), runs_dir=tmp_path, run_id="a")
    figures = summarise(run)
    assert figures["requests_ended"] < 20
    assert figures["requests_overloaded"] == 1.0


def test_a_run_of_one_or_two_steps_has_what_figures_it_can(tmp_path):
    for steps in (1, 2):
        changes = BASE | STEADY | {"simulation.steps": steps, "requests.drain_s": 0.0}
        run = run_scenario(loader.load("small", changes), runs_dir=tmp_path, run_id=f"r{steps}")
        assert summarise(run)["requests_ended"] > 0
        assert report([run.path]).title


def test_arrivals_must_not_stop_before_they_begin(tmp_path):
    scenario = loader.load("small", BASE | {"requests.drain_s": 1200.0})
    with pytest.raises(InputError, match=r"requests\.drain_s: must be less than the 1200 s of"):
        run_scenario(scenario, runs_dir=tmp_path)
