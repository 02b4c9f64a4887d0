"""The run as one picture over time, and all its recorded tokens and events to choose from."""

import pytest
from page_actions import READY_MS, keep, seek, settle, shown_step

from twin.runs.store import open_run
from twin.views.picture import WINDOW

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]


@pytest.fixture(scope="module")
def _faulty(browser, address, watched):
    page = browser.new_page(viewport=WINDOW, color_scheme="dark")
    with watched(page):
        page.goto(f"{address}/?run=short-faults")
        page.wait_for_selector(".tw-stage[data-draws]", timeout=READY_MS)
        page.wait_for_selector(".tw-note", state="detached", timeout=READY_MS)
        yield page
    page.close()


@pytest.fixture
def faulty(_faulty, folder):
    """A page that tests share, on the run with faults, and that run."""
    _faulty.click("[data-tab=charts]")
    seek(_faulty, 0.5)
    return _faulty, open_run(folder / "runs" / "short-faults")


def test_the_timeline_leads_to_a_step_and_what_it_comes_from(faulty):
    page, run = faulty
    lost = run.table("steps")["tokens_lost"].to_numpy()
    worst = int(lost.argmax())
    assert lost[worst] > 0
    page.click("[data-tab=timeline]")
    box = page.locator(".tw-timeline").bounding_box()
    page.mouse.click(box["x"] + box["width"] * (worst + 0.5) / len(lost), box["y"] + 60)
    settle(page)
    assert shown_step(page) == worst
    causes = page.inner_text(".tw-causes")
    assert f"Step {worst}" in causes
    assert f"{int(lost[worst])} token" in causes or "lost:" in causes
    assert page.locator(".tw-lane").count() == 7
    keep(page, "timeline")


def test_tokens_of_the_whole_run_are_found_and_lead_to_their_step(faulty):
    page, run = faulty
    page.click("[data-tab=find]")
    page.click("[data-look=Slowest]")
    page.wait_for_selector("[data-row]")
    rows = [r for r in run.table("tokens").to_pylist() if r["latency_s"] is not None]
    slowest = max(rows, key=lambda r: (r["latency_s"], -r["step"]))
    first = page.locator("[data-row]").first
    assert first.get_attribute("data-row") == f"{slowest['step']} {slowest['token']}"
    page.wait_for_selector(".tw-found i", state="attached")
    keep(page, "find-tokens")
    first.click()
    settle(page)
    assert shown_step(page) == slowest["step"]
    page.click("[data-look=Lost]")
    lost = [r for r in run.table("tokens").to_pylist() if not r["served"]]
    page.wait_for_selector(f".tw-hint:has-text('{len(lost)} of')")


def test_events_of_a_satellite_are_found(faulty):
    page, run = faulty
    page.click("[data-tab=find]")
    page.click("[data-what=events]")
    page.wait_for_selector("[data-choice=kind] option[value=fault]", state="attached")
    page.select_option("[data-choice=kind]", "fault")
    faults = [e for e in run.table("events").to_pylist() if e["kind"] == "fault"]
    page.wait_for_selector(f".tw-hint:has-text('{len(faults)} of')")
    page.locator("[data-row]").last.click()
    settle(page)
    shown = sorted(faults, key=lambda e: e["t_s"])[:50]
    step_s = run.table("steps")["t_s"][1].as_py()
    assert shown_step(page) == int(shown[-1]["t_s"] // step_s)
    name = page.locator("tr:last-child td").nth(1).inner_text()
    page.fill("[data-choice=satellite]", name)
    page.keyboard.press("Enter")
    mine = [e for e in faults if shown[-1]["satellite"] in (e["satellite"], e["other"])]
    page.wait_for_selector(f".tw-hint:has-text('{len(mine)} of')")
