"""A live run on stage while another process mirrors it: the frames of the run that it becomes."""

import numpy as np
import pytest
from live_runs import STEPS, mirrored
from sessions import wait

from twin.views import following, telemetry, trace
from twin.views.following import Followed
from twin.views.mirrored import growing, written
from twin.views.questions import NOT_YET, answer
from twin.views.session import Session

SAME = ("sun", "figures", "state", "event_t_s", "latency_s", "placement_satellite", "quantiles_s")


def taken(feed, unpack):
    """Metas of all messages of a feed, and arrays of its frames, joined."""
    messages = [feed._messages[number] for number in sorted(feed._messages)]
    headers, arrays = zip(*(unpack(message) for message in messages), strict=True)
    names = arrays[1].keys()
    metas = [header["meta"] for header in headers]
    chunks = [each for each, meta in zip(arrays, metas, strict=True) if meta.get("count")]
    return metas, {name: np.concatenate([chunk[name] for chunk in chunks]) for name in names}


@pytest.fixture(scope="module")
def followed(live_lines, tmp_path_factory):
    """A live run that was followed while it was mirrored, what was seen, and the run."""
    root, seen = tmp_path_factory.mktemp("runs"), []

    def look():
        for run_id in growing(root):
            mine = seen[0][0] if seen else Followed(root, run_id)
            assert not mine._look()
            told = answer(None, {"what": "live"}, live=mine)
            seen.append((mine, written(root), mine.status(), mine.work, told))

    run = mirrored(live_lines, root, look)
    assert seen[-1][0]._look()
    return seen, run


def test_frames_come_while_it_is_mirrored_and_are_those_of_the_run(followed, unpack, replayed):
    seen, run = followed
    (computed,) = seen[0][0].runs
    assert computed.feed.whole
    assert computed.run.path == run.path
    metas, found = taken(computed.feed, unpack)
    assert metas[0]["live"]
    assert len(metas) > 5
    frames = replayed(run)
    assert len(found["steps"]) == len(frames) == STEPS
    _, whole = unpack(trace.chunk(frames, first=0, last=True))
    for name in SAME:
        np.testing.assert_array_equal(found[name], whole[name], err_msg=name)


def test_it_says_how_far_the_mirror_is(followed):
    seen, run = followed
    assert seen[0][2] == {}
    assert run.path.name in seen[0][3].label
    _, writing, status, work, _ = seen[-1]
    assert (writing, work) == ([run.path.name], None)
    assert status["mirroring"]
    assert 0 < status["step"] < STEPS
    # A step is closed when the fleet's clock is past it by the grace.
    assert 0.0 <= status["behind_s"] < 300.0
    assert status["age_s"] < 60.0 > status["heard_s"]
    assert not written(run.path.parent)


def test_its_question_is_answered_before_and_after_its_end(followed):
    seen, run = followed
    before = seen[-1][-1]
    assert (before["complete"], before["may"]) == (False, False)
    assert before["step"] == seen[-1][2]["step"]
    # Also by a page that has followed it to its end.
    assert answer(None, {"what": "live"}, live=seen[0][0])["complete"]
    found = answer(run, {"what": "live"}, allowed=True)
    assert (found["complete"], found["mirroring"], found["may"]) == (True, False, True)
    assert answer(None, {"what": "notes"}, live=seen[0][0]) == {"wrong": NOT_YET}


def test_a_page_opens_what_is_being_mirrored_and_gets_the_complete_run(live_lines, tmp_path):
    session = Session(tmp_path, lambda: None, allowed=False)
    opened = []

    def look():
        if not growing(tmp_path) or opened:
            return
        session.open([])
        opened.append(session._batch)

    mirrored(live_lines, tmp_path, look, every=800)
    assert isinstance(opened[0], Followed)
    assert opened[0].ended.wait(60)
    assert following.of(tmp_path, [opened[0].run_id]) is None
    wait(lambda: session.shown.value and session.shown.value[0].run is not None)
    (shown,) = session.shown.value
    assert shown.run.path.name == opened[0].run_id
    session.close()


@pytest.mark.parametrize("name", ["..", "no-such-run", "a/b"])
def test_names_that_are_no_live_run_are_not_followed(tmp_path, name):
    assert following.follow(tmp_path, [name]) is None


def test_every_question_of_live_runs_has_an_answer_and_of_others_none(followed, run):
    _, mine = followed
    for what in set(telemetry.ANSWERS) - {"alarm"}:
        assert "wrong" not in answer(mine, {"what": what, "satellite": 0})
        assert answer(run, {"what": what, "satellite": 0}) == {"wrong": "this is no live run"}
