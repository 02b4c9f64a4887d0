"""What the page does with runs, in a real browser: start, open, compare, take away."""

import json
import time
from pathlib import Path

import pytest
from page_actions import READY_MS, choose, differ, keep, look, only_kind, seek, shown_step

from twin.views import server
from twin.views.picture import WINDOW
from twin.views.server import served

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]


@pytest.mark.parametrize(
    ("button", "name"),
    [
        ("Scenario", "short-space-xnet.toml"),
        ("Tables", "short-space-xnet.zip"),
        ("CZML", "short-space-xnet.czml"),
        ("Network, step 8", "short-space-xnet-step8.graphml"),
    ],
)
def test_a_run_can_be_taken_away(opened, tmp_path, button, name):
    seek(opened, 8.5)
    opened.wait_for_timeout(1500)
    opened.click("text=Download")
    with opened.expect_download() as waiting:
        opened.locator(".tw-form button", has_text=button).click()
    assert waiting.value.suggested_filename == name
    waiting.value.save_as(tmp_path / name)
    text = (tmp_path / name).read_bytes()
    assert len(text) > 500
    if name.endswith("czml"):
        assert json.loads(text)[0]["id"] == "document"
    opened.locator(".tw-form button", has_text="Close").click()
    opened.wait_for_selector(".tw-form", state="detached")


def test_events_are_filtered_and_lead_to_their_time(fresh):
    choose(fresh, "Open a run", "on-event")
    fresh.wait_for_function("document.querySelector('.tw-stage').dataset.runs === 'short-faults'")
    fresh.wait_for_selector(".tw-note", state="detached")
    fresh.click("[data-tab=events]")
    seek(fresh, 15.0)
    filters = fresh.inner_text(".tw-filters")
    for kind in ("ground-handover", "fault", "replan", "migration-start", "isl-down", "umbra-in"):
        assert kind in filters
    only_kind(fresh, "fault")
    kinds = {b.inner_text() for b in fresh.locator(".tw-event b").all()}
    assert kinds == {"fault"}
    fresh.locator(".tw-event").last.click()
    fresh.wait_for_timeout(400)
    assert shown_step(fresh) != 15
    rows = fresh.locator(".tw-event").count()
    fresh.click("[data-act=only]")
    fresh.wait_for_timeout(300)
    assert 0 < fresh.locator(".tw-event").count() < rows
    keep(fresh, "events")


def test_moving_weights_and_cities_are_drawn(fresh):
    choose(fresh, "Open a run", "on-event")
    fresh.wait_for_function("document.querySelector('.tw-stage').dataset.runs === 'short-faults'")
    fresh.wait_for_selector(".tw-note", state="detached")
    fresh.click("[data-tab=events]")
    only_kind(fresh, "migration-start")
    fresh.locator(".tw-event").first.click()
    fresh.wait_for_timeout(400)
    for what in ("migrations", "ground"):
        before = look(fresh)
        fresh.click(f"[data-show={what}]")
        assert differ(look(fresh), before, 0.03) > 20
    fresh.click("[data-show=migrations]")
    keep(fresh, "migration")


def test_runs_stand_side_by_side(fresh):
    choose(fresh, "Beside it", "rand-intra")
    fresh.wait_for_function("document.querySelector('.tw-stage').dataset.runs.includes(',')")
    fresh.wait_for_selector(".tw-note", state="detached")
    seek(fresh, 7.4)
    assert fresh.locator(".tw-pane").count() == 2
    assert "Difference to" in fresh.inner_text(".tw-charts")
    keep(fresh, "compare-globes")
    fresh.click("[data-view=ring]")
    fresh.click("[data-view=globe]")
    fresh.wait_for_timeout(500)
    keep(fresh, "compare-rings")
    # Cameras of a kind move together.
    second = fresh.locator("[data-pane=ring]").nth(1).bounding_box()
    before = look(fresh)
    first = fresh.locator("[data-pane=ring]").first.bounding_box()
    fresh.mouse.move(first["x"] + 100, first["y"] + 100)
    fresh.mouse.wheel(0, -400)
    after = look(fresh)
    stage = fresh.locator(".tw-stage-area").bounding_box()
    left = int(second["x"] - stage["x"])
    assert differ(after[:, left:], before[:, left:]) > 500
    fresh.click("[data-tab=token]")
    assert "space-xnet" in fresh.inner_text(".tw-of")


def test_an_address_leads_back_to_the_same_run_and_time(fresh, address):
    choose(fresh, "Open a run", "rand-intra ·")
    fresh.wait_for_function(
        "document.querySelector('.tw-stage').dataset.runs === 'short-rand-intra'"
    )
    fresh.wait_for_selector(".tw-note", state="detached")
    seek(fresh, 11.5)
    shared = fresh.url
    assert "run=short-rand-intra" in shared
    fresh.goto("about:blank")
    fresh.goto(shared)
    fresh.wait_for_selector(".tw-stage[data-draws]", timeout=READY_MS)
    fresh.wait_for_function("document.querySelector('.tw-step').textContent.startsWith('step 11 ')")
    assert fresh.get_attribute(".tw-stage", "data-runs") == "short-rand-intra"


@pytest.mark.parametrize("wanted", ["nothing-like-it", "../../etc", "short-space-xnet/.."])
def test_an_address_of_no_run_is_told(page, address, watched, wanted):
    with watched(page):
        page.goto(f"{address}/?run={wanted}")
        page.wait_for_selector("text=There is no such run here", timeout=READY_MS)


def test_a_run_is_set_up_started_and_compared(fresh):
    fresh.click("text=New run")
    choose(fresh, "Start from", "small")
    altitude = fresh.locator(".tw-field", has_text="altitude").locator("input")
    fresh.wait_for_function(
        "[...document.querySelectorAll('.tw-field input')].some(i => i.value === '1200.0')"
    )
    altitude.fill("20")
    fresh.wait_for_selector("text=greater than or equal to 150")
    keep(fresh, "form")
    assert fresh.locator(".tw-form .tw-run").is_disabled()
    altitude.fill("900")
    fresh.wait_for_selector("text=greater than or equal to 150", state="detached")
    choose(fresh, "Strategies", "rand-place")
    fresh.keyboard.press("Escape")
    fresh.wait_for_selector("text=2 runs on the same seed")
    fresh.locator(".tw-form .tw-run").click()
    fresh.wait_for_function(
        "document.querySelector('.tw-stage').dataset.runs.includes('rand-place')", timeout=READY_MS
    )
    fresh.wait_for_selector(".tw-note", state="detached", timeout=READY_MS)
    assert "small-space-xnet" in fresh.get_attribute(".tw-stage", "data-runs")


def test_a_run_plays_before_it_ends_and_can_be_cancelled(fresh, folder):
    fresh.click("text=New run")
    choose(fresh, "Start from", "paper-star")
    steps = fresh.locator(".tw-field", has_text="steps").first.locator("input")
    fresh.wait_for_timeout(500)
    steps.fill("4000")
    fresh.wait_for_timeout(800)
    fresh.locator(".tw-form .tw-run").click()
    fresh.wait_for_function(
        "document.querySelector('.tw-stage').dataset.runs.includes('paper-star')",
        timeout=READY_MS,
    )
    assert "Running paper-star" in fresh.inner_text(".tw-note")
    fresh.locator(".tw-cancel").click()
    fresh.wait_for_selector(".tw-note", state="detached", timeout=READY_MS)
    assert "paper-star" in fresh.inner_text(".tw-title")
    _wait_until_partial(folder)


def test_what_a_closed_page_computed_stops_after_a_while(fresh, folder):
    fresh.click("text=New run")
    choose(fresh, "Start from", "paper-star")
    fresh.wait_for_timeout(500)
    fresh.locator(".tw-field", has_text="steps").first.locator("input").fill("4000")
    fresh.wait_for_timeout(800)
    fresh.locator(".tw-form .tw-run").click()
    fresh.wait_for_selector("text=Running paper-star with space-xnet: step", timeout=READY_MS)
    fresh.close()
    _wait_until_partial(folder)


def _wait_until_partial(folder):
    """Runs of paper-star end as interrupted ones."""
    deadline = time.monotonic() + 90
    left = []
    while time.monotonic() < deadline:
        left = [p for p in (folder / "runs").iterdir() if "paper-star" in p.name]
        manifests = [p / "manifest.json" for p in left]
        if left and all(m.exists() and '"running"' not in m.read_text() for m in manifests):
            break
        time.sleep(0.2)
    assert left
    assert all(p.name.endswith(".partial") for p in left)


def test_the_papers_table_has_a_page_of_its_own(fresh):
    fresh.click("text=Paper's table")
    fresh.wait_for_selector("text=Space-XNet's table, reproduced")
    fresh.wait_for_selector("text=Compute it")
    fresh.click("text=Back to the twin")
    fresh.wait_for_selector(".tw-stage[data-draws]", timeout=READY_MS)


def test_mesas_own_page_shows_the_stage(browser, folder, watched):
    mesa_viz = Path(server.__file__).with_name("mesa_viz.py")
    with served(folder, app=mesa_viz) as url:
        page = browser.new_page(viewport=WINDOW, color_scheme="dark")
        with watched(page):
            page.goto(url)
            page.wait_for_selector("button:has-text('Step')", timeout=READY_MS)
            page.locator("button:has-text('Step')").click()
            page.wait_for_selector(".tw-stage[data-draws]", timeout=READY_MS)
            page.locator("button:has-text('Step')").click()
            page.wait_for_selector("text=Time: 2")
            page.wait_for_timeout(500)
            assert page.inner_text(".tw-title") == "small"
            keep(page, "mesa")
        page.close()
