"""What if, from now on: a branch of a run that is being mirrored."""

import numpy as np
import pytest
from live_runs import STEPS, followed_to
from sessions import on_stage, told, wait

from agents.fork import MIRRORS, fork
from agents.run import run_scenario
from agents.state import TwinState
from twin.errors import InputError
from twin.runs.store import START
from twin.views.session import Session
from twin.world import state as states


def test_a_branch_begins_where_the_mirror_is_with_what_it_has_estimated(live_lines, tmp_path):
    session = Session(tmp_path, run_scenario, allowed=True)
    with followed_to(live_lines, tmp_path, share=0.5) as live:
        session.open([])
        wait(lambda: session.shown.value)
        change = {"outages.availability": 0.8}
        # Whatever step is on screen: what was reported cannot be computed again.
        session.branch({"run": live.run_id, "step": 3, "set": change, "fail": [4]})
        wait(lambda: len(session.shown.value) == 2 and session.shown.value[1].run is not None)
        assert session.error.value == ""
        mirrored, branch = session.shown.value
        now = live.newest.twin.step
        assert (mirrored.run_id, mirrored.run) == (live.run_id, None)
        assert 20 < branch.run.first_step == now < STEPS - 20
        assert branch.label.split(" · ")[2] == f"P0S4 lost, link availability 0.8 from step {now}"
        assert branch.run.manifest["forked"]["run"] == live.run_id
        assert len(branch.run.table("steps")) == STEPS - now
        begun = states.read(branch.run.path / START, TwinState, part=True)
        x = live.newest.mirror.filter.x
        np.testing.assert_array_equal(begun.energy.soc, live.newest.twin.energy.soc)
        np.testing.assert_allclose(begun.energy.own, [1 / x[:, 1], x[:, 2], x[:, 3]], rtol=0.05)
        assert not begun.controller.reported
    session.close()


def test_a_run_that_was_mirrored_cannot_be_computed_again(live_run):
    with pytest.raises(InputError, match=MIRRORS[:30]):
        fork(live_run, 10)
    session = Session(live_run.path.parent, run_scenario, allowed=True)
    session.open([live_run.path.name])
    assert told(session) == ""
    session.branch({"run": live_run.path.name, "step": 10, "fail": [1]})
    assert "mirrors telemetry" in told(session)
    assert on_stage(session) == [live_run.path.name]
    session.close()
