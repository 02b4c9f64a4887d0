"""The guide: what it shows is what commands print, and every link leads somewhere."""

import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from twin.guide import reference
from twin.guide.refresh import chapters, fresh
from twin.guide.walk import GUIDE, Block, BlockError, blocks, follow, refreshed, run, steady

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(GUIDE.glob("notebooks/*.md"))
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def links(text):
    """Targets of links and pictures outside of code."""
    prose = re.sub(r"^```.*?^```$|`[^`\n]+`", "", text, flags=re.MULTILINE | re.DOTALL)
    return [one or other for one, other in LINK.findall(prose)]


@pytest.mark.usefixtures("one_processor")
@pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
def test_a_chapter_shows_what_its_commands_print(chapter):
    """Runs the blocks as they stand, in an empty folder: a newcomer's path among them."""
    assert fresh(chapter) == chapter.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["first-run", "study"])
def test_the_newcomers_path_is_run_as_a_whole(name):
    found = list(blocks((GUIDE / f"{name}.md").read_text(encoding="utf-8")))
    assert any(block.shows for block in found)
    assert not [block for block in found if block.skipped]


@pytest.mark.parametrize("page", [*chapters(), *NOTEBOOKS], ids=lambda path: path.stem)
def test_every_link_leads_to_a_file(page):
    for link in links(page.read_text(encoding="utf-8")):
        target = link.partition("#")[0]
        if "://" not in link and target:
            assert (page.parent / target).exists(), link


def test_the_first_page_lists_every_chapter():
    listed = re.findall(r"\]\((.*?\.md)\)", (GUIDE / "index.md").read_text(encoding="utf-8"))
    files = [*GUIDE.glob("*.md"), *NOTEBOOKS]
    there = [path.relative_to(GUIDE).as_posix() for path in files]
    assert sorted([*listed, "index.md"]) == sorted(there)


def test_there_are_four_notebooks():
    assert len(NOTEBOOKS) == 4


class Fetched(HTMLParser):
    """Gathers what a browser fetches for a page."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if tag in ("script", "img", "iframe", "source"):
            self.found.append(named.get("src"))
        if tag == "link" and named.get("rel") in ("stylesheet", "preload", "icon", "search"):
            self.found.append(named.get("href"))


def test_the_site_is_built_without_warnings_and_fetches_nothing(tmp_path):
    """Notebooks are run by it."""
    command = [sys.executable, "-m", "twin.guide.build", str(tmp_path / "site")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) >= len(chapters()) + len(NOTEBOOKS)
    for page in pages:
        for address in Fetched(page.read_text(encoding="utf-8")).found:
            assert address is None or not re.match(r"(https?:)?//", address), (page, address)
            file = re.split("[?#]", address or "")[0]
            inside = file != "" and not file.startswith("data:")
            assert not inside or (page.parent / file).is_file(), (page, address)
    for sheet in (tmp_path / "site").rglob("*.css"):
        assert not re.search(r"url\(.?https?:|@import .?https?:", sheet.read_text("utf-8")), sheet
    assert (tmp_path / "site" / "searchindex.js").is_file()


def test_blocks_are_read_with_what_is_said_of_them():
    text = (
        "<!-- file: a.toml -->\n```toml\nx = 1\n```\n\n"
        "<!-- not run: slow -->\n```sh\nsleep 9\n```\n\n"
        "```sh\ncat a.toml\n```\n\n<!-- output -->\nold\n<!-- /output -->\n\n"
        "```\nshown\n```\n"
    )
    assert list(blocks(text)) == [
        Block("toml", "x = 1\n", file="a.toml"),
        Block("sh", "sleep 9\n", skipped="slow"),
        Block("sh", "cat a.toml\n", shows=True),
        Block("", "shown\n"),
    ]


def test_outputs_replace_what_stood_there(tmp_path):
    text = (
        "<!-- file: a.toml -->\n```toml\nx = 1\n```\n\n"
        "```sh\ncat a.toml\n```\n\n<!-- output -->\nold\n<!-- /output -->\n\n"
        "<!-- generated: figure -->\nold\n<!-- /generated -->\n"
    )
    new = refreshed(text, follow(text, tmp_path), {"figure": "| a |\n"})
    assert "<!-- output -->\n```text\nx = 1\n```\n<!-- /output -->" in new
    assert "<!-- generated: figure -->\n| a |\n<!-- /generated -->" in new
    assert "old" not in new
    assert refreshed(new, follow(new, tmp_path), {"figure": "| a |"}) == new


def test_a_block_that_fails_is_an_error_with_its_output(tmp_path):
    with pytest.raises(BlockError, match="exit code 3\necho so\nexit 3\nso"):
        run(Block("sh", "echo so\nexit 3\n"), tmp_path)


def test_what_differs_from_run_to_run_is_left_out():
    assert steady("kept in runs/20261127-184530-small  \n") == "kept in runs/<time>-small"


def test_the_reference_has_every_field_of_a_scenario():
    """By the fields of the presets, which are read by the loader and not by the schema."""
    made = reference.scenario()
    for preset in (ROOT / "twin/scenario/presets").glob("*.toml"):
        for table, fields in tomllib.loads(preset.read_text(encoding="utf-8")).items():
            names = fields if isinstance(fields, dict) else {table: fields}
            assert all(f"| `{name}` |" in made for name in names if name != "params"), preset


def test_the_readme_is_short():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert len(text.split()) <= 1000
    assert max(map(len, text.splitlines())) <= 110
