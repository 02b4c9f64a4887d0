"""What a page is told of a run when it asks, against the run's tables."""

import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from resealed import reseal

from agents.run import run_scenario
from twin.runs.store import open_run
from twin.runs.tables import SLOWEST
from twin.scenario import loader
from twin.views.questions import NOT_YET, answer

CHANGES = {
    "serving.mode": "requests",
    "requests.rate_per_s": 0.1,
    "requests.lengths": "lognormal",
    "requests.prompt_tokens": 20.0,
    "requests.output_tokens": 5.0,
    "requests.record_every": 1,
    "requests.patience_s": 40.0,
    "serving.chunk_tokens": 8,
    "simulation.steps": 30,
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    return run_scenario(loader.load("small", CHANGES), runs_dir=tmp_path_factory.mktemp("runs"))


def test_rows_come_in_order_page_by_page_what_is_not_known_last(asked):
    rows = asked.table("requests").to_pylist()
    told, page = [], 0
    while len(told) < len(rows):
        found = answer(asked, {"what": "requests", "by": "tpot_s", "down": False, "page": page})
        assert found["total"] == found["matched"] == len(rows)
        told += [row["tpot_s"] for row in found["rows"]]
        page += 1
    known = [t for t in told if t is not None]
    assert known == sorted(known)
    assert told == known + [None] * (len(told) - len(known))
    assert None in told


def test_a_requests_passes_take_the_time_that_its_row_says(asked):
    rows = [r for r in asked.table("requests").to_pylist() if r["cause"] is None]
    for row in rows[:20]:
        life = answer(asked, {"what": "request", "request": row["request"]})
        passes = np.array(life["passes"])
        chunks = -(-row["prompt_tokens"] // 8)
        assert len(passes) == chunks + row["output_tokens"] - 1
        assert passes[:, 1].sum() == row["prompt_tokens"] + row["output_tokens"] - 1
        # The way from the last service to the user comes on top.
        first_s, last_s = row["asked_s"] + row["ttft_s"], row["asked_s"] + row["e2e_s"]
        assert passes[:chunks, 3].max() == pytest.approx(first_s, abs=0.3)
        assert passes[:, 3].max() == pytest.approx(last_s, abs=0.3)
        assert life["end_s"] == last_s


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ({"what": "requests", "by": "speed"}, "by: 'speed': not one of"),
        ({"what": "requests", "page": -1}, "page: -1: must be a whole number"),
        ({"what": "requests", "site": "x"}, "site: 'x': no value of this column"),
        ({"what": "request", "request": 10**6}, "request 1000000: not among the"),
        ({"what": "secrets"}, "Something went wrong"),
    ],
)
def test_a_question_without_an_answer_is_told_why(asked, question, told):
    assert answer(asked, question)["wrong"].startswith(told)


def test_a_run_that_is_computed_is_asked_later():
    assert answer(None, {"what": "requests"}) == {"wrong": NOT_YET}


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    changes = {
        "simulation.record_tokens_per_step": 16,
        "faults.model": "exponential",
        "faults.availability": 0.9,
        "faults.mean_down_s": 300.0,
    }
    return run_scenario(loader.load("small", changes), runs_dir=tmp_path_factory.mktemp("runs"))


def test_the_slowest_layer_of_a_token_is_that_of_its_hops(followed):
    tokens = followed.table("tokens").to_pylist()
    told = {}
    for page in range(100):
        found = answer(followed, {"what": "tokens", "page": page})
        told |= {(row["step"], row["token"]): row for row in found["rows"]}
    assert len(told) == len(tokens) == found["total"]
    for token in tokens:
        row = told[token["step"], token["token"]]
        ends, took, before = {}, {}, 0.0
        for hop in token["hops"]:
            ends[hop["layer"]] = max(ends.get(hop["layer"], 0.0), hop["end_s"])
        for layer, end in ends.items():
            took[layer], before = end - before, end
        if not took:
            assert row["slowest_layer"] is None
            continue
        assert took[row["slowest_layer"]] == max(took.values())
        assert row["slowest_layer_s"] == pytest.approx(max(took.values()), rel=1e-5)
        last = [h for h in token["hops"] if h["end_s"] == ends[row["slowest_layer"]]]
        assert row["slowest_satellite"] in {h["source"] for h in last}


def test_tokens_are_chosen_by_cause_layer_and_satellite(followed):
    rows = answer(followed, {"what": "tokens"})["rows"]
    first = rows[0]
    for wanted in (
        {"layer": first["slowest_layer"]},
        {"satellite": first["slowest_satellite"]},
        {"layer": first["slowest_layer"], "cause": "served"},
    ):
        found = answer(followed, {"what": "tokens", **wanted})
        assert 0 < found["matched"] < found["total"]
        assert found["rows"][0] == first
        assert sum(n for _, n in found["marks"]) == found["matched"]
    lost = answer(followed, {"what": "tokens", "cause": "lost"})
    assert lost["matched"] == followed.table("tokens")["served"].to_pylist().count(False) > 0


def test_events_of_a_satellite_are_those_at_either_end(followed):
    table = followed.table("events").to_pylist()
    kind = "isl-down"
    mine = [e for e in table if e["kind"] == kind and 7 in (e["satellite"], e["other"])]
    found = answer(followed, {"what": "events", "kind": kind, "satellite": 7})
    assert found["matched"] == len(mine) > 0
    assert [e["t_s"] for e in found["rows"]] == sorted(e["t_s"] for e in mine)[:50]


def test_a_run_without_columns_of_slowest_layers_has_the_same_answers(followed, tmp_path):
    folder = tmp_path / followed.path.name
    shutil.copytree(followed.path, folder)
    table = followed.table("tokens")
    pq.write_table(table.drop_columns(list(SLOWEST)), folder / "tokens.parquet")
    reseal(folder)
    before = open_run(folder)
    assert before.table("tokens").column_names == [
        name for name in table.column_names if name not in SLOWEST
    ]
    for wanted in ({}, {"by": "slowest_layer_s"}, {"layer": 3}, {"satellite": 5}):
        question = {"what": "tokens", **wanted}
        assert answer(before, question) == answer(followed, question)
