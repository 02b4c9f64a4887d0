"""A newcomer's way through the page, as the guide tells it; its screens are the guide's.

`GUIDE_SCREENS=1 pytest tests/browser/test_newcomer.py` writes them into the guide.
"""

import pytest
from page_actions import READY_MS, choose, keep, screen, seek, settle

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]


def test_a_newcomer_sees_what_is_shown_fails_a_satellite_and_takes_a_figure_away(fresh, tmp_path):
    # What is shown.
    fresh.click("[data-act=tour]")
    stops = 1
    while fresh.inner_text("[data-act=tour-next]") == "Next":
        fresh.click("[data-act=tour-next]")
        stops += 1
    assert stops == 8
    fresh.click("[data-act=tour-next]")
    fresh.wait_for_selector(".tw-tour", state="detached")
    fresh.click("[data-tab=about]")
    told = fresh.inner_text("[data-about='constellation.planes']")
    assert "6" in told
    assert "gateway" in fresh.inner_text(".tw-glossary")
    screen(fresh, "page-this-run")
    # The run as one picture.
    seek(fresh, 10.4)
    fresh.click("[data-tab=timeline]")
    settle(fresh)
    screen(fresh, "page-timeline")
    # Fail a satellite that serves.
    fresh.click("[data-tab=table]")
    fresh.fill(".tw-find input", "experts")
    settle(fresh)
    fresh.locator("[data-satellite]").nth(3).click()
    fresh.click("[data-tab=satellite]")
    fresh.click("[data-act=lose]")
    fresh.wait_for_function("document.querySelector('.tw-stage').dataset.runs.includes(',')")
    fresh.wait_for_selector(".tw-note", state="detached", timeout=READY_MS)
    # See the effect.
    fresh.wait_for_function("document.querySelector('.tw-compared').innerText.includes('Of steps')")
    fresh.click("[data-tab=charts]")
    settle(fresh)
    screen(fresh, "page-what-if")
    # Take the figure away.
    with fresh.expect_download() as waiting:
        fresh.locator("[data-file=svg]").nth(3).click()
    waiting.value.save_as(tmp_path / "figure.svg")
    assert "lost from step 10" in (tmp_path / "figure.svg").read_text()


def test_words_of_the_field_are_explained_where_they_stand(opened):
    gateway = opened.locator(".tw-legend abbr", has_text="gateway")
    assert "attention and router" in gateway.get_attribute("title")
    assert opened.locator(".tw-chart-title abbr", has_text="TPOT").count() == 1


def test_any_field_of_the_schema_is_found_in_the_form_with_what_it_is(opened):
    opened.click("text=New run")
    choose(opened, "Start from", "small")
    opened.wait_for_selector("text=A teaching case")
    search = opened.locator(".tw-more-fields input").first
    search.click()
    search.type("grazing")
    opened.locator(".menuable__content__active .v-list-item").first.click()
    field = opened.locator(".tw-field", has_text="links.grazing_altitude_km")
    field.wait_for()
    assert "default 80" in field.inner_text()
    field.locator("input").fill("-500")
    opened.wait_for_selector("text=greater than or equal to")
    opened.locator(".tw-form button", has_text="Close").click()
    opened.wait_for_selector(".tw-form", state="detached")


def test_a_wide_and_a_narrow_window_hold_the_new_pages(opened):
    for width, height in ((1920, 1080), (390, 844)):
        opened.set_viewport_size({"width": width, "height": height})
        settle(opened)
        for tab in ("timeline", "find", "whatif", "about"):
            opened.click(f"[data-tab={tab}]")
            settle(opened)
            wide = "document.documentElement.scrollWidth <= window.innerWidth"
            assert opened.evaluate(wide), (width, tab)
            keep(opened, f"{width}-{tab}")
    opened.set_viewport_size({"width": 1400, "height": 900})
