"""Runs that are damaged, or go while they are looked at: the page says so and stays."""

import shutil

import pytest
from page_actions import READY_MS, choose, draws, keep, settle
from resealed import reseal

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]


@pytest.fixture
def another(folder):
    """A copy of a run under a name of its own."""
    made = folder / "runs" / "zz-another"
    shutil.copytree(folder / "runs" / "short-space-xnet", made)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def note(page):
    page.wait_for_selector(".tw-wrong", timeout=READY_MS)
    text = page.inner_text(".tw-wrong .tw-note-text")
    page.click(".tw-wrong button")
    page.wait_for_selector(".tw-wrong", state="detached")
    return text


def test_an_unreadable_run_is_listed_as_that_and_the_others_play(another, page, address, watched):
    scenario = another / "scenario.toml"
    scenario.write_text("future_key = 1\n" + scenario.read_text())
    reseal(another)
    with watched(page):
        page.goto(address)
        page.wait_for_selector(".tw-stage[data-draws]", timeout=READY_MS)
        choose(page, "Open a run", "zz-another · cannot be read")
        said = note(page)
        assert said.startswith("Run zz-another cannot be read: scenario.toml: future_key")
        assert page.get_attribute(".tw-stage", "data-runs") not in ("", "zz-another")
        before = draws(page)
        page.click("[data-act=closer]")
        settle(page)
        assert draws(page) > before


def test_a_run_that_goes_while_it_is_open_is_a_note(another, page, address, watched):
    with watched(page):
        page.goto(f"{address}/?run=zz-another&t=1e9")
        page.wait_for_selector(".tw-stage[data-draws]", timeout=READY_MS)
        page.wait_for_selector(".tw-note", state="detached", timeout=READY_MS)
        # A time after the end is the end.
        page.wait_for_function(
            "document.querySelector('.tw-step').textContent == 'step 29 of 0-29'"
        )
        shutil.rmtree(another)
        for file in ("Tables", "Scenario", "CZML", "Network"):
            page.click("text=Download")
            page.click(f".tw-form-buttons >> text={file}")
            page.wait_for_selector(".tw-wrong", timeout=READY_MS)
            keep(page, f"run-gone-{file.lower()}")
            assert note(page) == "Run zz-another is no longer here."
        page.click("[data-view=map]")
        settle(page)
        choose(page, "Open a run", "rand-intra ·")
        page.wait_for_function(
            "document.querySelector('.tw-stage').dataset.runs === 'short-rand-intra'"
        )
