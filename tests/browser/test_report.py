"""A report opened from disk: no request but for itself, and nothing to complain about."""

import pytest

from twin.scenario import loader
from twin.study.report import runs_document, write
from twin.study.run import run_scenario

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]


def test_a_report_opens_by_itself(page, tmp_path):
    run = run_scenario(loader.load("small", ["simulation.steps=12"]), runs_dir=tmp_path)
    file = tmp_path / "report.html"
    write(runs_document([run]), file)
    asked, troubles = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(file.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert troubles == []
    assert page.locator("figure svg").count() == len(runs_document([run]).pictures())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
