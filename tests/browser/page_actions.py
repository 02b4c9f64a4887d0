"""What a user does on the page, and what can be seen of it."""

import io
import os
from pathlib import Path

import numpy as np
from matplotlib.image import imread

from twin.guide import build
from twin.views.picture import SEEK

READY_MS = 60_000
IMAGES = Path(build.__file__).parent / "images"
COLOURS, WIDTH = 256, 1000
SCREENS = Path("test-results") / "screens"


def look(page, selector=".tw-stage-area"):
    """Pixels of an element, (rows, columns, 3), 0 to 1."""
    settle(page)
    page.wait_for_timeout(400)
    return imread(io.BytesIO(page.locator(selector).first.screenshot()))[..., :3]


def differ(first, second, threshold=0.1):
    return int((np.abs(first - second).max(axis=2) > threshold).sum())


def keep(page, name):
    """Keep a picture of the page for whoever wants to see what the tests saw."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png")


def screen(page, name):
    """Keep a picture; of the guide too, if that was asked for (``GUIDE_SCREENS=1``)."""
    keep(page, name)
    if os.environ.get("GUIDE_SCREENS"):
        from PIL import Image

        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        picture = picture.resize((WIDTH, WIDTH * picture.height // picture.width))
        picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE).save(
            IMAGES / f"{name}.png", optimize=True
        )


def seek(page, time_steps):
    """Stop at a time, measured in steps from the start."""
    page.evaluate(SEEK, time_steps)
    settle(page)
    page.wait_for_timeout(400)


def settle(page):
    """Wait until what was just done has been drawn, however slow the machine is."""
    twice = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.evaluate(twice)
    page.wait_for_timeout(100)


def shown_step(page):
    settle(page)
    return int(page.inner_text(".tw-step").split()[1])


def draws(page):
    return int(page.get_attribute(".tw-stage", "data-draws"))


def choose(page, label, option):
    page.locator(".tw-choice", has_text=label).first.click()
    page.locator(".menuable__content__active .v-list-item", has_text=option).first.click()


def only_kind(page, wanted):
    """Leave one kind of events in the log."""
    shown = page.locator("[data-kind][aria-pressed=true]")
    for kind in [button.get_attribute("data-kind") for button in shown.all()]:
        if kind != wanted:
            page.click(f"[data-kind={kind}]")
    page.wait_for_timeout(300)


def pick_on_ring(page):
    """Click satellites of the ring until one is chosen; gives its name."""
    box = page.locator("[data-pane=ring]").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for right in range(30, int(box["width"] / 2), 5):
        page.mouse.click(x + right, y)
        settle(page)
        if page.locator(".tw-satellite h2").count():
            return page.inner_text(".tw-satellite h2")
    raise AssertionError("no satellite on the ring")
