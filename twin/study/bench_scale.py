"""How the cost of a step grows with the constellation, and what memory it takes."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

SHELLS = ((33, 32), (100, 100))
"""Planes, and satellites in each: the paper's constellation, and ten thousand."""


def scale(
    *,
    seed: int = 0,
    steps: int = 5760,
    shells: tuple[tuple[int, int], ...] = SHELLS,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> dict[str, Any]:
    """Time the same steps, with everything on, for Walker shells of different sizes.

    See `twin.study.bench.day` for what is on. The shells take turns, each in a process of its
    own so that peak memory is that shell's alone. ``cost_per_satellite_step`` is the last
    shell's over the first's. Times leave the first step out, in which code is compiled or read
    from the cache and the placement is planned; memory does not.
    """
    progress(0, len(shells))
    sizes = {}
    for done, (planes, slots) in enumerate(shells, start=1):
        # A new interpreter: memory that this process takes does not count.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            figures = pool.submit(_day, planes, slots, steps, seed).result()
        figures["satellite_step_us"] = figures["step_ms"] * 1e3 / (planes * slots)
        sizes[planes * slots] = figures
        progress(done, len(shells))
    first, *_, last = (figures["satellite_step_us"] for figures in sizes.values())
    return {"steps": steps, "sizes": sizes, "ratio": {"cost_per_satellite_step": last / first}}


def _day(planes: int, slots: int, steps: int, seed: int) -> dict[str, Any]:
    from twin.study.bench import day  # its libraries are a part of what a run takes

    return day(seed=seed, steps=steps, planes=planes, slots=slots)
