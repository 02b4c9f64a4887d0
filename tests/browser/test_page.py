"""Every control of the stage, in a real browser."""

import re

import pytest
from matplotlib.image import imread
from page_actions import differ, draws, keep, look, pick_on_ring, seek, settle, shown_step

pytestmark = [
    pytest.mark.browser,
    # The fixture is pytest-base-url's.
    pytest.mark.filterwarnings(
        "ignore:Session-scoped fixtures defined as instance:pytest.PytestRemovedIn10Warning"
    ),
]


def test_the_page_shows_an_earth_satellites_and_what_they_are(opened):
    seek(opened, 3.4)
    picture = look(opened)
    assert (picture.max(axis=2) > 0.9).sum() > 100  # rings of gateways, tokens, light satellites
    assert opened.title() == "Orbital Twin"
    assert opened.inner_text(".tw-title") == "small"
    assert "48 satellites in 6 planes" in opened.inner_text(".tw-subtitle")
    legend = opened.inner_text(".tw-legend")
    for sign in ("gateway", "experts", "nothing", "shadow", "tokens", "live", "down", "layer 7"):
        assert sign in legend
    assert "4 of 32" in legend
    assert "slower" in opened.inner_text(".tw-pace")
    keep(opened, "globe")


def test_time_runs_until_paused_and_a_still_page_draws_nothing(opened):
    seek(opened, 0.0)
    opened.click("[data-speed='16']")
    opened.click(".tw-play")
    began = shown_step(opened)
    opened.wait_for_function(
        f"parseInt(document.querySelector('.tw-step').textContent.split(' ')[1]) != {began}"
    )
    opened.click(".tw-play")
    opened.wait_for_timeout(1000)
    before = draws(opened), shown_step(opened)
    opened.wait_for_timeout(1200)
    assert (draws(opened), shown_step(opened)) == before
    opened.click("[data-speed='1']")
    opened.click(".tw-play")
    opened.wait_for_timeout(800)
    assert draws(opened) > before[0]
    opened.click(".tw-play")


def test_buttons_of_time_go_step_by_step_and_event_by_event(opened):
    seek(opened, 10.0)
    opened.click("[data-act=ahead]")
    assert shown_step(opened) == 11
    opened.click("[data-act=back]")
    opened.click("[data-act=back]")
    assert shown_step(opened) == 9
    opened.click("[data-act=earlier]")
    first = shown_step(opened)
    assert first < 9
    opened.click("[data-act=later]")
    assert shown_step(opened) >= first


def test_a_tick_is_a_way_to_its_step(opened):
    seek(opened, 0.0)
    ticks = opened.locator(".tw-ticks").bounding_box()
    opened.mouse.move(ticks["x"] + ticks["width"] * 0.52, ticks["y"] + 3)
    opened.wait_for_selector(".tw-tip:not([hidden])")
    assert "shadow event" in opened.inner_text(".tw-tip")
    opened.mouse.click(ticks["x"] + ticks["width"] * 0.52, ticks["y"] + 3)
    opened.wait_for_timeout(300)
    assert 14 <= shown_step(opened) <= 18


def test_scrubbing_moves_stage_and_charts_together(opened):
    seek(opened, 4.5)
    first = look(opened), look(opened, ".tw-charts")
    assert shown_step(opened) == 4
    seek(opened, 20.5)
    assert shown_step(opened) == 20
    assert differ(look(opened), first[0], 0.3) > 100
    assert differ(look(opened, ".tw-charts"), first[1]) > 100
    titles = opened.inner_text(".tw-charts")
    for title in ("by layer", "TPOT", "Distribution", "lost, by cause", "Batteries", "Laser links"):
        assert title in titles


def test_a_click_on_a_chart_goes_to_its_step(opened):
    seek(opened, 2.0)
    opened.locator(".tw-chart .u-over").nth(1).click(position={"x": 200, "y": 40})
    opened.wait_for_timeout(300)
    assert shown_step(opened) > 10


def test_colours_follow_the_choice(opened):
    seek(opened, 6.0)
    pictures = {}
    ends = {
        "layer": "layer 7",
        "sunlit": "in shadow",
        "soc": "empty",
        "temperature": "100 °C",
        "utilisation": "idle",
        "state": "on reserve",
    }
    for mode, end in ends.items():
        opened.click(f"[data-colour={mode}]")
        pictures[mode] = look(opened)
        assert end in opened.inner_text(".tw-ends")
        assert opened.get_attribute(f"[data-colour={mode}]", "aria-pressed") == "true"
    assert differ(pictures["layer"], pictures["sunlit"]) > 50
    assert differ(pictures["sunlit"], pictures["soc"]) > 50
    assert differ(pictures["soc"], pictures["state"]) > 50


@pytest.mark.parametrize(
    "what", ["tokens", "ring", "live", "down", "shadow", "labels", "sizeByLoad"]
)
def test_what_is_drawn_can_be_switched(opened, what):
    seek(opened, 8.7)
    before = look(opened)
    opened.click(f"[data-show={what}]")
    assert differ(look(opened), before, 0.03) > 60
    opened.click(f"[data-show={what}]")
    assert differ(look(opened), before, 0.03) < 20


def test_a_layer_is_found_on_the_ramp(opened):
    seek(opened, 8.7)
    before = look(opened)
    width = opened.locator(".tw-ramp").bounding_box()["width"]
    opened.click(".tw-ramp", position={"x": width * 6.5 / 8, "y": 4})
    opened.wait_for_selector(".tw-focus:has-text('layer 6: gateway P')")
    assert differ(look(opened), before) > 200
    opened.locator(".tw-ramp").press("ArrowRight")
    opened.wait_for_selector(".tw-focus:has-text('layer 7: gateway P')")
    opened.keyboard.press("Escape")
    opened.mouse.move(700, 450)
    opened.wait_for_selector(".tw-focus", state="hidden")


@pytest.mark.parametrize("view", ["globe", "map", "ring"])
def test_each_view_stands_alone_or_beside_others(opened, view):
    seek(opened, 8.3)
    for other in {"globe", "map", "ring"} - {view}:
        if opened.get_attribute(f"[data-view={view}]", "aria-pressed") != "true":
            opened.click(f"[data-view={view}]")
        if opened.get_attribute(f"[data-view={other}]", "aria-pressed") == "true":
            opened.click(f"[data-view={other}]")
    assert opened.locator(".tw-pane").count() == 1
    assert look(opened).std() > 0.03
    keep(opened, view if view != "globe" else "globe-alone")
    # The last one stays.
    opened.click(f"[data-view={view}]")
    assert opened.locator(f"[data-pane={view}]").count() == 1


def test_the_camera_is_moved_by_mouse_buttons_and_keys(opened):
    seek(opened, 2.0)
    box = opened.locator("[data-pane=globe]").bounding_box()
    before = look(opened)
    opened.mouse.move(box["x"] + 400, box["y"] + 350)
    opened.mouse.down()
    opened.mouse.move(box["x"] + 300, box["y"] + 400, steps=4)
    opened.mouse.up()
    dragged = look(opened)
    assert differ(dragged, before) > 3000
    for act in ("[data-act=closer]", "[data-act=farther]", "[data-act=farther]"):
        opened.click(act)
        after = look(opened)
        assert differ(after, dragged) > 1000
        dragged = after
    for key in "dw":
        opened.keyboard.press(key)
        after = look(opened)
        assert differ(after, dragged) > 1000
        dragged = after
    opened.click("[data-act=home]")
    assert differ(look(opened), dragged) > 1000


def test_earth_fixed_and_inertial_frames(opened):
    opened.click("[data-act=home]")
    opened.click("[data-fixed=true]")
    seek(opened, 1.0)
    fixed = look(opened)
    seek(opened, 29.0)
    earth_moved = differ(look(opened), fixed)
    opened.click("[data-fixed=false]")
    seek(opened, 1.0)
    inertial = look(opened)
    seek(opened, 29.0)
    # Over one orbit Earth turns by 27 degrees: only among the stars does it move in the picture.
    assert differ(look(opened), inertial) > earth_moved


def test_a_satellite_has_a_card_and_can_be_followed(opened):
    seek(opened, 12.0)
    assert opened.locator("[data-act=follow]").is_disabled()
    name = pick_on_ring(opened)
    card = opened.inner_text(".tw-satellite")
    for what in ("plane", "hosts", "battery", "temperature", "Laser links", "Events"):
        assert what in card
    assert opened.locator(".tw-spark").count() == 1
    keep(opened, "satellite")
    opened.locator(".tw-satellite .tw-plain button").first.click()
    opened.wait_for_timeout(300)
    assert opened.inner_text(".tw-satellite h2") != name
    opened.click("[data-act=follow]")
    before = look(opened)
    seek(opened, 16.0)
    assert opened.get_attribute("[data-act=follow]", "aria-pressed") == "true"
    assert differ(look(opened), before) > 2000
    opened.click("[data-act=follow]")


def test_a_satellite_under_the_pointer_is_described(opened):
    seek(opened, 0.0)
    box = opened.locator("[data-pane=ring]").bounding_box()
    for right in range(30, int(box["width"] / 2), 5):
        x = box["x"] + box["width"] / 2 + right
        opened.mouse.move(x, box["y"] + box["height"] / 2)
        settle(opened)
        if opened.locator(".tw-hover:not([hidden])").count():
            break
    assert re.match(r"P\dS\d.*battery \d+ %", opened.text_content(".tw-hover"))


def test_a_token_tells_its_way_and_why_it_was_slow(opened):
    opened.click("[data-tab=token]")
    seek(opened, 5.02)
    assert "layer 0 of 0-7" in opened.inner_text(".tw-token-list")
    seek(opened, 5.99)
    assert "arrived" in opened.inner_text(".tw-token-list")
    seek(opened, 5.5)
    before = look(opened)
    opened.locator("[data-token]").first.click()
    verdict = opened.inner_text(".tw-verdict")
    assert re.search(r"than the run's mean; \d+ % of it on the way", verdict)
    assert re.search(r"Most was lost in layer \d: \d+ ms instead of \d+ ms, for \d+ hops", verdict)
    assert opened.locator(".tw-way-row").count() == 8
    assert differ(look(opened), before) > 100
    keep(opened, "token")
    opened.click("[data-layer='2']")
    opened.wait_for_selector(".tw-focus:has-text('layer 2: gateway')")
    opened.click("[data-act=follow]")
    before = look(opened)
    seek(opened, 5.7)
    assert differ(look(opened), before) > 1000


def test_keys_do_what_the_list_of_keys_says(opened):
    seek(opened, 10.0)
    opened.click("[data-act=help]")
    assert "play or pause" in opened.inner_text(".tw-keys")
    opened.click("[data-act=help]")
    opened.locator(".tw-stage").focus()
    opened.keyboard.press("ArrowRight")
    assert shown_step(opened) == 11
    opened.keyboard.press("Shift+ArrowLeft")
    assert shown_step(opened) < 11
    for key, selector in (("3", "[data-view=ring]"), ("2", "[data-view=map]")):
        before = opened.get_attribute(selector, "aria-pressed")
        opened.keyboard.press(key)
        assert opened.get_attribute(selector, "aria-pressed") != before
    opened.keyboard.press("c")
    assert opened.get_attribute("[data-colour=sunlit]", "aria-pressed") == "true"
    opened.keyboard.press("e")
    assert opened.get_attribute("[data-fixed=true]", "aria-pressed") == "true"
    opened.keyboard.press("l")
    assert opened.get_attribute("[data-show=labels]", "aria-pressed") == "false"
    opened.keyboard.press("]")
    opened.wait_for_timeout(200)
    assert opened.get_attribute("[data-speed='4']", "aria-pressed") == "true"
    opened.keyboard.press("[")
    opened.keyboard.press(" ")
    opened.wait_for_timeout(300)
    assert opened.get_attribute(".tw-play", "aria-label") == "pause"
    opened.keyboard.press(" ")


def test_light_and_dark(opened):
    seek(opened, 3.0)
    dark = look(opened, ".tw-page")
    opened.click("[data-act=theme]")
    opened.wait_for_timeout(600)
    light = look(opened, ".tw-page")
    assert dark.mean() < 0.25
    assert light.mean() > 0.7
    keep(opened, "light")
    opened.keyboard.press("t")
    opened.wait_for_timeout(600)
    assert look(opened, ".tw-page").mean() < 0.25


def test_a_picture_can_be_saved(opened, tmp_path):
    with opened.expect_download() as waiting:
        opened.click("[data-act=png]")
    waiting.value.save_as(tmp_path / "p.png")
    assert waiting.value.suggested_filename == "short-space-xnet.png"
    assert imread(tmp_path / "p.png").std() > 0.03
