"""How fast requests are served: the paper's ring, and an hour of two public traces."""

import multiprocessing
import os
import resource
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from wholeprocess import TWIN, peak_mib, timed

DATA = Path(__file__).parents[3] / "shared" / "data"
"""Where traces are looked for: beside the checkout."""

SAME_S = 1e-9
"""The engine and SimPy must end every request within this."""

REPLICA = {
    "requests.arrivals": "trace",
    "simulation.steps": 730,  # of 5 s: the hour, and some time to end in
    "serving.max_running": 1000,
    "compute.board": "h100",
}
"""What is other than in `validation`, a model of 8 billion parameters on one satellite."""

TRACES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "Azure": ("azure_llm_2023_conv.csv", {}),
    "Mooncake": (
        "serving/mooncake_conversation.jsonl",
        # Prompts of 12,000 tokens: eight boards that work as one.
        {"compute.gflops": 7.9e6, "compute.memory_gb": 640, "compute.memory_gb_per_s": 26_800},
    ),
}
"""Each trace's file, and what it needs to be borne."""


def serving(
    *,
    seed: int = 0,
    counts: Sequence[int] = (100_000, 1_000_000, 10_000_000),
    simpy_requests: int = 8,
    simpy_tokens: int = 211,
    data: Path = DATA,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Time decoding on the paper's ring by the engine, SimPy and a heap, and whole runs of traces.

    The ring has 32 layers of 8 experts, two chosen, with all work counted, caches, links and
    records; prompts are short. Times of the ring are of the processor, each count of tokens in a
    process of its own. A bare heap takes as many events a token as the engine, with as many
    pending as tokens are under way.
    """
    total = len(counts) + 1 + len(TRACES)
    decoding = []
    for count in counts:
        progress(len(decoding), total)
        decoding.append(_apart(_decode, count, seed))
    progress(len(counts), total)
    simpy = _apart(_by_simpy, simpy_requests, simpy_tokens, seed)
    if simpy["apart_s"] > SAME_S:
        raise AssertionError(f"the engine and SimPy differ by {simpy['apart_s']:.1e} s")
    first = decoding[0]
    heap = _apart(_bare_heap, max(round(first["inside"]), 2), first["events_per_token"])
    hours, absent = {}, {}
    for done, (name, (file, needs)) in enumerate(TRACES.items(), start=len(counts) + 1):
        progress(done, total)
        if (data / file).is_file():
            hours[name] = _hour(data / file, needs)
        else:
            absent[name] = f"left out: no file {data / file}"
    rates = [each["tokens_per_s"] for each in decoding]
    return {
        "decoding": decoding,
        "simpy": simpy,
        "heap_tokens_per_s": heap,
        "hours": hours,
        "absent": absent,
        "load": os.getloadavg()[0],
        "ratio": {
            "engine_to_simpy": rates[0] / simpy["tokens_per_s"],
            "engine_to_heap": rates[0] / heap,
            "dearest_to_cheapest_token": max(rates) / min(rates),
        },
    }


def _apart(job: Callable[..., Any], *arguments: Any) -> Any:
    """Call in a new interpreter: memory that this process takes does not count."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(job, *arguments).result()


def _decode(count: int, seed: int) -> dict[str, float]:
    from ring import decode  # its libraries are a part of what it takes

    figures = decode(count, seed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return figures | {"peak_mib": peak_mib(peak)}


def _by_simpy(requests: int, tokens: int, seed: int) -> dict[str, float]:
    from ring import by_simpy

    return by_simpy(requests, tokens, seed)


def _bare_heap(pending: int, events_per_token: float) -> float:
    from ring import bare_heap_events_per_s

    return bare_heap_events_per_s(pending) / events_per_token


def _hour(trace: Path, needs: Mapping[str, Any]) -> dict[str, float]:
    """A whole `twin run` of a trace, when all is compiled."""
    changes = REPLICA | {"requests.trace": str(trace.resolve())} | needs
    sets = [word for name, value in changes.items() for word in ("--set", f"{name}={value}")]
    with tempfile.TemporaryDirectory() as folder:
        command = [*TWIN, "run", "validation", *sets, "--runs-dir", folder]
        timed([*command, "--set", "simulation.steps=2"], os.environ)
        return timed(command, os.environ)
