"""The page's HTML: Solara's own, and what a browser is asked to load while Solara starts."""

import re
from pathlib import Path

import pytest
from solara.server import server, settings

from twin.views import bundle, document, guard
from twin.views.stage import Stage

SOLARAS = """<!doctype html>
<html>
<head>
<meta name="viewport" content="width=device-width, user-scalable=no">
</head>
<script src="/a.js"></script>
<script>requirejs.config({ map: {
    '*': { 'jupyter-vue': 'x' } } })</script>
</html>"""


@pytest.fixture
def asked(monkeypatch):
    """What was begun ahead, and the maker of the page's HTML."""
    monkeypatch.setattr(settings.assets, "extra_locations", [])
    monkeypatch.setattr(bundle.Bundled, "_told", {})
    found = []
    made = document.ours(lambda path, root_path="": SOLARAS, server, found.append)
    nonce, search = guard.NONCE.set("n0nce"), guard.SEARCH.set("run=a&t=5")
    yield found, made
    guard.NONCE.reset(nonce)
    guard.SEARCH.reset(search)


def test_scripts_carry_the_nonce_and_the_page_can_be_enlarged(asked):
    html = asked[1]("/guide", "/twin")
    assert re.findall(r"<script(?! nonce=\"n0nce\")", html) == []
    assert '<html lang="en">' in html
    assert "user-scalable" not in html
    assert "'anywidget': 'nbextensions/anywidget/index'" in html


def test_a_browser_loads_the_scripts_that_widgets_name(asked):
    html = asked[1]("/overview", "/twin")
    (path,) = re.findall(r'rel="modulepreload" href="/twin(/static/assets/[^"]+)"', html)
    assert path in Stage()._esm
    (folder,) = settings.assets.extra_locations
    file, version = path.removeprefix("/static/assets/").split("?v=")
    assert version == server.file_content_hash(Path(folder, file))
    for address in re.findall(r'as="script" href="/twin/jupyter/nbextensions/([^"?]+)', html):
        assert any((root / address).is_file() for root in server.nbextensions_directories)


def test_only_the_page_of_the_stage_is_prepared_and_its_run_begun(asked):
    begun, made = asked
    for path in ("/guide", "/table", "/overview"):
        assert "prepare()" not in made(path)
    assert begun == []
    assert "prepare()" in made("/")
    assert begun == ["run=a&t=5"]


def test_widgets_bring_their_scripts_where_no_server_of_ours_has_them():
    assert len(bundle.Bundled()._esm) > 100_000


def test_an_address_that_leads_nowhere_stays_so(asked, monkeypatch):
    made = document.ours(lambda path, root_path="": None, server, asked[0].append)
    assert made("/nothing") is None
