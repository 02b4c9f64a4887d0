"""Strategies of the user's own: the one in the README, and the mistakes one makes."""

import re
from pathlib import Path

import numpy as np
import pytest
from twin.study.plugins import load_strategies

from agents.model import TwinModel
from placement.strategies.table import STRATEGIES
from twin.errors import InputError
from twin.scenario import loader
from twin.study import plugins

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    """Every test begins with the strategies that ship with the twin."""
    before = dict(STRATEGIES)
    monkeypatch.setattr(plugins, "_loaded", {})
    yield
    STRATEGIES.clear()
    STRATEGIES.update(before)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write mine.py in an empty current folder."""
    monkeypatch.chdir(tmp_path)
    return lambda text: Path("mine.py").write_text(text, encoding="utf-8")


def readme_strategy() -> str:
    section = README.read_text(encoding="utf-8").split("### Your own strategy")[1]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def run_one_step(strategy: str, **params) -> TwinModel:
    scenario = loader.load("small", [f"placement.strategy={strategy}"])
    table = scenario.placement.model_copy(update={"params": params})
    model = TwinModel(scenario.model_copy(update={"placement": table}))
    model.step()
    return model


def test_the_strategy_of_the_readme_is_short_and_places_as_it_says(write):
    text = readme_strategy()
    assert len(text.splitlines()) < 20
    write(text)
    assert load_strategies(["mine.py:one_plane"]) == ["one-plane"]
    model = run_one_step("one-plane", plane=2)
    placement, body = model.controller.placement, model.world.constellation
    assert (body.plane[placement.gateway] == 2).all()
    assert np.unique(placement.gateway).size == 8
    assert (placement.expert == placement.gateway[:, None]).all()
    assert model.row["tokens_served"] > 0
    with pytest.raises(InputError, match="has no parameter 'row'; it takes: plane"):
        run_one_step("one-plane", row=2)


def test_loading_again_keeps_the_function_but_no_other_file_may_take_its_name(write):
    write(readme_strategy())
    load_strategies(["mine.py:one_plane"])
    function = STRATEGIES["one-plane"]
    load_strategies(["mine.py:one_plane", "mine.py:one_plane"])
    assert STRATEGIES["one-plane"] is function
    Path("other.py").write_text(readme_strategy(), encoding="utf-8")
    with pytest.raises(InputError, match="there is a strategy 'one-plane' already"):
        load_strategies(["other.py:one_plane"])


@pytest.mark.parametrize(
    ("reference", "text", "said"),
    [
        ("mine.py", "", "must look like FILE.py:FUNCTION"),
        ("mine.py:", "", "must look like FILE.py:FUNCTION"),
        ("none.py:best", "", "none.py: there is no such file"),
        ("mine.py:best", "x = 1", "mine.py has no 'best'"),
        ("mine.py:best", "best = 1", "holds something that is not a function as 'best'"),
        ("mine.py:best", "def best(problem): ...", "as (problem, *, rng): got an unexpected"),
        ("mine.py:best", "def best(problem, *, rng, n): ...", "missing a required"),
        ("mine.py:joint", "def joint(problem, *, rng): ...", "a strategy 'joint' already"),
        ("mine.py:best", "\nimport nowhere_to_be_found", "mine.py:2: ModuleNotFoundError: No mo"),
        ("mine.py:best", "def f():\n    1 / 0\nf()", "mine.py:2: ZeroDivisionError: division"),
        ("mine.py:best", "x = 1\ny = = 2", "mine.py:2: SyntaxError: invalid syntax"),
    ],
)
def test_mistakes_in_naming_and_importing(write, reference, text, said):
    write(text)
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        load_strategies([reference])
    assert "\n" not in str(caught.value)
    assert "best" not in STRATEGIES


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return problem.nothing", "mine.py:3: AttributeError"),
        ("return 5", "mine.py: must return a Placement (got int)"),
        (
            "return Placement(gateway=np.zeros(8), expert=np.zeros((8, 4)))",
            "Placement.gateway must hold integers (got float64)",
        ),
        (
            "return Placement(gateway=np.zeros(3, int), expert=np.zeros((8, 4), int))",
            "placement has shapes (3,) and (8, 4), needs (8,) and (8, 4)",
        ),
        (
            "return Placement(gateway=np.full(8, 48), expert=np.zeros((8, 4), int))",
            "names a satellite outside 0..47",
        ),
    ],
)
def test_mistakes_in_placing_are_told_as_the_users(write, body, said):
    write(
        "import numpy as np; from placement.problem import Placement\n"
        f"def best(problem, *, rng):\n    {body}\n"
    )
    load_strategies(["mine.py:best"])
    with pytest.raises(InputError, match=re.escape(said)):
        run_one_step("best")


def test_a_strategy_may_return_any_integers(write):
    write(
        "import numpy as np; from placement.problem import Placement\n"
        "def best(problem, *, rng):\n"
        "    expert = np.arange(64).reshape(8, 8)[:, ::2] % 48\n"
        "    return Placement(gateway=np.arange(8, dtype=np.uint8), expert=expert)\n"
    )
    load_strategies(["mine.py:best"])
    placement = run_one_step("best").controller.placement
    assert placement.gateway.dtype == placement.expert.dtype == np.int32
    assert placement.expert.flags.c_contiguous
