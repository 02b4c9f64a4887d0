"""Notes at times of a run: left, seen on the bar of time, gone to, taken away."""

import pytest
from page_actions import READY_MS, keep, seek, settle, shown_step

from agents.run import run_scenario
from twin.runs import notes
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
PROXY = {"X-Forwarded-For": "1.2.3.4"}


@pytest.fixture
def noted(tmp_path):
    scenario = loader.load("small", ["simulation.steps=12"])
    run = run_scenario(scenario, runs_dir=tmp_path / "runs", run_id="noted")
    notes.add(run.path, 0.0, "the start")
    return tmp_path, run


def opened(page, address):
    page.goto(f"{address}/?run=noted&tab=events")
    page.wait_for_selector(".tw-stage[data-ready='12']", timeout=READY_MS)
    page.wait_for_selector("[data-note-mark]", state="attached")


def test_a_note_is_left_at_a_step_and_leads_there(noted, browser, serious, watched):
    folder, run = noted
    page = browser.new_page(viewport=WINDOW, color_scheme="dark")
    with served(folder) as address, watched(page):
        opened(page, address)
        seek(page, 8.5)
        page.fill("[data-field=note]", "latency rises <b>here</b>")
        page.press("[data-field=note]", "Enter")
        page.wait_for_selector("[data-note] >> text=latency rises <b>here</b>")
        assert page.input_value("[data-field=note]") == ""
        kept = notes.read(run.path)[1]
        step_s = run.table("steps")["t_s"][1].as_py()
        assert kept.t_s // step_s == 8
        for width in (390, 1400):
            page.set_viewport_size({"width": width, "height": 900})
            settle(page)
            assert serious(page) == [], width
        seek(page, 2.5)
        mark = page.locator(f"[data-note-mark='{kept.id}']").bounding_box()
        page.mouse.move(mark["x"] + 5, mark["y"] + 4)
        page.wait_for_selector(".tw-note-tip >> text=step 8")
        keep(page, "notes")
        page.mouse.click(mark["x"] + 5, mark["y"] + 4)
        assert shown_step(page) == 8
        page.locator("[data-note] .tw-event").first.click()
        assert shown_step(page) == 0
        page.reload()
        page.wait_for_selector(f"[data-note='{kept.id}'] [data-act=unnote]", timeout=READY_MS)
        page.click(f"[data-note='{kept.id}'] [data-act=unnote]")
        page.wait_for_selector(f"[data-note='{kept.id}']", state="detached")
        assert [note.text for note in notes.read(run.path)] == ["the start"]
    page.close()


def test_who_may_not_change_runs_reads_notes_only(noted, browser, watched):
    page = browser.new_page(viewport=WINDOW, extra_http_headers=PROXY)
    with served(noted[0]) as address, watched(page):
        opened(page, address)
        assert "the start" in page.inner_text(".tw-notes")
        assert page.locator("[data-field=note], [data-act=unnote]").count() == 0
    page.close()
