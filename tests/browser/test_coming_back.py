"""Reload, go back, restart the server, come in a small window: the page is still what it was."""

import pytest
from page_actions import READY_MS, choose, keep, seek, settle

from twin.views.picture import WINDOW
from twin.views.server import served

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]
OVERLAPS = """() => {
    const names = ['head', 'toolbar', 'stage-area', 'bar', 'legend', 'side'];
    const boxes = names.map(n => document.querySelector(`.tw-${n}`).getBoundingClientRect());
    const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
    return names.flatMap((n, i) => names.slice(i + 1).filter(
        (m, j) => over(boxes[i], boxes[i + 1 + j])).map(m => `${n} ${m}`));
}"""


def runs(page):
    return page.get_attribute(".tw-stage", "data-runs")


def wait_for(page, run_id):
    page.wait_for_function(
        "id => document.querySelector('.tw-stage')?.dataset.runs === id", arg=run_id
    )


def test_a_reload_during_a_run_rejoins_it(fresh):
    fresh.click("text=New run")
    choose(fresh, "Start from", "paper-star")
    fresh.wait_for_timeout(800)
    fresh.locator(".tw-field", has_text="steps").first.locator("input").fill("4000")
    fresh.wait_for_timeout(800)
    fresh.locator(".tw-form .tw-run").click()
    fresh.wait_for_selector(".tw-stage[data-runs*=paper-star]", timeout=READY_MS)
    settle(fresh)
    run_id = runs(fresh)
    assert run_id in fresh.url
    fresh.reload()
    fresh.wait_for_selector(".tw-stage[data-draws]", timeout=READY_MS)
    assert runs(fresh) == run_id
    assert "Running paper-star" in fresh.inner_text(".tw-note")
    fresh.locator(".tw-cancel").click()
    fresh.wait_for_selector(".tw-note", state="detached", timeout=READY_MS)


def test_back_leads_to_what_was_seen_before(fresh):
    fresh.click("[data-colour=soc]")
    fresh.click("[data-view=globe]")
    fresh.click("[data-tab=events]")
    assert {"colour=soc", "view=ring", "tab=events"} <= set(fresh.url.split("?")[1].split("&"))
    fresh.go_back()
    settle(fresh)
    assert fresh.get_attribute("[data-tab=charts]", "aria-selected") == "true"
    fresh.go_back()
    settle(fresh)
    assert fresh.locator(".tw-pane").count() == 2
    fresh.go_back()
    settle(fresh)
    assert fresh.get_attribute("[data-colour=layer]", "aria-pressed") == "true"


def test_an_address_holds_the_whole_view(fresh, address, browser):
    seek(fresh, 9.5)
    for _ in range(3):
        fresh.keyboard.press("d")
    fresh.keyboard.press("j")
    fresh.keyboard.press("c")
    fresh.wait_for_timeout(1500)
    shared = fresh.url
    assert "cam=globe:" in shared
    page = browser.new_page(viewport=WINDOW, color_scheme="dark")
    page.goto(shared)
    page.wait_for_selector(".tw-stage[data-ready='30']", timeout=READY_MS)
    page.wait_for_selector(".tw-step:has-text('step 9 ')")
    assert page.inner_text(".tw-satellite h2") == "P0S0"
    assert page.get_attribute("[data-colour=sunlit]", "aria-pressed") == "true"
    page.wait_for_timeout(500)
    page.keyboard.press("ArrowRight")
    settle(page)
    assert page.url.split("cam=")[1][:24] == shared.split("cam=")[1][:24]
    page.close()


def test_after_a_restart_of_the_server_the_page_comes_back_by_itself(folder, browser):
    page = browser.new_page(viewport=WINDOW, color_scheme="dark")
    with served(folder) as url:
        page.goto(f"{url}/?run=short-rand-intra&t=600&colour=soc")
        page.wait_for_selector(".tw-stage[data-ready='30']", timeout=READY_MS)
        page.evaluate("window.before = true")
    with served(folder, port=int(url.rsplit(":", 1)[1])):
        page.wait_for_function(
            "!window.before && document.querySelector('.tw-stage')?.dataset.ready === '30'",
            timeout=2 * READY_MS,
        )
        assert runs(page) == "short-rand-intra"
        assert page.get_attribute("[data-colour=soc]", "aria-pressed") == "true"
    page.close()


def test_in_a_narrow_window_nothing_overlaps_and_the_wheel_scrolls(browser, address, watched):
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    with watched(page):
        page.goto(f"{address}/?run=short-space-xnet")
        page.wait_for_selector(".tw-stage[data-ready='30']", timeout=READY_MS)
        settle(page)
        assert page.evaluate(OVERLAPS) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        box = page.locator("[data-pane=globe]").bounding_box()
        page.mouse.move(box["x"] + 150, box["y"] + 150)
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(500)
        assert page.evaluate("scrollY") > 100
        keep(page, "narrow")
    page.close()


def test_following_leaves_the_ring_where_it_was(opened):
    pose = "new URLSearchParams(location.search).get('cam')?.split('ring:')[1]"
    opened.keyboard.press("d")
    opened.keyboard.press("j")
    opened.click("[data-act=follow]")
    seek(opened, 12.0)
    opened.click("[data-act=follow]")
    seek(opened, 13.0)
    opened.wait_for_timeout(1500)
    assert opened.evaluate(pose) == "0,0,1"
    opened.click("[data-act=home]")


def test_a_preset_that_needs_a_file_asks_for_it(opened):
    opened.click("text=New run")
    choose(opened, "Start from", "oneweb")
    opened.wait_for_selector("text=This scenario runs on real element sets")
    assert opened.locator(".tw-form .tw-run").count() == 0
    opened.locator(".tw-form button", has_text="Close").click()
    opened.wait_for_selector(".tw-form", state="detached")


def test_progress_is_in_no_buttons_way(opened):
    note = "<div class=tw-note>x</div>"
    opened.evaluate(
        "n => document.querySelector('.tw-main').insertAdjacentHTML('beforeend', n)", note
    )
    note = opened.locator(".tw-note").last.bounding_box()
    for button in opened.locator(".tw-stage button").all():
        box = button.bounding_box()
        apart = (
            box is None
            or box["x"] >= note["x"] + note["width"]
            or box["x"] + box["width"] <= note["x"]
            or box["y"] >= note["y"] + note["height"]
            or box["y"] + box["height"] <= note["y"]
        )
        assert apart
    opened.evaluate("document.querySelector('.tw-main > .tw-note:last-child').remove()")
