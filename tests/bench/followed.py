"""Whether a mirror keeps up with a plant at many times real time while a page follows it."""

import os
import queue
import re
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np

from mirrored import TWIN
from twin.live import journal
from twin.views.picture import CHROMIUM, CHROMIUM_ARGS
from twin.views.server import served

_WINDOW = {"width": 960, "height": 640}
"""Small: it is drawn without a graphics card, on the processors that fly and mirror too."""
_AGAIN_S = 2.0
"""The page is asked so often how far it is."""
_OPEN_S = 180.0
_MOST_S = 120.0


def followed(
    scenario: str,
    changes: Sequence[str],
    *,
    minutes: int,
    speed: float,
    seed: int,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Fly, mirror and look on in processes of their own; lag is from a line's coming to its log.

    The lines of the plant pass through this process, which notes when each came and waits for
    nobody.
    """
    from playwright.sync_api import sync_playwright

    options = [part for text in changes for part in ("--set", text)]
    options += ["--set", f"simulation.steps={minutes}"]
    emit = [*TWIN, "emit", scenario, *options, "--seed", str(seed), "--speed", str(speed)]
    live = [*TWIN, "live", scenario, *options, "--from", "-"]
    with TemporaryDirectory() as temporary:
        place = Path(temporary)
        with (
            served(place) as address,
            sync_playwright() as playwright,
            subprocess.Popen(emit, stdout=subprocess.PIPE) as plant,
            subprocess.Popen(
                live, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=place
            ) as twin,
        ):
            came_s = _passed_on(plant.stdout, twin.stdin)
            try:
                run_id = _begun(place, twin)
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
                page = browser.new_context(viewport=_WINDOW).new_page()
                page.goto(f"{address}/?run={run_id}", timeout=1000 * _OPEN_S)
                page.wait_for_selector(
                    ".tw-stage[data-runs]", state="attached", timeout=1000 * _OPEN_S
                )
                looked = _looked_on(page, twin, lambda done: progress(min(done, minutes), minutes))
                browser.close()
            finally:
                plant.kill()
                twin.kill()
        (folder,) = (place / "runs").iterdir()
        log = (folder / journal.NAME).read_bytes().splitlines()
    taken_s = np.array([float(line.partition(b"\t")[0]) for line in log])
    lag_s = np.maximum(taken_s - np.array(came_s[: len(taken_s)]), 0.0)
    settled = lag_s[len(lag_s) // 4 :]  # the first steps compile and make the first plan
    return {
        "messages": len(lag_s),
        "speed": speed,
        "wall_s": float(taken_s[-1] - taken_s[0]),
        "lag_p50_s": float(np.quantile(settled, 0.5)),
        "lag_p99_s": float(np.quantile(settled, 0.99)),
        "lag_max_s": float(settled.max()),
        "load_of_the_machine": os.getloadavg()[0],
    } | looked


def _passed_on(source: IO[bytes] | None, target: IO[bytes] | None) -> list[float]:
    """Pass lines on in threads; returns the times at which they came, which grow meanwhile."""
    assert source is not None
    assert target is not None
    came_s: list[float] = []
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def take() -> None:
        for line in source:
            came_s.append(time.time())
            waiting.put(line)
        waiting.put(b"")

    def give() -> None:
        try:
            while line := waiting.get():
                target.write(line)
                if waiting.empty():
                    target.flush()
            target.close()
        except (BrokenPipeError, ValueError):
            pass  # the mirror has taken its last step

    for work in (take, give):
        threading.Thread(target=work, daemon=True).start()
    return came_s


def _begun(place: Path, twin: subprocess.Popen[bytes]) -> str:
    """Name of the run, when it has its first checkpoint."""
    while twin.poll() is None:
        for file in (place / "runs").glob("*.partial/checkpoints/*.state"):
            return file.parents[1].name.removesuffix(".partial")
        time.sleep(0.2)
    raise AssertionError("the mirror has ended before the page was open")


def _looked_on(
    page: Any, twin: subprocess.Popen[bytes], progress: Callable[[int], None]
) -> dict[str, Any]:
    """Look at the page until the mirror ends: how often it draws, how far it is behind."""
    stage = page.locator(".tw-stage")
    first, began = _draws(stage), time.monotonic()
    shown, behind, moved_s = -1, [], began
    while twin.poll() is None:
        page.wait_for_timeout(1000 * _AGAIN_S)
        step, mirrored = _steps(page)
        if mirrored is not None:
            behind.append(mirrored - step)
        moved_s = time.monotonic() if step > shown else moved_s
        shown = max(shown, step)
        assert time.monotonic() - moved_s < _MOST_S, "the page does not follow"
        progress(shown + 1)
    return {
        "page_shown_step": shown,
        "page_behind_mirror_steps_p50": float(np.median(behind)),
        "page_behind_mirror_steps_max": float(max(behind)),
        "page_frames_per_s": (_draws(stage) - first) / (time.monotonic() - began),
    }


def _draws(stage: Any) -> int:
    return int(stage.get_attribute("data-draws") or 0)


def _steps(page: Any) -> tuple[int, int | None]:
    """Step that is on stage, and the newest that the page knows to be mirrored."""
    found = re.search(r"step ([\d,]+) of", page.inner_text(".tw-step"))
    newest = re.search(r"mirrored to step ([\d,]+)", page.inner_text(".tw-standing"))
    assert found is not None
    return _whole(found[1]), None if newest is None else _whole(newest[1])


def _whole(text: str) -> int:
    return int(text.replace(",", ""))
