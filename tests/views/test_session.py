"""What a session of the page computes, and how it ends."""

import threading
import time

import pytest
from sessions import PATIENCE_S, on_stage, small, told, wait

from agents.run import run_scenario
from twin.errors import InputError
from twin.scenario import loader
from twin.views import computing, limits
from twin.views.session import Session


def strategies(session):
    return [s.run.scenario.placement.strategy for s in session.shown.value if s.run]


@pytest.fixture
def session(tmp_path):
    made = Session(tmp_path, run_scenario, allowed=True)
    yield made
    made.close()


def test_a_run_is_on_stage_before_it_is_done(tmp_path):
    seen = []

    def watched(scenario, *, progress, **kwargs):
        def told(step, steps):
            if session.shown.value and not seen:
                session.shown.value[0].stream.want(1, lambda message: seen.append((step, message)))
            progress(step, steps)

        return run_scenario(scenario, progress=told, **kwargs)

    session = Session(tmp_path, watched, allowed=True)
    session.start([loader.load("small", ["simulation.steps=30"])])
    wait(lambda: session.work.value is None)
    assert seen
    assert seen[0][0] < 30


def test_a_run_that_is_done_is_in_the_list(session):
    session.start([small("placement.strategy=rand-intra")])
    assert session.work.value is not None
    wait(lambda: session.work.value is None)
    assert session.error.value == ""
    assert strategies(session) == ["rand-intra"]
    (listed,) = session.runs.value
    assert listed.manifest["run_id"] == session.shown.value[0].run_id


def test_several_runs_stand_side_by_side(session):
    session.start([small(), small("placement.strategy=rand-place")])
    wait(lambda: session.work.value is None)
    assert strategies(session) == ["space-xnet", "rand-place"]
    first, second = session.shown.value
    assert first.stream.key != second.stream.key


def test_a_run_can_be_put_beside_another_without_sending_that_again(session):
    session.start([small()])
    wait(lambda: session.work.value is None)
    session.start([small("placement.strategy=rand-place")])
    wait(lambda: session.work.value is None)
    (kept,) = session.shown.value
    other = next(r.manifest["run_id"] for r in session.runs.value if r.path != kept.run.path)
    session.open([kept.run_id, other])
    wait(lambda: session.work.value is None)
    assert session.shown.value[0].stream is kept.stream
    assert strategies(session) == ["rand-place", "space-xnet"]


def test_at_most_so_many_stand_side_by_side(session):
    session.start([small(f"simulation.seed={seed}") for seed in range(6)])
    wait(lambda: session.work.value is None)
    assert len(session.shown.value) == limits.MAX_SIDE_BY_SIDE
    assert len(session.runs.value) == limits.MAX_SIDE_BY_SIDE


def test_wrong_input_is_told_in_place(tmp_path):
    def refuse(scenario, **_):
        raise InputError("memory_gb: too small")

    session = Session(tmp_path, refuse, allowed=True)
    session.start([small()])
    wait(lambda: session.work.value is None)
    assert session.error.value == "memory_gb: too small"
    assert session.shown.value == ()


def test_a_fault_is_told_without_its_details(tmp_path, caplog):
    def fail(scenario, **_):
        raise ZeroDivisionError("secret")

    session = Session(tmp_path, fail, allowed=True)
    session.start([small()])
    wait(lambda: session.work.value is None)
    assert "secret" not in session.error.value
    assert "went wrong" in session.error.value
    assert "secret" in caplog.text


def test_a_note_of_what_else_was_asked_for_outlives_the_work(tmp_path):
    noted = threading.Event()

    def slow(scenario, **kwargs):
        assert noted.wait(PATIENCE_S)
        return run_scenario(scenario, **kwargs)

    session = Session(tmp_path, slow, allowed=True)
    session.start([small()])
    session.note("Run a is no longer here.")
    noted.set()
    wait(lambda: session.work.value is None)
    assert session.error.value == "Run a is no longer here."


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_work_stops_when_nobody_waits_for_it(tmp_path, end, monkeypatch):
    monkeypatch.setattr(computing, "GRACE_S", 0.0)
    asked, stopped = threading.Event(), threading.Event()

    def endless(scenario, *, progress, cancelled, **_):
        progress(1, 10)
        asked.set()
        while not cancelled():
            time.sleep(0.005)
        stopped.set()
        raise RuntimeError("cancelled")

    session = Session(tmp_path, endless, allowed=True)
    session.start([small()])
    assert asked.wait(PATIENCE_S)
    getattr(session, end)()
    assert stopped.wait(PATIENCE_S)
    assert session.shown.value == ()
    assert session.error.value == ""
    if end == "cancel":
        assert session.work.value is None


def test_a_cancelled_run_stays_on_stage_as_far_as_it_got(tmp_path, unpack):
    session = Session(tmp_path, run_scenario, allowed=True)
    session.start([loader.load("small", ["simulation.steps=100000"])])
    wait(lambda: session.shown.value)
    session.cancel()
    got = []

    def last():
        session.shown.value[0].stream.want(len(got), lambda m: got.append(unpack(m)[0]["meta"]))
        return len(got) > 1 and got[-1]["last"]

    wait(last)
    assert 0 < sum(meta.get("count", 0) for meta in got) < 400


def test_new_work_takes_the_place_of_old(tmp_path):
    stopped = []

    def slow(scenario, *, cancelled, **kwargs):
        if scenario.placement.strategy == "rand-place":
            while not cancelled():
                time.sleep(0.005)
            stopped.append(True)
            raise RuntimeError("cancelled")
        return run_scenario(scenario, cancelled=cancelled, **kwargs)

    session = Session(tmp_path, slow, allowed=True)
    session.start([small("placement.strategy=rand-place")])
    session.start([small()])
    wait(lambda: session.work.value is None)
    assert stopped == [True]
    assert strategies(session) == ["space-xnet"]


def test_sessions_wait_for_each_other(tmp_path):
    go, at_work, most = threading.Event(), [], []
    lock = threading.Lock()

    def busy(scenario, **kwargs):
        with lock:
            at_work.append(1)
            most.append(len(at_work))
        go.wait(PATIENCE_S)
        with lock:
            at_work.pop()
        return run_scenario(scenario, **kwargs)

    sessions = [Session(tmp_path / str(k), busy, allowed=True) for k in range(4)]
    for session in sessions:
        session.start([small()])
    wait(
        lambda: any("others are computing" in s.work.value.label for s in sessions if s.work.value)
    )
    go.set()
    wait(lambda: all(s.work.value is None for s in sessions))
    assert max(most) == 2
    assert all(len(s.runs.value) == 1 for s in sessions)


def test_a_run_that_takes_too_long_is_stopped_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_RUN_S", 0.05)
    session = Session(tmp_path, run_scenario, allowed=True)
    session.start([loader.load("small", ["simulation.steps=100000"])])
    wait(lambda: session.work.value is None)
    assert "the longest that the page computes" in session.error.value


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["constellation.planes=150", "constellation.satellites_per_plane=150"], "satellites are"),
        (["simulation.steps=1000000"], "simulation.steps: 48,000,000 satellites times steps"),
        (["workload.tokens_per_step=100000"], "workload.tokens_per_step"),
        (["simulation.record_tokens_per_step=65"], "simulation.record_tokens_per_step"),
    ],
)
def test_what_is_too_large_for_a_page_is_refused(session, overrides, said):
    session.start([loader.load("small", overrides)])
    assert said in session.error.value
    assert session.work.value is None


def test_progress_is_told(tmp_path):
    def watched(scenario, *, progress, **kwargs):
        def told(step, steps):
            progress(step, steps)
            wait(lambda: any(label.startswith(words) for label in labels))

        return run_scenario(scenario, progress=told, **kwargs)

    words, labels = "Running small with space-xnet: step", []
    session = Session(tmp_path, watched, allowed=True)
    session.work.subscribe(lambda work: labels.append(work.label if work else ""))
    session.start([small()])
    wait(lambda: session.work.value is None)
    assert any(label.startswith(words) for label in labels)
    session.close()


@pytest.mark.parametrize(
    "make", [lambda runs: runs.touch(), lambda runs: runs.symlink_to("nowhere")]
)
def test_a_folder_of_runs_that_is_none_is_told(tmp_path, make):
    make(tmp_path / "runs")
    session = Session(tmp_path / "runs", run_scenario, allowed=True)
    session.start([small()])
    assert "cannot be made" in told(session)
    assert str(tmp_path) not in session.error.value


def test_two_sessions_that_start_in_the_same_second_both_get_a_run(tmp_path):
    for _ in range(5):
        sessions = [Session(tmp_path, run_scenario, allowed=True) for _ in range(2)]
        for session in sessions:
            session.start([small()])
        assert [told(session) for session in sessions] == ["", ""]
        first, second = (on_stage(session) for session in sessions)
        assert first != second
        assert all((tmp_path / name / "steps.parquet").is_file() for name in (*first, *second))


def test_a_run_outlives_its_tab_and_is_found_again(tmp_path, unpack):
    go = threading.Event()

    def held(scenario, *, progress, **kwargs):
        def wait_halfway(step, steps):
            progress(step, steps)
            assert step < 3 or go.wait(PATIENCE_S)

        return run_scenario(scenario, progress=wait_halfway, **kwargs)

    first = Session(tmp_path, held, allowed=True)
    first.start([small()])
    wait(lambda: first.shown.value)
    (run_id,) = on_stage(first)
    first.close()
    second = Session(tmp_path, held, allowed=True)
    second.open([run_id])
    wait(lambda: second.shown.value)
    assert on_stage(second) == [run_id]
    assert [name for name, _ in second.running()] == [run_id]
    go.set()
    assert told(second) == ""
    assert second.shown.value[0].run is not None
    got = []
    while not (got and got[-1].get("last")):
        second.shown.value[0].stream.want(len(got), lambda m: got.append(unpack(m)[0]["meta"]))
    assert sum(meta.get("count", 0) for meta in got) == 4


def test_a_run_that_nobody_looks_at_makes_way_for_others(tmp_path, monkeypatch):
    monkeypatch.setattr(computing, "RELOAD_S", 0.0)

    def endless(scenario, *, cancelled, **kwargs):
        if scenario.placement.strategy == "space-xnet":
            return run_scenario(scenario, cancelled=cancelled, **kwargs)
        while not cancelled():
            time.sleep(0.005)
        raise RuntimeError("cancelled")

    gone = [Session(tmp_path, endless, allowed=True) for _ in range(2)]
    for session in gone:
        session.start([small("placement.strategy=rand-place")])
    wait(lambda: all(s.work.value.label.startswith("Running") for s in gone))
    for session in gone:
        session.close()
    other = Session(tmp_path, endless, allowed=True)
    other.start([small()])
    assert told(other) == ""
    assert strategies(other) == ["space-xnet"]


@pytest.mark.parametrize("text", ["soon", "-1", "inf", "nan"])
def test_a_grace_that_is_none_is_refused_by_its_name(text):
    with pytest.raises(InputError, match=f"ORBITAL_TWIN_GRACE_S: {text}: must be seconds"):
        computing._grace_s(text)


def test_one_of_two_who_look_cannot_stop_a_run_for_the_other(tmp_path):
    go = threading.Event()

    def held(scenario, *, progress, **kwargs):
        def wait_at_first(step, steps):
            progress(step, steps)
            assert step < 3 or go.wait(PATIENCE_S)

        return run_scenario(scenario, progress=wait_at_first, **kwargs)

    first, second = Session(tmp_path, held, allowed=True), Session(tmp_path, held, allowed=True)
    first.start([small()])
    wait(lambda: first.shown.value)
    second.open(on_stage(first))
    wait(lambda: second.shown.value)
    second.cancel()
    go.set()
    assert told(first) == ""
    assert strategies(first) == ["space-xnet"]
