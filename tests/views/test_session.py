import threading
import time

import pytest

from twin.errors import InputError
from twin.scenario import loader
from twin.study.run import run_scenario
from twin.views.session import Session

PATIENCE_S = 60.0


def wait(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


@pytest.fixture
def session(tmp_path):
    made = Session(tmp_path, run_scenario)
    yield made
    made.close()


def test_a_run_is_shown_when_it_is_done(session):
    session.start("small", "rand-intra")
    assert session.work.value is not None
    wait(lambda: session.work.value is None)
    view = session.view.value
    assert session.error.value == ""
    assert view.trace.meta.strategy == "rand-intra"
    assert [r.manifest["run_id"] for r in session.runs.value] == [view.run.manifest["run_id"]]


def test_a_run_of_the_list_is_opened(tmp_path):
    run = run_scenario(loader.load("small", ["simulation.steps=3"]), runs_dir=tmp_path)
    session = Session(tmp_path, run_scenario)
    session.open(run.manifest["run_id"])
    wait(lambda: session.view.value is not None)
    assert len(session.view.value.trace.positions) == 3


def test_nothing_outside_the_list_is_opened(tmp_path):
    run_scenario(loader.load("small", ["simulation.steps=2"]), runs_dir=tmp_path / "elsewhere")
    session = Session(tmp_path / "runs", run_scenario)
    outside = next((tmp_path / "elsewhere").iterdir())
    for name in (str(outside), f"../elsewhere/{outside.name}", "..", ""):
        session.open(name)
        assert session.work.value is None


def test_wrong_input_is_told_in_place(tmp_path):
    def refuse(scenario, **_):
        raise InputError("memory_gb: too small")

    session = Session(tmp_path, refuse)
    session.start("small", "space-xnet")
    wait(lambda: session.work.value is None)
    assert session.error.value == "memory_gb: too small"
    assert session.view.value is None


def test_an_unknown_strategy_is_told_in_place(session):
    session.start("small", "best-of-all")
    wait(lambda: session.work.value is None)
    assert "best-of-all" in session.error.value
    assert "space-xnet" in session.error.value


def test_a_fault_is_told_without_its_details(tmp_path, caplog):
    def fail(scenario, **_):
        raise ZeroDivisionError("secret")

    session = Session(tmp_path, fail)
    session.start("small", "space-xnet")
    wait(lambda: session.work.value is None)
    assert "secret" not in session.error.value
    assert "went wrong" in session.error.value
    assert "secret" in caplog.text


@pytest.mark.parametrize("end", ["cancel", "close"])
def test_work_stops_when_nobody_waits_for_it(tmp_path, end):
    asked, stopped = threading.Event(), threading.Event()

    def endless(scenario, *, runs_dir, progress, cancelled):
        progress(1, 10)
        asked.set()
        while not cancelled():
            time.sleep(0.005)
        stopped.set()
        raise RuntimeError("cancelled")

    session = Session(tmp_path, endless)
    session.start("small", "space-xnet")
    assert asked.wait(PATIENCE_S)
    getattr(session, end)()
    assert stopped.wait(PATIENCE_S)
    assert session.view.value is None
    assert session.error.value == ""
    if end == "cancel":
        assert session.work.value is None


def test_new_work_takes_the_place_of_old(tmp_path):
    stopped = []

    def slow(scenario, *, runs_dir, progress, cancelled):
        if scenario.placement.strategy == "rand-place":
            while not cancelled():
                time.sleep(0.005)
            stopped.append(True)
            raise RuntimeError("cancelled")
        return run_scenario(scenario, runs_dir=runs_dir, progress=progress, cancelled=cancelled)

    session = Session(tmp_path, slow)
    session.start("small", "rand-place")
    session.start("small", "space-xnet")
    wait(lambda: session.view.value is not None)
    assert stopped == [True]
    assert session.view.value.trace.meta.strategy == "space-xnet"


def test_progress_is_told(tmp_path):
    session = Session(tmp_path, run_scenario)
    told = []
    session.work.subscribe(told.append)
    session.start("small", "space-xnet")
    wait(lambda: session.view.value is not None)
    labels = [work.label for work in told if work]
    assert any(label.startswith("Running small with space-xnet") for label in labels)
    assert any(label.startswith("Preparing the picture") for label in labels)
