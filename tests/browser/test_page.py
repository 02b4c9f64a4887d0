import io
import time

import numpy as np
import pytest
from matplotlib.image import imread

from twin.views.picture import SEEK

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]

READY_MS = 60_000


def look(page, selector=".twin-globe canvas"):
    """Pixels of an element, (rows, columns, 3), 0 to 1."""
    page.wait_for_timeout(400)
    return imread(io.BytesIO(page.locator(selector).first.screenshot()))[..., :3]


def seek(page, time_steps):
    """Stop at a time, measured in steps from the start."""
    page.evaluate(SEEK, time_steps)
    page.wait_for_timeout(700)


def shown_step(page):
    return int(page.inner_text(".tg-step").split()[1])


def draws(page):
    return int(page.get_attribute(".twin-globe", "data-draws"))


def choose(page, label, option):
    page.locator(".tw-choice", has_text=label).first.click()
    page.locator(".menuable__content__active .v-list-item", has_text=option).first.click()


def mean_latency_s(page):
    return float(page.locator(".tw-value").first.inner_text().removesuffix("s"))


def chart(page):
    return page.evaluate("document.querySelector('.solara-echarts canvas').toDataURL()")


def test_the_page_shows_an_earth_and_satellites(opened):
    seek(opened, 3.4)
    picture = look(opened)
    rows, columns = picture.shape[:2]
    middle = picture[rows // 2 - 150 : rows // 2 + 50, columns // 2 - 100 : columns // 2 + 200]
    corner = picture[90:150, -60:]
    assert middle.mean() > 3 * corner.mean()
    assert (picture.max(axis=2) > 0.9).sum() > 100  # rings of gateways, tokens, light satellites
    assert opened.title() == "Orbital Twin"
    assert opened.inner_text(".tg-title") == "small"
    assert "48 satellites in 6 planes" in opened.inner_text(".tg-subtitle")


def test_legend_explains_what_is_seen(opened):
    legend = opened.inner_text(".tg-legend")
    for sign in ("gateway", "experts", "nothing", "tokens", "live", "down", "layer 1", "layer 8"):
        assert sign in legend
    assert "2 of 32 a step" in legend
    assert "slower than real" in opened.inner_text(".tg-pace")


def test_time_runs_until_paused_and_a_still_page_draws_nothing(opened):
    seek(opened, 0.0)
    opened.click("[data-speed='16']")
    opened.click(".tg-play")
    began = shown_step(opened)
    opened.wait_for_function(
        f"parseInt(document.querySelector('.tg-step').textContent.split(' ')[1]) != {began}"
    )
    opened.click(".tg-play")
    opened.wait_for_timeout(800)
    before = draws(opened), shown_step(opened)
    opened.wait_for_timeout(1200)
    assert (draws(opened), shown_step(opened)) == before
    opened.click("[data-speed='1']")
    opened.click(".tg-play")
    opened.wait_for_timeout(800)
    assert draws(opened) > before[0]


def test_scrubbing_moves_globe_and_charts_together(opened):
    seek(opened, 4.5)
    first = look(opened), chart(opened)
    assert shown_step(opened) == 5
    opened.wait_for_selector("text=Latency by layer, step 5")
    seek(opened, 20.5)
    assert shown_step(opened) == 21
    opened.wait_for_selector("text=Latency by layer, step 21")
    opened.wait_for_timeout(500)
    assert np.abs(look(opened) - first[0]).max() > 0.3
    assert chart(opened) != first[1]


def test_colours_follow_the_choice(opened):
    seek(opened, 6.0)
    pictures = {}
    ends = {"layer": "layer 8", "sunlit": "in shadow", "soc": "empty"}
    for mode, end in ends.items():
        opened.click(f"[data-colour={mode}]")
        pictures[mode] = look(opened)
        assert end in opened.inner_text(".tg-ends")
        assert opened.get_attribute(f"[data-colour={mode}]", "aria-pressed") == "true"
    assert (np.abs(pictures["layer"] - pictures["sunlit"]).max(axis=2) > 0.2).sum() > 50
    assert (np.abs(pictures["sunlit"] - pictures["soc"]).max(axis=2) > 0.2).sum() > 50


@pytest.mark.parametrize("what", ["tokens", "live", "down"])
def test_tokens_and_links_can_be_hidden(opened, what):
    seek(opened, 8.7)
    before = look(opened)
    opened.click(f"[data-show={what}]")
    changed = (np.abs(look(opened) - before).max(axis=2) > 0.03).sum()
    assert changed > 200
    opened.click(f"[data-show={what}]")
    np.testing.assert_allclose(look(opened), before, atol=0.02)


def test_dragging_turns_the_globe(opened):
    seek(opened, 2.0)
    before = look(opened)
    opened.mouse.move(620, 420)
    opened.mouse.down()
    opened.mouse.move(480, 470, steps=4)
    opened.mouse.up()
    assert (np.abs(look(opened) - before).max(axis=2) > 0.1).sum() > 5000


def test_a_satellite_under_the_pointer_is_described(opened):
    seek(opened, 0.0)
    opened.click("[data-show=tokens]")
    # A gateway's white ring is the brightest thing, off the panels, when no tokens are drawn.
    top, left = 150, 300
    lit = look(opened).min(axis=2)[top:-150, left:-50]
    row, column = (int(i) for i in np.unravel_index(np.argmax(lit), lit.shape))
    box = opened.locator(".twin-globe canvas").bounding_box()
    opened.mouse.move(box["x"] + left + column, box["y"] + top + row)
    opened.wait_for_selector(".tg-card:not([hidden])", timeout=5000)
    card = opened.inner_text(".tg-card")
    assert "plane" in card
    assert "gateway of layer" in card
    assert "battery" in card


def test_tokens_in_flight_tell_their_layer(opened):
    seek(opened, 5.02)
    assert "layer 1 of 8" in opened.inner_text(".tg-tokens")
    seek(opened, 5.99)
    assert "arrived" in opened.inner_text(".tg-tokens")


def test_a_run_can_be_cancelled(opened):
    seek(opened, 1.5)
    before = opened.inner_text(".tg-subtitle")
    choose(opened, "Scenario", "paper-star")
    opened.click(".tw-run")
    opened.wait_for_selector(".tw-note", timeout=READY_MS)
    opened.click(".tw-cancel")
    # A cancelled run stops before its next step, and then its note goes.
    opened.wait_for_selector(".tw-note", state="detached", timeout=READY_MS)
    opened.wait_for_selector(".tw-run")
    assert opened.inner_text(".tg-subtitle") == before


def test_another_strategy_can_be_run(fresh):
    seek(fresh, 0.5)
    before = mean_latency_s(fresh), chart(fresh)
    choose(fresh, "Scenario", "small")
    choose(fresh, "Strategy", "rand-place")
    fresh.click(".tw-run")
    fresh.wait_for_function(
        "document.querySelector('.tg-subtitle').innerText.includes('rand-place')",
        timeout=READY_MS,
    )
    fresh.wait_for_function("document.querySelector('.tg-step').innerText.endsWith('of 60')")
    fresh.wait_for_timeout(800)
    assert chart(fresh) != before[1]
    assert mean_latency_s(fresh) > before[0]


def test_an_earlier_run_can_be_opened(fresh):
    choose(fresh, "Open a run", "rand-intra ·")
    fresh.wait_for_function(
        "document.querySelector('.tg-subtitle').innerText.includes('rand-intra')",
        timeout=READY_MS,
    )
    # The counter is drawn with the next frame.
    fresh.wait_for_function("document.querySelector('.tg-step').innerText.endsWith('of 30')")


def test_closing_the_page_stops_its_work(fresh, folder):
    choose(fresh, "Scenario", "paper-star")
    fresh.click(".tw-run")
    fresh.wait_for_selector("text=Running paper-star with space-xnet: step", timeout=READY_MS)
    fresh.close()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        left = [p.name for p in (folder / "runs").iterdir() if "paper-star" in p.name]
        manifest = folder / "runs" / left[0] / "manifest.json" if left else None
        if manifest and manifest.exists() and '"running"' not in manifest.read_text():
            break
        time.sleep(0.2)
    assert left
    assert all(name.endswith(".partial") for name in left)
