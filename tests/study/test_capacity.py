"""The most load within deadlines, found by bisection."""

import pytest

from twin.moe.inference import inference
from twin.scenario import loader
from twin.serving.demand import request_work_s
from twin.study import capacity as module
from twin.study.capacity import bound_per_s, capacity, loaded
from twin.study.cases import Case
from twin.study.kept import Kept
from twin.study.pool import Pool
from twin.study.trials import KEPT, run_trial, under

POOL = Pool(workers=1)


def asked(prompt, output, **changes):
    fields = {"serving.mode": "requests", "compute.accounting": "full"}
    fields["requests.prompt_tokens"] = prompt
    return loader.load("paper", fields | {"requests.output_tokens": output} | changes)


def test_the_bound_is_what_a_token_takes_of_all_satellites():
    """SERVING: 1,143 tokens/s at no context with the head, 1,192 without; without routers."""
    scenario = asked(1, 1)
    model = inference(scenario)
    work_s = request_work_s(scenario, model)
    parts = model.times
    head_s = parts.token_s[-2]
    assert bound_per_s(scenario) == pytest.approx(1056 / work_s)
    assert 1056 / (work_s - head_s - parts.score_s.sum()) == pytest.approx(1192, rel=0.003)
    assert 1056 / (work_s - parts.score_s.sum()) == pytest.approx(1143, rel=0.003)


def test_lengths_that_vary_cost_more_context():
    fixed = asked(1000, 200)
    varied = asked(1000, 200, **{"requests.lengths": "lognormal", "requests.prompt_cv": 1.0})
    model = inference(fixed)
    more_s = request_work_s(varied, model) - request_work_s(fixed, model)
    square = 1000.0**2 + (varied.requests.output_cv * 200.0) ** 2
    assert more_s == pytest.approx(square / 2 * model.times.score_s.sum(), rel=1e-9)


@pytest.fixture
def case():
    scenario = loader.load("serving-study", {"requests.rate_per_s": 0.01})
    return Case(name="one", scenario=scenario)


def answers(monkeypatch, share_at, *, log=None):
    """Let runs have the share that a function of load and replicate says."""

    def run(scenario, replicate, targets):
        load = scenario.requests.rate_per_s / 0.01
        if log is not None:
            log.append((load, replicate))
        figures = dict.fromkeys(KEPT, 1.0) | {"goodput_share": share_at(load, replicate)}
        figures["requests_counted"] = 100.0 * load
        return {"error": None, "figures": [figures for _ in targets]}

    monkeypatch.setattr(module, "run_trial", run)


def search(case, path, **changes):
    plain = {"share": 0.95, "replicates": 2, "most_replicates": 6, "within": 0.05, "pool": POOL}
    return capacity([case], kept=Kept(path), **plain | changes)[0]


@pytest.mark.parametrize("edge", [0.03, 0.9, 1.0, 3.7, 100.0])
def test_the_bracket_holds_the_edge(case, monkeypatch, tmp_path, edge):
    answers(monkeypatch, lambda load, _: 1.0 if load <= edge else 0.5)
    found = search(case, tmp_path / "kept")
    assert found.carried.load <= edge < found.refused.load
    assert found.refused.load <= found.carried.load * 1.05


def test_what_intervals_do_not_decide_is_run_again_and_is_not_carried(case, monkeypatch, tmp_path):
    log = []

    def share(load, replicate):
        return 1.0 if load < 2.0 else 0.95 + (0.04 if replicate % 2 else -0.04)

    answers(monkeypatch, share, log=log)
    found = search(case, tmp_path / "kept")
    assert sum(load == 2.0 for load, _ in log) == 6
    assert sum(load == 1.0 for load, _ in log) == 2
    assert found.refused.load == pytest.approx(2.0)


def test_a_search_goes_on_where_it_was_interrupted(case, monkeypatch, tmp_path):
    log = []
    answers(monkeypatch, lambda load, _: 1.0 if load <= 3.0 else 0.0, log=log)
    whole = search(case, tmp_path / "kept")
    runs = len(log)
    text = (tmp_path / "kept").read_text()
    (tmp_path / "kept").write_text(text[: int(0.6 * len(text))])
    log.clear()
    again = search(case, tmp_path / "kept")
    assert 0 < len(log) < runs
    assert again.carried.load == whole.carried.load
    log.clear()
    search(case, tmp_path / "kept")
    assert log == []


def test_a_load_scales_what_is_asked():
    scenario = loader.load("serving-study")
    assert loaded(scenario, 3.0).requests.rate_per_s == 3.0 * scenario.requests.rate_per_s
    closed = loader.load("serving-study", {"requests.arrivals": "closed", "requests.daily": 0.0})
    assert loaded(closed, 2.5).requests.users == round(2.5 * closed.requests.users)


def test_nothing_is_carried_where_nothing_is_ever_good(case, monkeypatch, tmp_path):
    log = []
    answers(monkeypatch, lambda *_: 0.0, log=log)
    found = search(case, tmp_path / "kept")
    assert found.carried is None
    assert found.refused.load == 1 / 64  # the first at which a run has fewer than two requests
    assert min(load for load, _ in log) == found.refused.load


def test_one_run_is_looked_at_under_every_target():
    fields = {
        "serving.mode": "requests",
        "requests.prompt_tokens": 20,
        "requests.output_tokens": 10,
        "requests.rate_per_s": 0.05,
        "simulation.steps": 12,
    }
    plain = loader.load("small", fields)
    both = ((5.0, 0.5), (60.0, 2.0))
    together = run_trial(plain, 0, both)["figures"]
    alone = [run_trial(under(plain, each), 0, (each,))["figures"][0] for each in both]
    assert together == alone
    assert together[0]["goodput_share"] < together[1]["goodput_share"]


def test_cases_that_differ_in_targets_share_runs(case, monkeypatch, tmp_path):
    log = []
    answers(monkeypatch, lambda load, _: 1.0 if load <= 3.0 else 0.0, log=log)
    other = Case(name="other", scenario=under(case.scenario, (7.0, 7.0)))
    plain = {"share": 0.95, "replicates": 2, "most_replicates": 6, "within": 0.05, "pool": POOL}
    found = capacity([case, other], kept=Kept(tmp_path / "kept"), **plain)
    assert len(log) == len(set(log))
    assert found[0].carried.load == found[1].carried.load
