"""Plug-ins that exit, print, die or return what wraps: named in one line, and nothing is harmed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from agents.model import TwinModel
from twin.cli import child
from twin.errors import InputError
from twin.plugins import load_plugins
from twin.plugins.choices import load_scenario
from twin.runs.figures import FIGURES

HEAD = """
import os, sys
from dataclasses import replace
import numpy as np
from placement.strategies.space_xnet import compact_random
from twin.energy.bus import BUS_PROFILES
from twin.moe.boards import BOARDS
from twin.moe.presets import MODEL_CARDS
from twin.plugins import register
from twin.runs.run_figure import RunFigure
from twin.vocabulary import Event, Lane

def usual(problem):
    return compact_random(problem, rng=np.random.default_rng(0))

def with_expert(problem, kind, number):
    placement = usual(problem)
    expert = placement.expert.astype(kind)
    expert[0, 0] = number
    return replace(placement, expert=expert)

"""
LINE = HEAD.count("\n") + 3
"""Of a strategy's body."""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write mine.py in an empty current folder, after what all plug-ins here share."""
    monkeypatch.chdir(tmp_path)
    return lambda text: Path("mine.py").write_text(HEAD + text, encoding="utf-8")


def strategy(body):
    return f"@register.strategy('mine')\ndef mine(problem, *, rng):\n    {body}\n"


def planned(**changes):
    model = TwinModel(load_scenario("small", {"placement.strategy": "mine"} | changes))
    model.step()
    return model


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "return with_expert(problem, np.int64, 2**32)",
            "names a satellite outside 0..47 (got 4294",
        ),
        (
            "return with_expert(problem, np.uint64, 2**63)",
            "names a satellite outside 0..47 (got 922",
        ),
        (
            "return with_expert(problem, np.int64, -2)",
            "names a satellite outside 0..47 (got -2 in P",
        ),
        ("return with_expert(problem, np.int64, -1)", "placement names a satellite outside 0..47"),
        ("return replace(usual(problem), gateway=np.arange(3))", "placement has shapes (3,) and ("),
        ("sys.exit(3)", f"mine.py:{LINE}: SystemExit: 3"),
        ("raise KeyboardInterrupt", f"mine.py:{LINE}: KeyboardInterrupt"),
        ("raise GeneratorExit", f"mine.py:{LINE}: GeneratorExit"),
        ("return mine(problem, rng=rng)", f"mine.py:{LINE}: RecursionError: maximum recursion"),
        ("return np.zeros(10**13)", f"mine.py:{LINE}: MemoryError: Unable to allocate"),
        ("raise RuntimeError('a\\nb' * 999)", f"mine.py:{LINE}: RuntimeError: a ba b"),
        ("yield 1", "must return a Placement (got generator)"),
        ("return replace(usual(problem), gateway=[[1], [1, 2]])", "ValueError: setting an array"),
        ("return replace(usual(problem), standby=np.zeros((8, 10**8), '?'))", "at most 100,000"),
    ],
)
def test_a_strategy_is_named_with_what_it_did(write, body, said):
    write(strategy(body))
    load_plugins(["mine.py"])
    with pytest.raises(InputError) as caught:
        planned()
    assert said in str(caught.value)
    assert str(caught.value).startswith("mine.py:")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_signal_is_not_the_plug_in_s_own_interrupt(write):
    # A process that a script starts in the background is born with this signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    write(strategy("import time; os.kill(os.getpid(), 2); time.sleep(10)"))
    load_plugins(["mine.py"])
    try:
        with pytest.raises(KeyboardInterrupt):
            planned()
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_a_plug_in_changes_is_its_own_copy(write):
    text = "for thing in vars(problem).values():\n        if isinstance(thing, np.ndarray): "
    write(strategy(f"placement = usual(problem)\n    {text}thing[...] = 0\n    return placement"))
    load_plugins(["mine.py"])
    mine = planned()
    plain = TwinModel(load_scenario("small", {}))
    assert np.array_equal(mine.world.constellation.plane, plain.world.constellation.plane)
    assert np.array_equal(mine.world.skeleton.indices, plain.world.skeleton.indices)


def test_what_a_plug_in_prints_is_not_among_the_results(write, capfd):
    write("print('loading')\n" + strategy("print('one\\ntwo')\n    return usual(problem)"))
    load_plugins(["mine.py"])
    planned()
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines() == ["mine.py: loading", "mine.py: one", "mine.py: two"]


SHORT = {
    "BUS(": "register.bus_profile(replace(BUS_PROFILES['sbc'], name='x', ",
    "BOARD(": "register.board(replace(BOARDS['orin'], name='x', ",
    "CARD(": "register.model_card(replace(MODEL_CARDS['toy-8x4'], name='x', ",
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("BUS(battery_wh=np.nan))", "finite"),
        ("BUS(battery_wh='9'))", "battery_"),
        ("BUS(array_m2=-1.0))", "array_m2:"),
        ("BUS(resume_c=90.0))", "bus.resum"),
        ("BOARD(gflops=np.nan))", "gflops must be from"),
        ("BOARD(memory_gb='9'))", "memory_gb must be from"),
        ("BOARD(idle_w=None))", "must be given together"),
        ("BOARD(idle_w=99.0))", "idle_w <= peak_w"),
        ("CARD(layers=2.0))", "layers mus"),
        ("CARD(experts=0))", "experts mus"),
        ("CARD(top_k=9))", "at most 4 exp"),
        ("CARD(hidden=2**63)", "hidden "),
        ("CARD(title=None))", "title must"),
        ("CARD(mla=3))", "LatentAttention"),
        ("register.event_kind('x', Event(sentence=3, lane=Lane.PLAN))", "sentence must be a text"),
        ("register.event_kind('x', Event(sentence='', lane=3))", "lane must be a Lane (got 3)"),
        ("register.event_kind('x', Event(sentence='', lane=Lane.PLAN, shown='{x}'))", "in braces"),
        ("register.figure(RunFigure(name='x', label=3, sentence='', draw=len))", "label must be a"),
        (
            "register.figure(RunFigure(name='x', label='', sentence='', draw=3))",
            "must be a function",
        ),
        (
            "register.figure(RunFigure(name='x', label='', sentence='', scale=np.inf, draw=len))",
            "scale must be a finite number",
        ),
    ],
)
def test_data_are_checked_when_they_are_added(write, text, said):
    for short, long in SHORT.items():
        text = text.replace(short, long)
    write(text + ")" * (text.count("(") - text.count(")")))
    with pytest.raises(InputError) as caught:
        load_plugins(["mine.py"])
    assert str(caught.value).startswith(f"mine.py:{HEAD.count(chr(10)) + 1}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        ("'x'", "must return a number or None (got str)"),
        ("np.ones(2)", "must return a number or None (got float64 (2,))"),
        ("10**400", "must return a number of 64 bits, not an integer of 1329 bits"),
        ("run.nothing", "AttributeError"),
        ("sys.exit()", "SystemExit"),
    ],
)
def test_a_figure_is_a_number(write, drawn, said):
    write(
        "register.figure(RunFigure(name='x', label='x', sentence='x.', "
        f"draw=lambda run: {drawn}))\n"
    )
    load_plugins(["mine.py"])
    with pytest.raises(InputError) as caught:
        FIGURES["x"].draw(object())
    assert said in str(caught.value)


TWIN = (
    "import sys, twin.cli.child as child; child.is_own_process = lambda: True; "
    "from twin.cli.entry import main; main()"
)


def command(*args):
    """Call the command as a process; exit status, and its lines on standard error."""
    done = subprocess.run([sys.executable, "-c", TWIN, *args], capture_output=True, text=True)
    return done.returncode, [line for line in done.stderr.splitlines() if line.strip()]


@pytest.mark.skipif(sys.platform != "linux", reason="commands are divided in two there only")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import ctypes; ctypes.string_at(0)", "the process died of SIGSEGV"),
        ("os._exit(0)", "the process was ended with status 0"),
    ],
)
def test_a_plug_in_that_ends_the_process_is_named(write, body, said):
    write(strategy(body))
    args = ("--plugin", "mine.py", "--set", "placement.strategy=mine")
    assert command("run", "small", *args) == (2, [f"twin: mine.py: {said} after it loaded this"])


def test_a_plug_in_that_ends_every_worker_is_named(write):
    write(strategy("os._exit(0)"))
    status, lines = command(
        "compare", "small", "--plugin", "mine.py", "--strategies", "mine", "--replicates", "2",
        "--workers", "2", "--set", "simulation.steps=1",
    )  # fmt: skip
    assert status == 2
    said = "twin: every worker process that took a job died of it; it runs the plug-ins mine.py"
    assert lines == [said]


@pytest.mark.skipif(sys.platform != "linux", reason="commands are divided in two there only")
def test_a_command_in_two_processes_ends_by_the_signal_it_is_sent(write, tmp_path):
    write(strategy("open('there', 'w').close()\n    import time; time.sleep(60)"))
    args = ("run", "small", "--plugin", "mine.py", "--set", "placement.strategy=mine")
    process = subprocess.Popen([sys.executable, "-c", TWIN, *args], stderr=subprocess.PIPE)
    while not Path("there").exists():
        assert process.poll() is None
        os.sched_yield()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode in (-signal.SIGTERM, 128 + signal.SIGTERM)


def test_plug_ins_of_a_command_line():
    args = ["run", "x", "--plugin", "a.py", "--plugin=b", "--set", "x=1"]
    assert child.plugin_files(args) == ["a.py", "b"]
    assert not child.is_own_process()
