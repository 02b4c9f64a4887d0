"""What a page is told of a run when it asks, against the run's tables."""

import numpy as np
import pytest

from agents.run import run_scenario
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
