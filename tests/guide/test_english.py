"""The words that readers see: spelt right, and none of those that the house avoids."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from twin.guide.walk import GUIDE

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *GUIDE.rglob("*.md")]
LATER = ("agents", "placement", "twin/live", "twin/serving")
"""Rooms whose docstrings still have some of the words."""
MODULES = sorted(
    path for room in ("twin", "placement", "agents") for path in (ROOT / room).rglob("*.py")
)

WORDS = re.compile(r"\b(anew|besides|so many(?! times)|tell|tells|told)\b", re.IGNORECASE)
"""Words for which plainer ones stand: again, also, this number, show, report."""
NAMES = re.compile(r"`[^`]*`|^ *\w+ : .*$", re.MULTILINE)
"""Names of variables and of parameters in a docstring."""
RIGHT = ("eachs", "fro", "positionof", "simpy", "useable")
"""Words that codespell takes for mistakes: names, "to and fro", and a keyword of OEM files."""
SENTENCES = [
    "moves for nothing",
    "every other's regret",
    "to be had with foresight",
    "who runs empty",
    "who recovers does so",
    "were not done after",
    "one that is off, and of those that need",
    "neither end means the link",
    "where it is below a floor that is not",
    "figures named so",
    "the last time that it was",
]
"""Parts of sentences that were once there."""


def texts(path):
    """Docstrings and messages of a module: string literals that have a space in them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield NAMES.sub("", node.value)


def prose(page):
    """A page without what commands print or the tables make."""
    text = page.read_text(encoding="utf-8")
    for begin, end in (("output", "output"), (r"generated: [\w-]+", "generated")):
        text = re.sub(rf"<!-- {begin} -->.*?<!-- /{end} -->", "", text, flags=re.DOTALL)
    return text


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_page_has_plain_words(page):
    text = " ".join(prose(page).split())
    assert WORDS.findall(text) == []
    assert [said for said in SENTENCES if said in text] == []


def test_docstrings_and_messages_have_plain_words():
    found = [
        (path.relative_to(ROOT).as_posix(), text)
        for path in MODULES
        if not path.relative_to(ROOT).as_posix().startswith(LATER)
        for text in texts(path)
        if WORDS.search(text)
    ]
    assert found == []


def test_no_sentence_of_before_is_left():
    said = {path: " ".join(" ".join(texts(path)).split()) for path in MODULES}
    assert [(p, s) for p, text in said.items() for s in SENTENCES if s in text] == []


def test_everything_is_spelt_right():
    folders = ["twin", "agents", "placement", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
    command = [sys.executable, "-m", "codespell_lib", *folders]
    skip = "*/static/*,*/node_modules/*,*.json,*.svg,*.png,__pycache__"
    done = subprocess.run(
        [*command, "--skip", skip, "-L", ",".join(RIGHT)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
