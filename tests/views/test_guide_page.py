"""The guide on the page: every chapter as HTML, with links that lead to chapters."""

import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest

from twin.views import guide


class Read(HTMLParser):
    """Gathers addresses and ids, and refuses what is not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.pictures, self.ids = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.links += [named["href"]] if "href" in named else []
        self.pictures += [named["src"]] if "src" in named else []
        self.ids += [named["id"]] if "id" in named else []
        if tag not in ("img", "br", "hr"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs) if tag == "img" else None

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", sorted(guide.chapters()))
def test_a_chapter_is_whole_and_its_links_lead_to_chapters(name):
    text = guide.html(name)
    page = Read(text)
    assert re.search("<h1[^>]*>", text)
    assert "&lt;!--" not in text
    assert "jupytext" not in text
    assert all(source.startswith("data:image/png;base64,") for source in page.pictures)
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme:
            continue
        (chapter,) = parse_qs(parts.query).get("chapter", [name])
        assert chapter in guide.chapters(), link
        if parts.fragment:
            assert parts.fragment in Read(guide.html(chapter)).ids, link


def test_headings_have_the_addresses_that_forges_give_them():
    assert guide.anchor("How the controller decides") == "how-the-controller-decides"
    assert guide.anchor("`[[ground.sites]]`") == "groundsites"


def test_html_in_a_chapter_is_shown_as_text(tmp_path, monkeypatch):
    (tmp_path / "x.md").write_text("# X\n\n<script>alert(1)</script>\n", encoding="utf-8")
    monkeypatch.setattr(guide, "chapters", lambda: {"x": tmp_path / "x.md"})
    guide.html.cache_clear()
    assert "&lt;script&gt;" in guide.html("x")
    guide.html.cache_clear()
