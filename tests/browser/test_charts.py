"""Charts in a real browser: values under the pointer, zoom by a drag, files to take away."""

import csv
import xml.etree.ElementTree as ET

import pytest
from page_actions import keep, seek, settle, shown_step

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]
LATENCY = "[aria-label='Token latency (TPOT)']"


@pytest.fixture
def plot(opened):
    """The box of the chart of latencies, to move the mouse in."""
    opened.locator(f"{LATENCY} .u-over").scroll_into_view_if_needed()
    return opened.locator(f"{LATENCY} .u-over").bounding_box()


def test_the_pointer_reads_off_values(opened, plot):
    opened.mouse.move(plot["x"] + plot["width"] * 15 / 29, plot["y"] + 40)
    opened.wait_for_selector(f"{LATENCY} .tw-chart-caption:has-text('step 15')")
    keys = opened.inner_text(f"{LATENCY} .tw-chart-keys")
    for name in ("5 %", "median", "95 %", "slowest"):
        assert name in keys
    values = opened.locator(f"{LATENCY} .tw-chart-keys b").all_inner_texts()
    fast, median, slow, slowest = (float(value) for value in values)
    assert fast <= median <= slow <= slowest
    keep(opened, "chart-values")
    opened.mouse.move(5, 5)
    opened.wait_for_selector(f"{LATENCY} .tw-chart-caption:has-text('median, 5 to 95 %')")


def test_a_drag_zooms_all_charts_and_a_click_still_goes_to_its_step(opened, plot):
    seek(opened, 2.0)
    for share, act in ((10, opened.mouse.down), (20, opened.mouse.up)):
        opened.mouse.move(plot["x"] + plot["width"] * share / 29, plot["y"] + 40, steps=4)
        act()
    opened.wait_for_selector("[data-act=whole]")
    assert "steps=10-20" in opened.evaluate("location.search")
    assert shown_step(opened) == 2
    box = opened.locator("[aria-label='Laser links'] .u-over")
    box.scroll_into_view_if_needed()
    box.click(position={"x": box.bounding_box()["width"] / 2, "y": 30})
    settle(opened)
    assert shown_step(opened) == 15
    keep(opened, "chart-zoomed")
    opened.keyboard.press("Shift+Z")
    opened.wait_for_selector("[data-act=whole]", state="detached")
    opened.keyboard.press("z")
    opened.wait_for_selector("[data-act=whole]")
    opened.click("[data-act=whole]")
    opened.wait_for_selector("[data-act=whole]", state="detached")


def test_a_chart_is_taken_as_numbers_and_as_a_picture(opened, tmp_path):
    for kind in ("csv", "svg"):
        with opened.expect_download() as waiting:
            opened.click(f"{LATENCY} [data-file={kind}]")
        assert waiting.value.suggested_filename == f"short-space-xnet-token-latency-tpot.{kind}"
        waiting.value.save_as(tmp_path / f"chart.{kind}")
    rows = list(csv.reader((tmp_path / "chart.csv").read_text().splitlines()))
    assert rows[0][:3] == ["step", "5 % (latency, s)", "median (latency, s)"]
    assert [row[0] for row in rows[1:]] == [str(step) for step in range(30)]
    words = {
        t.text for t in ET.parse(tmp_path / "chart.svg").iter("{http://www.w3.org/2000/svg}text")
    }
    assert {"Token latency (TPOT)", "step", "latency, s", "median", "slowest"} <= words
    assert any("run short-space-xnet" in word for word in words)
