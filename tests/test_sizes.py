"""Modules and functions stay short; what may be longer is listed, with the reason."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULE_LINES = 300
FUNCTION_LINES = 40

KERNEL = "a compiled loop: a call of a part of it costs time, or loses its local state"
TABLE = "one figure a line"
FORMAT = "the chunk's fields in their order"

LONGER = {
    "twin/views/trace.py": "one format, described in one place",
    "twin/live/kernel.py: follow": KERNEL,
    "twin/live/plant/power.py: _fly": KERNEL,
    "twin/moe/race.py: race_sums": KERNEL,
    "twin/serving/hops.py: _follow": KERNEL,
    "twin/runs/summary.py: summarise": TABLE,
    "twin/views/trace.py: chunk": FORMAT,
}
"""Modules, and functions as ``module: function``, that may be longer."""

MODULES = sorted(
    path for room in ("twin", "placement", "agents") for path in (ROOT / room).rglob("*.py")
)


def body_lines(function):
    """Lines from the first statement to the last; the docstring does not count."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return function.end_lineno - body[0].lineno + 1 if body else 0


def long_parts(path):
    """What is too long in a module: itself, or functions in it."""
    name, text = path.relative_to(ROOT).as_posix(), path.read_text()
    if len(text.splitlines()) > MODULE_LINES:
        yield name
    for node in ast.walk(ast.parse(text)):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_function and body_lines(node) > FUNCTION_LINES:
            yield f"{name}: {node.name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_modules_and_functions_are_short(path):
    assert [part for part in long_parts(path) if part not in LONGER] == []


def test_every_exception_exists():
    modules = {name.split(": ")[0] for name in LONGER}
    assert all((ROOT / name).is_file() for name in modules)
