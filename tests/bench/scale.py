"""How the cost of a step grows with the constellation, and what memory it takes."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from twin.scenario import loader

type Size = tuple[int, int] | str

SIZES: tuple[Size, ...] = ((33, 32), (100, 100), "shells-study")
"""Planes, and satellites in each, of one shell: the paper's constellation, and ten thousand; or a
preset that has the constellation: five shells."""


def scale(
    *,
    seed: int = 0,
    steps: int = 5760,
    sizes: tuple[Size, ...] = SIZES,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Time the same steps, with everything on, for constellations of different sizes.

    See `steps.day` for what is on. The sizes take turns, each in a process of its
    own so that peak memory is that one's alone. ``cost_per_satellite_step`` is the
    highest of the others' over the first's. Times leave the first step out, in which code is
    compiled or read from the cache and the placement is planned; memory does not.
    """
    progress(0, len(sizes))
    measured = {}
    for done, size in enumerate(sizes, start=1):
        # A new interpreter: memory that this process takes does not count.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            figures = pool.submit(_day, size, steps, seed).result()
        satellites = figures["satellites"]
        figures["satellite_step_us"] = figures["step_ms"] * 1e3 / satellites
        measured[satellites] = figures
        progress(done, len(sizes))
    first, *others = (figures["satellite_step_us"] for figures in measured.values())
    ratio = {"cost_per_satellite_step": max(others) / first}
    return {"steps": steps, "sizes": measured, "ratio": ratio}


def _day(size: Size, steps: int, seed: int) -> dict[str, Any]:
    from steps import day  # its libraries are a part of what a run takes

    return day(seed=seed, steps=steps, changes=_changes(size))


def _changes(size: Size) -> dict[str, Any]:
    if isinstance(size, str):
        return {"constellation": loader.load(size).constellation.model_dump(mode="json")}
    planes, slots = size
    return {"constellation.planes": planes, "constellation.satellites_per_plane": slots}
