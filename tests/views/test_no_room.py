"""What finds no room is refused in the form, before anything runs."""

import pytest
from sessions import small, told, wait

from agents.run import run_scenario
from twin.views.session import Session


@pytest.fixture
def session(tmp_path):
    made = Session(tmp_path, run_scenario, allowed=True)
    yield made
    made.close()


NO_ROOM = "compute.memory_gb=1e-6"


@pytest.mark.parametrize("others", [[], [small()]])
def test_a_model_that_finds_no_room_is_refused_before_anything_runs(session, tmp_path, others):
    heard = []
    session.start([*others, small(NO_ROOM)], heard.append)
    wait(lambda: heard)
    assert told(session) == ""
    assert "raise compute.memory_gb" in heard[0]
    assert session.shown.value == ()
    assert [*tmp_path.iterdir()] == []


def test_whoever_starts_a_run_hears_when_it_has_begun(session):
    heard = []
    session.start([small()], heard.append)
    wait(lambda: heard)
    assert heard == [""]
    assert told(session) == ""
