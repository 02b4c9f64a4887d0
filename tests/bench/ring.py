"""The paper's ring under load: by the serving engine, by an independent SimPy model, by a heap."""

import itertools
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from agents.model import TwinModel
from twin.scenario import loader
from twin.serving.engine.draws import uniform
from twin.serving.engine.engine import Engine
from twin.serving.engine.records import Rows

sys.path.append(str(Path(__file__).parents[1] / "serving"))
import simpy_ring

CASE = {
    "serving.mode": "requests",
    "serving.chunk_tokens": 16,
    "compute.accounting": "full",
    "outages.model": "none",
    "requests.rate_per_s": 1e-6,
}
"""What is other than in `paper`; requests are the bench's own."""

PROMPT, OUTPUT = 32, 211
"""Two chunks, which wait for links, and an answer as long as Azure's are in the mean."""

TOKENS_PER_S = 14.0
"""That are made: three quarters of what the first gateway bears."""

HOUR_S = 3600.0


def engine(seed: int) -> Engine:
    """The product's engine on the first snapshot, without requests."""
    model = TwinModel(loader.load("paper", CASE | {"simulation.seed": seed}))
    model.step()
    assert model.requests is not None
    return model.requests._engine


def arrivals(requests: int, output: int, seed: int) -> NDArray[np.float64]:
    """When each comes: Poisson."""
    gaps_s = np.random.default_rng(seed).exponential(output / TOKENS_PER_S, requests)
    return np.cumsum(gaps_s)


def ask(ring: Engine, first: int, at_s: NDArray[np.float64], output: int) -> None:
    """Let requests be on their way, from number `first` on."""
    lengths = {"prompt": PROMPT, "output": output, "site": 0}
    asked = {name: np.full(len(at_s), value) for name, value in lengths.items()}
    ring.add(asked | {"number": first + np.arange(len(at_s)), "asked_s": at_s}, at_s)


def serve(ring: Engine, at_s: NDArray[np.float64], output: int) -> Rows:
    """Serve requests hour by hour, as a run does step by step; returns all rows, by number."""
    rows, hour, first = [], 0, 0
    while first < len(at_s) or ring.state.core["inside"][0]:
        here = int(np.searchsorted(at_s, (hour + 1) * HOUR_S))
        ask(ring, first, at_s[first:here] - hour * HOUR_S, output)
        ring.advance(HOUR_S)
        rows.append(ring.outcomes())
        for name in ("asked_s", "first_s", "last_s"):
            rows[-1][name] += hour * HOUR_S
        ring.state.shift(HOUR_S)
        hour, first = hour + 1, here
    return np.sort(np.concatenate(rows), order="number")


def decode(tokens: int, seed: int, *, ahead: bool = True) -> dict[str, float]:
    """Time the engine over about so many tokens made; if not ahead, each event is one of its own.

    Users who would leave after years have no effect but that: no work is certain to be wanted.
    """
    ring = engine(seed)
    if not ahead:
        ring.set(patience_s=1e9)
    serve(ring, np.zeros(1), 2)  # compiled, or read from the cache
    core, requests = ring.state.core, max(round(tokens / OUTPUT), 1)
    before = {name: int(core[name][0]) for name in ("tokens_made", "order")}
    at_s = arrivals(requests, OUTPUT, seed)
    began, began_cpu = time.perf_counter(), time.process_time()
    rows = serve(ring, at_s, OUTPUT)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    made = int(core["tokens_made"][0]) - before["tokens_made"]
    assert made == rows["made"].sum() == requests * OUTPUT
    return {
        "tokens": made,
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "tokens_per_s": made / cpu_s,
        "us_per_token": cpu_s / made * 1e6,
        "events_per_token": (int(core["order"][0]) - before["order"]) / made,
        "inside": float((rows["last_s"] - rows["asked_s"]).sum() / rows["last_s"].max()),
    }


def by_simpy(requests: int, output: int, seed: int) -> dict[str, float]:
    """Time SimPy on a small case, and say how far its answers are from the engine's."""
    ring, at_s = engine(seed), arrivals(requests, output, seed)
    inputs = _inputs(ring, requests, output)
    mine = serve(ring, at_s, output)["last_s"]
    began = time.process_time()
    theirs = simpy_ring.run(at_s.tolist(), [output] * requests, **inputs)
    cpu_s = time.process_time() - began
    return {
        "tokens": requests * output,
        "cpu_s": cpu_s,
        "tokens_per_s": requests * output / cpu_s,
        "apart_s": float(np.abs(mine - theirs).max()),
    }


def _inputs(ring: Engine, requests: int, output: int) -> dict[str, Any]:
    """What the SimPy model is told: the engine's tables, choices worked out ahead."""
    core, table, first = ring.state.core[0], ring.state.parts, ring.step["first"]
    layers, experts = ring.step["out_s"].shape
    names: dict[tuple[Any, ...], int] = {("gateway", layer): layer for layer in range(layers)}
    names["head",] = len(table) - 1
    for layer, e in itertools.product(range(layers), range(experts)):
        names["expert", layer, e] = layers + layer * experts + e
    columns = ("weight_s", "token_s", "score_s", "read_s", "overhead_s")
    times = {name: tuple(float(table[c][p]) for c in columns) for name, p in names.items()}

    def work_s(part: tuple[Any, ...], jobs: list[tuple[int, int]]) -> float:
        weight_s, token_s, score_s, read_s, overhead_s = times[part]
        tokens = sum(n for n, _ in jobs)
        scores = reads = 0
        if part[0] == "gateway":
            scores = sum(n * before + n * (n + 1) // 2 for n, before in jobs)
            reads = sum(before + n for n, before in jobs)
        computing_s = max(weight_s, tokens * token_s + scores * score_s)
        return computing_s + reads * read_s + overhead_s

    choices = _choices(ring, requests, PROMPT + output)
    links = ring.state.ways
    legs = itertools.product(("out", "on"), range(layers), range(experts))
    return {
        "layers": layers,
        "satellite_of": {name: int(table["satellite"][p]) for name, p in names.items()},
        "work_s": work_s,
        "chosen": lambda number, position, layer: choices[number][position][layer],
        "ways": {leg: links[first[w] : first[w + 1]].tolist() for w, leg in enumerate(legs)},
        "token_s": float(core["transfer_s"]),
        "waiting_tokens": int(core["waiting_tokens"]),
        "prompt": [PROMPT] * requests,
        "chunk": int(core["chunk"]),
        "most_tokens": int(core["service_tokens"]),
        "blocks": int(ring.state.instances["all_blocks"][0]),
        "block": int(core["block"]),
    }


def _choices(ring: Engine, requests: int, tokens: int) -> list[list[list[list[int]]]]:
    """Experts of each token at each layer: numbers drawn alike, turned into choices apart."""
    core, weight = ring.state.core[0], ring.step["weight"]
    top_k, layers = int(core["top_k"]), len(weight)
    drawn = _uniform(core["seed"], requests, tokens, layers, top_k)
    left = np.broadcast_to(weight, (requests, tokens, *weight.shape)).copy()
    chosen = np.empty((requests, tokens, layers, top_k), int)
    for k in range(top_k):
        cumulated = np.cumsum(left, axis=-1)
        at = drawn[..., k] * cumulated[..., -1]
        chosen[..., k] = (cumulated <= at[..., None]).sum(axis=-1)
        np.put_along_axis(left, chosen[..., k, None], 0.0, axis=-1)
    return chosen.tolist()  # type: ignore[no-any-return]


@njit(cache=True)
def _uniform(seed, requests, tokens, layers, top_k):  # type: ignore[no-untyped-def]
    drawn = np.empty((requests, tokens, layers, top_k))
    for number in range(requests):
        for position in range(tokens):
            for layer in range(layers):
                for k in range(top_k):
                    drawn[number, position, layer, k] = uniform(seed, number, position, layer, k)
    return drawn


def bare_heap_events_per_s(pending: int, events: int = 5_000_000) -> float:
    """How many events a second a bare binary heap takes out and puts back, with so many in it."""
    _churn(pending, 1000)
    began = time.process_time()
    _churn(pending, events)
    return events / (time.process_time() - began)


@njit(cache=True)
def _churn(pending, events):  # type: ignore[no-untyped-def]
    """Take the first of (time, sequence) out and put one back at a later time, at random."""
    times, sequence = np.zeros(pending), np.arange(pending)
    random, order = np.uint64(88172645463325252), pending
    for _ in range(events):
        random ^= random << np.uint64(13)
        random ^= random >> np.uint64(7)
        random ^= random << np.uint64(17)
        t, at = times[0] + np.float64(random >> np.uint64(11)) / 9007199254740992.0, 0
        # The last one goes to the top and sinks; then the new one rises from the end.
        moved_t, moved = times[pending - 1], sequence[pending - 1]
        while 2 * at + 1 < pending - 1:
            child = 2 * at + 1
            if child + 1 < pending - 1 and (
                times[child + 1] < times[child]
                or (times[child + 1] == times[child] and sequence[child + 1] < sequence[child])
            ):
                child += 1
            if moved_t < times[child] or (moved_t == times[child] and moved < sequence[child]):
                break
            times[at], sequence[at] = times[child], sequence[child]
            at = child
        times[at], sequence[at] = moved_t, moved
        at = pending - 1
        while at and times[(at - 1) // 2] > t:
            times[at], sequence[at] = times[(at - 1) // 2], sequence[(at - 1) // 2]
            at = (at - 1) // 2
        times[at], sequence[at] = t, order
        order += 1
    return times[0]
