"""Alarms of a live run: grouped by cause, acknowledged, shelved; by who may."""

import json

import pytest
from live_runs import STEPS, followed_to

from twin.live import handled
from twin.live.record import FOLDER
from twin.views import keeping
from twin.views.public import public
from twin.views.questions import answer
from twin.vocabulary.live import AlarmKind


@pytest.fixture
def run(live_run):
    yield live_run
    (live_run.path / FOLDER / handled.NAME).unlink(missing_ok=True)


def ask(run, **more):
    return answer(run, {"what": "alarms", **more}, allowed=True)


def act(run, *, allowed=True, **more):
    return answer(run, {"what": "alarm", **more}, allowed=allowed)


def of_satellite(run, live):
    """Estimates while it is mirrored are those that the run has in the end."""
    now, end = (
        answer(run, {"what": "estimates", "satellite": 7}, live=live) for run, live in
        ((None, live), (run, None))
    )  # fmt: skip
    count = len(now["steps"])
    assert 8 < count <= len(end["steps"])
    assert now["steps"] == end["steps"][:count] == list(range(0, 5 * count, 5))
    for name in ("capacity", "array_sd", "residual_power_w", "residual_power_sd_w"):
        assert now[name] == end[name][:count]
    wrong = answer(None, {"what": "estimates", "satellite": 48}, live=live)["wrong"]
    assert wrong == "satellite: 48: there are 0 to 47"


def rows(found):
    return [row for kind in found["kinds"] for row in kind["rows"]]


def test_alarms_are_grouped_by_cause_with_what_was_measured(run):
    found = ask(run)
    (silent,) = [kind for kind in found["kinds"] if kind["kind"] == AlarmKind.SILENT]
    assert silent["sentence"] == AlarmKind.SILENT.sentence
    assert silent["count"] == silent["open"] == len(silent["rows"]) == 2
    kept = run.table("events").to_pylist()
    alarms = [e for e in kept if e["kind"] == "alarm" and e["cause"] == AlarmKind.SILENT]
    told = {(row["satellite"], row["t_s"]) for row in silent["rows"]}
    assert told == {(event["satellite"], event["t_s"]) for event in alarms}
    for row in silent["rows"]:
        assert (row["unit"], row["limit"], row["spread"]) == ("s", 2700.0, None)
        assert row["residual"] > row["limit"]
    assert answer(run, {"what": "live"})["alarms"] == [found["open"]] * 2


def test_an_alarm_is_acknowledged_for_good(run):
    first, *others = rows(ask(run))
    found = act(run, acknowledge=[first["name"]])
    assert found["open"] == len(others)
    (mine,) = [row for row in rows(found) if row["name"] == first["name"]]
    assert mine["acknowledged"].endswith("Z")
    # The same again changes nothing, and what is open comes first.
    assert act(run, acknowledge=[first["name"]]) == found == ask(run)
    assert rows(found)[-1]["name"] == first["name"]
    assert answer(run, {"what": "live"})["alarms"] == [1 + len(others), len(others)]


def test_a_source_is_shelved_and_put_back(run):
    first = rows(ask(run))[0]
    found = act(run, shelve=first["source"])
    (mine,) = [row for row in rows(found) if row["name"] == first["name"]]
    assert mine["shelved_s"] == STEPS * 60.0 + 6 * 3600.0
    assert rows(act(run, back=first["source"]))[0]["shelved_s"] is None
    # Its time comes.
    handled.shelve(run.path, first["source"], STEPS * 60.0)
    assert ask(run)["open"] == len(rows(ask(run)))


def test_who_may_not_looks_only(run):
    first = rows(ask(run))[0]
    for change in ({"acknowledge": [first["name"]]}, {"shelve": first["source"]}):
        assert act(run, allowed=False, **change) == {"wrong": public(keeping.REFUSED)}
    assert not (run.path / FOLDER / handled.NAME).exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [({}, "alarm:"), ({"acknowledge": "all"}, "acknowledge:"), ({"shelve": 3}, "shelve:"),
     ({"acknowledge": []}, "acknowledge:"), ({"acknowledge": ["a:1:2:3"]}, "a:1:2:3"),
     ({"back": "x"}, "x")],
)  # fmt: skip
def test_what_is_no_alarm_is_refused(run, change, named):
    assert named in act(run, **change)["wrong"]
    assert not (run.path / FOLDER / handled.NAME).exists()


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"acknowledged": 3}', '{"acknowledged": {}, "shelved": {"a": "b"}}', "[" * 9999],
)  # fmt: skip
def test_a_file_that_is_none_is_as_if_nothing_was_done(run, text):
    (run.path / FOLDER / handled.NAME).write_text(text)
    assert handled.read(run.path) == handled.Handled()
    first = rows(ask(run))[0]
    act(run, acknowledge=[first["name"]])
    assert (
        first["name"] in json.loads((run.path / FOLDER / handled.NAME).read_text())["acknowledged"]
    )


def test_what_is_done_while_it_is_mirrored_stays_with_the_run(live_run, live_lines, tmp_path):
    with followed_to(live_lines, tmp_path, share=0.95) as live:
        found = answer(None, {"what": "alarms"}, live=live)
        first = rows(found)[0]
        assert first["stands"] is True
        asked = {"what": "alarm", "acknowledge": [first["name"]]}
        assert answer(None, asked, allowed=True, live=live)["open"] == found["open"] - 1
        of_satellite(live_run, live)
    assert list(handled.read(live.folder).acknowledged) == [first["name"]]
    assert not live.folder.name.endswith(".partial")
