"""The page of runs and studies: open, go on, delete with a question."""

import pytest
from page_actions import READY_MS, keep

from agents.run import RunCancelledError, run_scenario
from twin.scenario import loader
from twin.views.picture import WINDOW
from twin.views.server import served

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]


@pytest.fixture
def kept(tmp_path):
    """A folder with two runs that differ in altitude, and an interrupted one."""
    runs = tmp_path / "runs"
    for run_id, changes in (("low", ["constellation.altitude_km=900"]), ("usual", [])):
        scenario = loader.load("small", ["simulation.steps=6", *changes])
        run_scenario(scenario, runs_dir=runs, run_id=run_id)
    calls = iter(range(100))
    with pytest.raises(RunCancelledError):
        run_scenario(
            loader.load("small", ["simulation.steps=8"]),
            runs_dir=runs,
            run_id="broken-off",
            cancelled=lambda: next(calls) >= 3,
        )
    return tmp_path


def row(page, run_id):
    return page.locator(f"[data-run='{run_id}']")


def test_runs_are_told_apart_gone_on_with_and_deleted_after_a_question(kept, browser, watched):
    page = browser.new_page(viewport=WINDOW, color_scheme="dark")
    with served(kept) as address, watched(page):
        page.goto(f"{address}/overview")
        page.wait_for_selector("[data-run=usual]", timeout=READY_MS)
        assert "altitude_km 900" in row(page, "low").inner_text()
        assert row(page, "broken-off").locator("[data-status=interrupted]").count() == 1
        # Figures come when they are worked out.
        page.wait_for_function(
            "!document.querySelector('[data-run=usual]').innerText.includes('…')", timeout=READY_MS
        )
        keep(page, "runs")
        row(page, "broken-off").locator("[data-act=resume]").click()
        page.wait_for_selector("[data-run='broken-off'] [data-status=complete]", timeout=READY_MS)
        row(page, "low").locator("[data-act=delete]").click()
        page.click("[data-act=no]")
        assert (kept / "runs" / "low").is_dir()
        row(page, "low").locator("[data-act=delete]").click()
        page.click("[data-act=yes]")
        row(page, "low").wait_for(state="detached")
        assert not (kept / "runs" / "low").exists()
        page.fill(".tw-find input", "usual")
        row(page, "broken-off").wait_for(state="detached")
        row(page, "usual").locator("a").click()
        page.wait_for_selector(".tw-stage[data-draws]", timeout=READY_MS)
        assert page.get_attribute(".tw-stage", "data-runs") == "usual"
    page.close()


PROXY = {"X-Forwarded-For": "1.2.3.4"}


def test_who_comes_through_a_proxy_can_look_but_change_nothing(kept, browser):
    page = browser.new_page(viewport=WINDOW, extra_http_headers=PROXY)
    with served(kept) as address:
        page.goto(f"{address}/overview")
        page.wait_for_selector("[data-run=usual]", timeout=READY_MS)
        assert page.locator("[data-act=delete]").count() == 0
        assert "one can also start runs" in page.inner_text(".tw-runs-page")
        row(page, "usual").locator("a").click()
        page.wait_for_selector(".tw-stage[data-ready='6']", timeout=READY_MS)
        before = sorted(each.name for each in (kept / "runs").iterdir())
        page.click("text=New run")
        page.click(".tw-form .tw-run")
        page.wait_for_selector(".tw-form-wrong", timeout=READY_MS)
        assert "Runs are started" in page.inner_text(".tw-form-wrong")
        assert sorted(each.name for each in (kept / "runs").iterdir()) == before
    page.close()


def test_a_token_lets_one_change_runs_and_stays_in_the_address(kept, browser, monkeypatch):
    monkeypatch.setenv("ORBITAL_TWIN_TOKEN", "se&cret")
    page = browser.new_page(viewport=WINDOW, extra_http_headers=PROXY)
    with served(kept) as address:
        page.goto(f"{address}/?run=usual&token=se%26cret")
        page.wait_for_selector(".tw-stage[data-ready='6']", timeout=READY_MS)
        page.get_by_role("button", name="Runs", exact=True).click()
        row(page, "low").locator("[data-act=delete]").wait_for(timeout=READY_MS)
        row(page, "usual").locator("a").click()
        page.wait_for_selector(".tw-stage[data-ready='6']", timeout=READY_MS)
        assert "token=se%26cret" in page.evaluate("location.search")
        page.goto(f"{address}/overview?token=other")
        page.wait_for_selector("[data-run=usual]", timeout=READY_MS)
        assert page.locator("[data-act=delete]").count() == 0
    page.close()
