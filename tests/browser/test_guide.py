"""The guide on the page, in a browser that refuses outside requests."""

import pytest

READY_MS = 60_000
pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]


def test_a_reader_goes_from_the_page_to_a_chapter_and_back(page, address, serious, watched):
    with watched(page):
        page.goto(f"{address}/?run=short-space-xnet")
        page.wait_for_selector(".tw-stage[data-draws]", timeout=READY_MS)
        page.click("text=Guide")
        page.wait_for_selector(".tw-guide h1", timeout=READY_MS)
        assert page.inner_text(".tw-guide h1") == "The guide to Orbital Twin"
        for width in (390, 1400):
            page.set_viewport_size({"width": width, "height": 900})
            assert serious(page) == [], width
        page.click(".tw-guide a:has-text('Eclipse and batteries')")
        page.wait_for_selector(".tw-guide table", timeout=READY_MS)
        assert page.inner_text(".tw-guide h1") == "Eclipse and batteries"
        assert serious(page) == []
        wide = "document.documentElement.scrollWidth <= window.innerWidth"
        assert page.evaluate(wide)
        page.click("text=Contents")
        page.wait_for_selector(".tw-guide a:has-text('Install')", timeout=READY_MS)


def test_an_unknown_chapter_is_the_first_page(page, address, watched):
    with watched(page):
        page.goto(f"{address}/guide?chapter=../../etc/passwd")
        page.wait_for_selector(".tw-guide h1", timeout=READY_MS)
        assert page.inner_text(".tw-guide h1") == "The guide to Orbital Twin"
