"""A visitor who may not change runs: looks at what is there, starts and stops nothing."""

import threading

import pytest
from sessions import on_stage, small, told, wait

from agents.run import run_scenario
from twin.views import keeping
from twin.views.public import public
from twin.views.session import Session


def never(*_args, **_kwargs):
    raise AssertionError("a run was started")


@pytest.fixture
def kept(tmp_path):
    run_scenario(small(), runs_dir=tmp_path, run_id="kept")
    return tmp_path


@pytest.fixture
def visitor(kept):
    session = Session(kept, never, allowed=False)
    yield session
    session.close()


def test_runs_are_looked_at_and_none_is_started(visitor, kept):
    visitor.open(["kept"])
    assert told(visitor) == ""
    visitor.start([small()])
    assert told(visitor) == public(keeping.REFUSED)
    assert on_stage(visitor) == ["kept"]
    assert [each.name for each in kept.iterdir()] == ["kept"]


def test_none_is_branched(visitor, kept):
    visitor.open(["kept"])
    assert told(visitor) == ""
    visitor.branch({"run": "kept", "step": 2, "fail": [1]})
    assert told(visitor) == public(keeping.REFUSED)
    assert on_stage(visitor) == ["kept"]
    assert [each.name for each in kept.iterdir()] == ["kept"]


def test_what_somebody_else_has_started_goes_on(tmp_path):
    go_on = threading.Event()

    def held(*args, **kwargs):
        go_on.wait(30)
        return run_scenario(*args, **kwargs)

    owner = Session(tmp_path, held, allowed=True)
    owner.start([small()])
    owner.close()
    visitor = Session(tmp_path, never, allowed=False)
    assert visitor.rejoin()
    visitor.cancel()
    go_on.set()
    wait(lambda: Session(tmp_path, never, allowed=False).runs.value)
    visitor.close()
