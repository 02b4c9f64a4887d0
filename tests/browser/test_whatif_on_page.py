"""What if, by a click: a branch beside the run on stage."""

import pytest
from page_actions import READY_MS, keep, seek, settle, shown_step

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]
TWO = "document.querySelector('.tw-stage').dataset.runs.split(',').length === 2"


def branched(page):
    page.wait_for_function(TWO, timeout=READY_MS)
    page.wait_for_selector(".tw-note", state="detached", timeout=READY_MS)
    settle(page)


def test_losing_a_satellite_starts_a_branch_beside_its_parent(fresh):
    seek(fresh, 12.4)
    fresh.click("[data-tab=table]")
    fresh.fill(".tw-find input", "gateway")
    settle(fresh)
    fresh.locator("[data-satellite]").first.click()
    name = fresh.locator("[data-satellite]").first.inner_text()
    fresh.click("[data-tab=satellite]")
    fresh.click("[data-act=lose]")
    branched(fresh)
    assert shown_step(fresh) == 12
    words = f"{name} lost from step 12"
    compared = fresh.inner_text(".tw-compared")
    assert words in compared
    assert "as it was" in compared
    fresh.click("[data-tab=charts]")
    fresh.wait_for_function("document.querySelector('.tw-compared').innerText.includes('Of steps')")
    assert "Of steps 12 to 29" in fresh.inner_text(".tw-compared")
    titles = fresh.locator(".tw-chart-title b").all_inner_texts()
    assert "Difference to as it was" in titles
    keep(fresh, "what-if")
    # Both come back.
    runs = fresh.get_attribute(".tw-stage", "data-runs")
    fresh.reload()
    fresh.wait_for_selector(".tw-stage[data-draws]", timeout=READY_MS)
    branched(fresh)
    assert fresh.get_attribute(".tw-stage", "data-runs") == runs


def test_a_policy_is_changed_and_a_link_is_cut(fresh):
    seek(fresh, 5.4)
    fresh.click("[data-tab=whatif]")
    assert fresh.locator("[data-act=branch]").is_disabled()
    fresh.select_option("[data-field='controller.policy']", "periodic")
    fresh.fill("[data-field='outages.availability']", "0.8")
    keep(fresh, "what-if-form")
    fresh.click("[data-act=branch]")
    branched(fresh)
    compared = fresh.inner_text(".tw-compared")
    assert "link availability 0.8, policy periodic from step 5" in compared
    # Taken away again: what is left is the parent.
    fresh.locator("[data-act=away]").nth(1).click()
    fresh.wait_for_selector(".tw-compared", state="detached")
    fresh.click("[data-tab=satellite]")
    fresh.keyboard.press("j")
    settle(fresh)
    fresh.locator("[data-cut]").first.click()
    branched(fresh)
    assert "cut from step 5" in fresh.inner_text(".tw-compared")


def test_what_cannot_be_changed_so_is_a_note(fresh):
    fresh.click("[data-tab=whatif]")
    fresh.fill("[data-field='outages.availability']", "7")
    fresh.click("[data-act=branch]")
    fresh.wait_for_selector(".tw-wrong:has-text('less than or equal to 1')", timeout=READY_MS)
    assert "," not in fresh.get_attribute(".tw-stage", "data-runs")
