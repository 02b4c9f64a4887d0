"""What an interruption leaves of a comparison, and what its results depend on."""

import json

import pytest

from twin.registry import PLUGIN_TEXTS
from twin.scenario import loader
from twin.study.kept import Kept, forget, keys_of, open_kept
from twin.study.pool import Pool

CALLS = []


def job(number):
    CALLS.append(number)
    if number == 3 and CALLS.count(3) == 1:
        raise KeyboardInterrupt
    return {"x": 0.1 * number, "y": None}


def test_what_has_ended_is_not_done_again(tmp_path):
    CALLS.clear()
    path = tmp_path / "runs" / "k.jsonl"
    arguments, keys = [(i,) for i in range(5)], list("abcde")
    with pytest.raises(KeyboardInterrupt) as caught:
        Pool(workers=1).map(
            job, arguments, keys=keys, kept=open_kept(path, resume=False), advice="go on"
        )
    assert caught.value.__notes__ == ["3 of 5 were done and are kept; go on"]
    told = []
    kept = open_kept(path, resume=True)
    pool = Pool(workers=1, progress=lambda *done: told.append(done))
    found = pool.map(job, arguments, keys=keys, kept=kept)
    assert found == [{"x": 0.1 * i, "y": None} for i in range(5)]
    assert CALLS == [0, 1, 2, 3, 3, 4]
    assert told == [(3, 5), (4, 5), (5, 5)]
    forget(path)
    assert not path.parent.exists()


def test_without_resume_nothing_of_before_is_used(tmp_path):
    path = tmp_path / "k.jsonl"
    path.write_text("\n" + json.dumps({"key": "a", "result": {"result": 1}}) + "\n{broken")
    assert "a" in Kept(path)
    assert "a" in open_kept(path, resume=True)
    assert "a" not in open_kept(path, resume=False)


def test_a_result_depends_on_scenario_replicate_and_plug_ins(monkeypatch):
    small = loader.load("small")
    other = loader.load("small", ["outages.availability=0.9"])
    keys = keys_of([small, other], 2)
    assert len(set(keys)) == 4
    assert keys_of([small], 1) == keys[:1]
    monkeypatch.setitem(PLUGIN_TEXTS, "mine.py", "x = 1")
    assert keys_of([small], 1) != keys[:1]
