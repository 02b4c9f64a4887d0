"""The page's first picture of a run that is there, beside Solara's own empty page, in turns."""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from agents.run import run_scenario
from twin.errors import InputError
from twin.scenario import loader
from twin.views.picture import CHROMIUM, CHROMIUM_ARGS, WINDOW
from twin.views.server import served

EMPTY = """import solara


@solara.component
def Page():
    solara.Text("nothing here", classes=["empty-page"])
"""
DRAWN = ".tw-stage[data-draws]"
LONGEST_MS = 120_000
SETTLED_MS = 10_000
"""Until all frames are in the page, and it has found the sharpness it can keep up."""


def first_picture(
    *, rounds: int, seconds: float, progress: Callable[[int, int], None] = lambda done, total: None
) -> dict[str, Any]:
    """Open both pages in turns, each time in a browser context of its own, and count frames.

    Parameters
    ----------
    rounds : int
        Times that each page is opened; one more before them is not counted.
    seconds : float
        For which frames are counted.
    progress : callable
    """
    from playwright.sync_api import sync_playwright

    if not CHROMIUM.exists():
        raise InputError(f"page: needs {CHROMIUM}")
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "empty.py").write_text(EMPTY)
        run_scenario(
            loader.load("paper", ["simulation.record_tokens_per_step=8"]),
            runs_dir=folder / "runs",
            run_id="paper",
        )
        with (
            served(folder) as twin,
            served(folder, app=folder / "empty.py") as empty,
            sync_playwright() as playwright,
        ):
            pages = {"empty": (empty, ".empty-page"), "twin": (f"{twin}/?run=paper", DRAWN)}
            chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
            took: dict[str, list[float]] = {name: [] for name in pages}
            for number in range(rounds + 1):
                for name, (url, selector) in pages.items():
                    took_s = _first_picture_s(chromium, url, selector)
                    took[name] += [took_s] if number else []
                progress(number, rounds + 1)
            frames = _frames_per_s(chromium, pages["twin"][0], seconds)
            progress(rounds + 1, rounds + 1)
            chromium.close()
    median_s = {name: statistics.median(each) for name, each in took.items()}
    return {
        "first_picture_s": took,
        "median_s": median_s,
        "more_than_empty_s": median_s["twin"] - median_s["empty"],
        "frames_per_s": frames,
        "load": os.getloadavg()[0],
        "processors": os.cpu_count(),
    }


def _first_picture_s(chromium: Any, url: str, selector: str) -> float:
    context = chromium.new_context(viewport=WINDOW)
    one = context.new_page()
    began = time.perf_counter()
    one.goto(url)
    one.wait_for_selector(selector, state="attached", timeout=LONGEST_MS)
    took_s = time.perf_counter() - began
    context.close()
    return took_s


def _frames_per_s(chromium: Any, url: str, seconds: float) -> float:
    one = chromium.new_page(viewport=WINDOW)
    one.goto(url)
    one.wait_for_selector(DRAWN, state="attached", timeout=LONGEST_MS)
    one.wait_for_selector(".tw-note", state="detached", timeout=LONGEST_MS)
    one.wait_for_timeout(SETTLED_MS)
    now = "[performance.now() / 1000, Number(document.querySelector('.tw-stage').dataset.draws)]"
    began_s, before = one.evaluate(now)
    one.wait_for_timeout(1000 * seconds)
    ended_s, after = one.evaluate(now)
    one.close()
    return float((after - before) / (ended_s - began_s))
