"""The page without eyes or without a mouse: axe's rules, keys, and what the system asks for."""

import pytest
from page_actions import READY_MS, keep, settle

from twin.views.picture import WINDOW

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]


def visit(browser, url, **more):
    page = browser.new_page(viewport=WINDOW, **more)
    page.goto(url)
    page.wait_for_selector(".tw-stage[data-ready='30']", timeout=READY_MS)
    page.wait_for_selector(".tw-note", state="detached", timeout=READY_MS)
    return page


TABS = ("charts", "timeline", "token", "satellite", "table", "events", "find", "whatif")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_serious(browser, address, serious, watched, theme):
    page = visit(browser, f"{address}/?run=short-faults&t=900", color_scheme=theme)
    with watched(page):
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        page.keyboard.press("j")
        for tab in TABS:
            page.click(f"[data-tab={tab}]")
            settle(page)
            assert serious(page) == [], tab
            keep(page, f"{theme}-{tab}")
        page.keyboard.press("?")
        page.click("text=New run")
        page.wait_for_selector(".tw-form .tw-run")
        page.wait_for_timeout(500)
        assert serious(page) == []
        page.goto(f"{address}/?run=short-space-xnet,short-rand-intra")
        page.wait_for_selector(".tw-figures-table td", timeout=READY_MS)
        assert serious(page) == []
        keep(page, f"{theme}-compared")
        page.goto(f"{address}/table")
        page.wait_for_selector("text=Compute it")
        assert serious(page) == []
    page.close()


def test_a_satellite_is_chosen_and_followed_without_a_mouse(opened):
    opened.keyboard.press("j")
    assert opened.inner_text(".tw-satellite h2") == "P0S0"
    opened.keyboard.press("j")
    assert opened.inner_text(".tw-satellite h2") == "P0S1"
    opened.keyboard.press("Shift+J")
    assert opened.inner_text(".tw-satellite h2") == "P1S1"
    opened.keyboard.press("f")
    assert opened.get_attribute("[data-act=follow]", "aria-pressed") == "true"
    opened.keyboard.press("Escape")
    assert opened.get_attribute("[data-act=follow]", "aria-pressed") == "false"
    opened.locator("[data-tab=satellite]").focus()
    opened.keyboard.press("ArrowRight")
    assert opened.evaluate("document.activeElement.dataset.tab") == "table"


def test_the_table_has_what_the_stage_shows_and_finds_a_satellite(opened):
    opened.click("[data-tab=table]")
    assert "48 of 48" in opened.inner_text(".tw-find")
    head = opened.inner_text(".tw-table thead")
    for column in ("layer", "hosts", "state", "sunlit", "battery", "links live", "latitude"):
        assert column in head
    opened.fill(".tw-find input", "gateway")
    settle(opened)
    roles = opened.locator(".tw-table tbody td:nth-child(3)").all_inner_texts()
    assert roles == ["gateway"] * 8
    opened.fill(".tw-find input", "p3s2")
    settle(opened)
    opened.locator("[data-satellite]").press("Enter")
    assert "sat=P3S2" in opened.evaluate("location.search")
    opened.fill(".tw-find input", "")


def test_a_form_closes_with_escape(opened):
    opened.click("text=New run")
    opened.wait_for_selector(".tw-form")
    opened.keyboard.press("Escape")
    opened.wait_for_selector(".tw-form", state="detached")


def test_who_wants_no_motion_gets_a_still_page(browser, address):
    page = visit(browser, f"{address}/?run=short-space-xnet", reduced_motion="reduce")
    assert page.get_attribute(".tw-play", "aria-label") == "play"
    assert page.get_attribute("html", "lang") == "en"
    page.close()
