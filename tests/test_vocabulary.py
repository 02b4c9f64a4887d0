"""Every word of a run is spelled in one room."""

import ast
from pathlib import Path

import pytest

from twin import vocabulary
from twin.runs.log import EventLog
from twin.runs.tables import TABLES
from twin.vocabulary import CAUSES, EVENT_CAUSES, EventKind, LinkState

ROOT = Path(__file__).parents[1]
SOURCES = [path for room in ("twin", "agents", "placement") for path in (ROOT / room).rglob("*.py")]
SCRIPTS = sorted((ROOT / "twin" / "views" / "js" / "src").glob("*.js"))
COLUMNS = {"throttled"}
"""A kind of event and, apart from it, a column of a run's steps."""


def literals(path):
    """String literals of a file that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in said:
            yield node.value


SAID = {path: list(literals(path)) for path in SOURCES}


@pytest.mark.parametrize("word", [*EventKind, *(cause.word for cause in CAUSES)])
def test_a_word_is_spelled_in_the_vocabulary_only(word):
    places = {path for path, texts in SAID.items() if word in texts}
    assert {path.parent.name for path in places} <= {"vocabulary"} or word in COLUMNS, places


@pytest.mark.parametrize("word", [*EventKind, *(f"lost_{cause.word}" for cause in CAUSES)])
def test_the_pages_scripts_do_not_spell_it(word):
    quoted = [f"{mark}{word}{mark}" for mark in "\"'`"]
    assert not [p.name for p in SCRIPTS if any(q in p.read_text("utf-8") for q in quoted)]


def test_every_row_group_of_events_has_the_same_dictionary():
    first, second = EventLog(), EventLog()
    first.add(EventKind.FAULT, satellite=3)
    second.add(EventKind.REPLAN, cause=vocabulary.Reason.START, value=1.0)
    for log in (first, second):
        log.begin()
        arrays = log.arrays(0.0)
        assert arrays["kind"].dictionary.to_pylist() == list(EventKind)
        assert arrays["cause"].dictionary.to_pylist() == list(EVENT_CAUSES)
    assert second.columns(0.0)["cause"] == ["start"]
    assert first.columns(0.0)["cause"] == [None]


def test_a_reason_of_a_plug_in_is_kept():
    log = EventLog()
    log.begin()
    log.add(EventKind.REPLAN, cause="full moon")
    assert log.columns(0.0)["cause"] == ["full moon"]


def test_columns_follow_from_the_words():
    columns = TABLES["steps"].names
    assert [name for name in columns if name in map(vocabulary.lost_column, CAUSES)] == [
        vocabulary.lost_column(cause) for cause in CAUSES
    ]
    down = [s for s in LinkState if s is not LinkState.UNPAIRED]
    assert set(map(vocabulary.links_column, down)) <= set(columns)


def test_what_begins_a_state_has_what_ends_it():
    begun = {kind.meaning.begins for kind in EventKind} - {None}
    assert begun == {kind.meaning.ends for kind in EventKind} - {None}
