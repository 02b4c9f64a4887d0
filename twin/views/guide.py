"""The guide's chapters as HTML for the page; nothing is fetched from elsewhere."""

import base64
import re
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, unquote

import solara
from markdown_it import MarkdownIt

from twin.views import keeping
from twin.views.parts import box

GUIDE: Final = Path(__file__).parents[1] / "guide"
FIRST: Final = "index"

_HEADER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)


@cache
def chapters() -> dict[str, Path]:
    """Files of the guide by the name that an address has: notebooks as ``notebooks-NAME``."""
    files = sorted([*GUIDE.glob("*.md"), *GUIDE.glob("notebooks/*.md")])
    return {_name(path.relative_to(GUIDE).as_posix()): path for path in files}


def _name(link: str) -> str:
    return link.removesuffix(".md").replace("/", "-")


def address(name: str) -> str:
    """Return the address of a chapter, from any page of the server."""
    return f"guide?chapter={quote(name)}"


@solara.component
def Guide(search: str) -> None:  # noqa: N802
    """One chapter, which the address names; the first page where it names none."""
    (asked,) = parse_qs(search).get("chapter", [FIRST])[:1]
    name = asked if asked in chapters() else FIRST
    with box("tw-sheet", tag="main"):
        with box("tw-guide-ways"):
            with solara.Link(keeping.with_token("/", keeping.token_of(search))):
                solara.Button("Back to the twin", text=True, classes=["tw-plain-button"])
            if name != FIRST:
                solara.HTML(tag="span", unsafe_innerHTML=f'<a href="{address(FIRST)}">Contents</a>')
        solara.HTML(tag="article", unsafe_innerHTML=html(name), classes=["tw-guide"])


@cache
def html(name: str) -> str:
    """Return a chapter as HTML."""
    path = chapters()[name]
    text = _COMMENT.sub("", _HEADER.sub("", path.read_text(encoding="utf-8")))
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    for token, inside in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and inside is not None:
            token.attrSet("id", anchor(inside.content))
        for child in token.children or ():
            _point(child, path.parent)
    return str(parser.renderer.render(tokens, parser.options, {}))


def anchor(title: str) -> str:
    """Return what a heading's address ends in, as forges have it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _point(token: Any, folder: Path) -> None:
    """Let links to chapters lead to the page's, and put pictures in."""
    if token.type == "link_open":
        target, mark, part = str(token.attrGet("href")).partition("#")
        if target.endswith(".md"):
            file = (folder / unquote(target)).resolve().relative_to(GUIDE.resolve())
            token.attrSet("href", f"{address(_name(file.as_posix()))}{mark}{part}")
    elif token.type == "image":
        picture = (folder / str(token.attrGet("src"))).read_bytes()
        token.attrSet("src", f"data:image/png;base64,{base64.b64encode(picture).decode()}")
