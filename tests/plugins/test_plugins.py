"""Plug-ins: the strategy in the guide, and the mistakes one makes."""

import copy
import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from agents.model import TwinModel
from placement.policies.table import POLICIES
from placement.strategies.table import STRATEGIES
from twin.errors import InputError
from twin.guide.walk import GUIDE, blocks
from twin.network.outages import OUTAGES
from twin.plugins import load_plugins, loading
from twin.plugins.choices import load_scenario
from twin.plugins.kinds import KINDS

REGISTER = "import numpy as np; from twin.plugins import register\n"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write mine.py in an empty current folder."""
    monkeypatch.chdir(tmp_path)
    return lambda text: Path("mine.py").write_text(text, encoding="utf-8")


def guide_strategy() -> str:
    chapter = (GUIDE / "study.md").read_text(encoding="utf-8")
    (found,) = (block for block in blocks(chapter) if block.file == "mine.py")
    return found.text


def run_steps(changes, steps=1) -> TwinModel:
    model = TwinModel(load_scenario("small", changes))
    for _ in range(steps):
        model.step()
    return model


def test_the_strategy_of_the_guide_is_short_and_places_as_it_says(write):
    text = guide_strategy()
    assert len(text.splitlines()) < 20
    write(text)
    load_plugins(["mine.py"])
    chosen = {"placement.strategy": "one-plane"}
    model = run_steps(chosen | {"placement.params": {"plane": 2}})
    placement, body = model.controller.placement, model.world.constellation
    assert (body.plane[placement.gateway] == 2).all()
    assert np.unique(placement.gateway).size == 8
    assert (placement.expert == placement.gateway[:, None]).all()
    assert model.row["tokens_served"] > 0
    said = r"placement\.params: .* has no parameter 'row'; it takes: plane"
    with pytest.raises(InputError, match=said):
        run_steps(chosen | {"placement.params": {"row": 2}})


def test_loading_again_is_nothing_but_no_other_file_may_take_a_name(write):
    write(guide_strategy())
    load_plugins(["mine.py"])
    function = STRATEGIES["one-plane"]
    load_plugins(["mine.py", "mine.py", Path("mine.py").absolute()])
    assert STRATEGIES["one-plane"] is function
    Path("other.py").write_text(guide_strategy() + "\n# another", encoding="utf-8")
    with pytest.raises(InputError, match=r"other\.py:\d+: there is a placement strategy 'one-pla"):
        load_plugins(["other.py"])
    assert STRATEGIES["one-plane"] is function


def test_a_plug_in_that_fails_leaves_nothing_and_may_be_mended(write):
    good = REGISTER + "register.policy('mine')(lambda view, propose: None)\n"
    write(good + "1 / 0\n")
    with pytest.raises(InputError, match=r"^mine\.py:3: ZeroDivisionError: division by zero$"):
        load_plugins(["mine.py"])
    assert "mine" not in POLICIES
    write(good)
    load_plugins(["mine.py"])
    assert "mine" in POLICIES


@pytest.mark.parametrize(
    ("reference", "text", "said"),
    [
        ("none.py", "", "plug-in none.py: cannot be read: No such file"),
        ("no.module", "", "plug-in no.module: there is no such module"),
        ("mine.py", "\nimport nowhere_to_be_found", "mine.py:2: ModuleNotFoundError: No mo"),
        ("mine.py", "def f():\n    1 / 0\nf()", "mine.py:2: ZeroDivisionError: division"),
        ("mine.py", "x = 1\ny = = 2", "mine.py:2: SyntaxError: invalid syntax"),
        ("mine.py", "import sys\nsys.exit(3)", "mine.py:2: SystemExit: 3"),
        ("mine.py", "register.strategy('a b')(lambda problem, *, rng: 0)", "a name has letters"),
        ("mine.py", "@register.strategy\ndef f(): ...", "register.strategy needs a name"),
        ("mine.py", "register.policy('mine')(3)", "policy 'mine' must be a function, not int"),
        ("mine.py", "register.model_card(3)", "mine.py:2: a model-card must be a ModelCard, not"),
        ("mine.py", "register.bus_profile({})", "a bus-profile must be a BusProfile, not dict"),
        (
            "mine.py",
            "@register.strategy('best')\ndef best(problem): ...",
            "must be callable as (problem, *, rng): got an unexpected",
        ),
        (
            "mine.py",
            "@register.strategy('best')\ndef best(problem, *, rng, n): ...",
            "missing a required",
        ),
        (
            "mine.py",
            "@register.outage_model('rain')\ndef rain(n): ...",
            "must be callable as (before, n, table, step_s, *, rng)",
        ),
        *(
            (
                "mine.py",
                f"register.{kind.name.replace('-', '_')}({next(iter(kind.registry))!r})"
                "(lambda *a, **k: 0)",
                f"there is a {kind.registry.kind} {next(iter(kind.registry))!r} already",
            )
            for kind in KINDS.values()
            if len(kind.registry)
            and kind.name not in ("bus-profile", "model-card", "board", "figure", "event-kind")
        ),
    ],
)
def test_mistakes_in_naming_and_importing(write, reference, text, said):
    write(REGISTER + text if "register" in text else text)
    before = {name: list(kind.registry) for name, kind in KINDS.items()}
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        load_plugins([reference])
    assert "\n" not in str(caught.value)
    assert {name: list(kind.registry) for name, kind in KINDS.items()} == before


HOLD = "(before, n, table, step_s, *, rng)"
SITES = [{"name": "Quito", "latitude_deg": 0.0, "longitude_deg": 0.0}]


@pytest.mark.parametrize(
    ("kind", "arguments", "body", "said"),
    [
        ("strategy", "(problem, *, rng)", "problem.nothing", "mine.py:4: AttributeError"),
        ("strategy", "(problem, *, rng)", "5", "must return a Placement (got int)"),
        (
            "strategy",
            "(problem, *, rng)",
            "Placement(gateway=np.zeros(8), expert=np.zeros((8, 4)))",
            "must return integers as Placement.gateway (got float64 (8,))",
        ),
        (
            "strategy",
            "(problem, *, rng)",
            "Placement(gateway=np.zeros(3, int), expert=np.zeros((8, 4), int))",
            "placement has shapes (3,) and (8, 4), needs (8,) and (8, 4)",
        ),
        (
            "strategy",
            "(problem, *, rng)",
            "Placement(gateway=np.full(8, 48), expert=np.zeros((8, 4), int))",
            "names a satellite outside 0..47",
        ),
        (
            "policy",
            "(view, propose)",
            "True",
            "None, Bids or what propose() has returned (got bool)",
        ),
        ("policy", "(view, propose)", "propose.x", "mine.py:4: AttributeError"),
        ("policy", "(view, propose)", "view.soc.fill(0)", "mine.py:4: ValueError: assignment"),
        ("propagator", "(c, t_s)", "3", "two arrays of finite numbers of shape"),
        ("propagator", "(c, t_s)", "(np.zeros(3), np.zeros(3))", "(got float64 (3,))"),
        (
            "propagator",
            "(c, t_s)",
            "(np.full((len(t_s), c.size, 3), np.nan),) * 2",
            "finite numbers",
        ),
        ("outage_model", HOLD, "True", "must return bool of shape (96,) (got bool ())"),
        ("outage_model", HOLD, "np.ones(n)", "bool of shape (96,) (got float64 (96,))"),
        ("outage_model", HOLD, "np.ones(n + 1, bool)", "(got bool (97,))"),
        ("fault_model", HOLD, "rng.random(n)", "bool of shape (48,) (got float64 (48,))"),
        ("handover_rule", "(sight)", "1.0", "a number for each satellite in sight"),
        ("handover_rule", "(sight)", "sight.elevation_deg * np.nan", "a number for each"),
        ("dispatch", "(asked, seen)", "asked.site * 0.5", "an integer for each of "),
        ("dispatch", "(asked, seen)", "asked.site * 0 + 2", "instances from 0 to 1, or -1"),
        ("sampler", "(table, top_k)", "1", "must return a sampler"),
        (
            "sampler",
            "(table, top_k)",
            "lambda p, tokens, *_: np.zeros((tokens, 1))",
            "a sampler that draws integers of shape",
        ),
        (
            "sampler",
            "(table, top_k)",
            "lambda p, tokens, *_: np.full((tokens, len(p), top_k), 99)",
            "a sampler that draws experts 0 to 3",
        ),
    ],
)
def test_what_a_function_returns_is_checked(write, kind, arguments, body, said):
    write(
        "import numpy as np; from placement.problem import Placement; from twin.plugins import "
        f"register\n@register.{kind}('mine')\ndef mine{arguments}:\n    return {body}\n"
    )
    load_plugins(["mine.py"])
    changes = {KINDS[kind.replace("_", "-")].registry.field: "mine"}
    if kind == "dispatch":
        changes |= {"placement.instances": 2, "placement.strategy": "joint"}
        changes |= {"serving.mode": "requests", "requests.rate_per_s": 0.1}
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        run_steps(changes | {"ground.sites": SITES}, steps=3)
    assert "\n" not in str(caught.value)


def test_a_strategy_may_return_any_integers(write):
    write(
        "import numpy as np; from placement.problem import Placement\n"
        "from twin.plugins import register\n"
        "@register.strategy('best')\n"
        "def best(problem, *, rng):\n"
        "    expert = np.arange(64).reshape(8, 8)[:, ::2] % 48\n"
        "    return Placement(gateway=np.arange(8, dtype=np.uint8), expert=expert)\n"
    )
    load_plugins(["mine.py"])
    placement = run_steps({"placement.strategy": "best"}).controller.placement
    assert placement.gateway.dtype == placement.expert.dtype == np.int32
    assert placement.expert.flags.c_contiguous


def test_a_function_is_pickled_and_copied_by_its_name(write):
    write(guide_strategy())
    load_plugins(["mine.py"])
    bound = STRATEGIES.build("one-plane", {"plane": 1})
    for again in (pickle.loads(pickle.dumps(bound)), copy.deepcopy(bound)):
        assert again.func is STRATEGIES["one-plane"]
        assert again.keywords == {"plane": 1}


def test_an_installed_package_that_fails_is_named(tmp_path, monkeypatch):
    (tmp_path / "broken_plug.py").write_text("1 / 0\n")
    info = tmp_path / "broken_plug-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plug\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[orbital_twin.plugins]\nit = broken_plug\n")
    monkeypatch.syspath_prepend(tmp_path)
    said = rf"^installed package broken-plug: .*{os.sep}broken_plug\.py:1: ZeroDivisionError"
    with pytest.raises(InputError, match=said):
        load_plugins()


def test_what_plug_ins_add_can_be_forgotten(write):
    before = list(OUTAGES)
    write(REGISTER + "register.outage_model('rain')(lambda before, n, table, step_s, *, rng: 0)")
    load_plugins(["mine.py"])
    assert "rain" in OUTAGES
    loading.forget()
    assert list(OUTAGES) == before


def test_a_file_that_changed_since_it_was_loaded_is_refused(write):
    write(REGISTER + "register.strategy('mine')(lambda problem, *, rng: None)\n")
    load_plugins(["mine.py"])
    mine = STRATEGIES["mine"]
    write(REGISTER + "register.strategy('mine')(lambda problem, *, rng: 1)\n")
    with pytest.raises(InputError, match=r"mine\.py: another version of it is loaded already"):
        load_plugins(["mine.py"])
    assert STRATEGIES["mine"] is mine


def test_a_text_that_was_sent_counts_and_not_the_file_here(write):
    write("raise RuntimeError('the file here')\n")
    loading.load_text(
        REGISTER + "register.strategy('sent')(lambda problem, *, rng: None)\n", "mine.py"
    )
    load_plugins(["mine.py"])
    assert "sent" in STRATEGIES


def test_a_text_that_fails_when_sent_leaves_its_file_to_be_loaded(write):
    with pytest.raises(InputError, match="RuntimeError"):
        loading.load_text("raise RuntimeError('no')\n", "mine.py")
    write(REGISTER + "register.strategy('mine')(lambda problem, *, rng: None)\n")
    load_plugins(["mine.py"])
    assert "mine" in STRATEGIES
