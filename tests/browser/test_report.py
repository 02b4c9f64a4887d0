"""A report opened from disk: no request but for itself, and nothing to complain about."""

import pytest

from agents.run import run_scenario
from twin.report.document import report, write
from twin.scenario import loader
from twin.study.sweep import open_sweep, sweep

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]


STUDY = """
name = "height"
scenario = "small"
replicates = 2
strategies = ["rand-intra", "space-xnet"]
policies = ["static", "receding-horizon"]
set = ["simulation.steps=4"]
axes = [{ "constellation.altitude_km" = [800.0, 1200.0] }]
"""


def make_run(folder):
    return run_scenario(loader.load("small", ["simulation.steps=12"]), runs_dir=folder).path


def make_study(folder):
    (folder / "study.toml").write_text(STUDY)
    opened = open_sweep(str(folder / "study.toml"), resume=False, runs_dir=folder, keep_runs=False)
    with opened.writer:
        return sweep(opened, workers=1).path


@pytest.mark.parametrize("make", [make_run, make_study])
def test_a_report_opens_by_itself(page, tmp_path, make):
    document = report([make(tmp_path)])
    file = tmp_path / "report.html"
    write(document, file)
    asked, troubles = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(file.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert troubles == []
    assert page.locator("figure svg").count() == len(document.pictures())
    # What is folded away on the screen stands in a print.
    folded = "[...document.querySelectorAll('details.section > :last-child')]"
    for media, seen in (("screen", False), ("print", True), ("screen", False)):
        page.emulate_media(media=media)
        assert set(page.evaluate(f"{folded}.map(e => e.checkVisibility())")) == {seen}
    for width in (1200, 400):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
