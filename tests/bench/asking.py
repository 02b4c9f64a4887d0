"""How soon the page has an answer: requests, recorded tokens, runs, first frames of a what-if."""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from agents.run import run_scenario
from twin.runs import sums
from twin.runs.files import sealed
from twin.runs.store import Run, open_run
from twin.scenario import loader
from twin.scenario.schema import Scenario
from twin.views import columns, shelf
from twin.views.computing import CHECKPOINT_S
from twin.views.listing import Listing
from twin.views.questions import answer
from twin.views.session import Session

ROUNDS = 20
BUSY = {
    "serving.mode": "requests",
    "compute.gflops": 10.0,
    "requests.prompt_tokens": 32.0,
    "requests.output_tokens": 16.0,
    "requests.record_every": 10,
    "serving.chunk_tokens": 8,
    "ground.users": "cities",
    "ground.minimum_elevation_deg": 10.0,
}
"""Many small requests on the smallest constellation."""


def asking(
    *,
    requests: int,
    tokens: int,
    runs: int,
    branches: int,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Time each question, the first time and again; milliseconds, medians of 20 where asked again.

    Parameters
    ----------
    requests, tokens, runs : int
        How many there are of each.
    branches : int
        What-ifs on 1,056 satellites, one after the other in a warm process.
    """
    with TemporaryDirectory() as temporary:
        root, found = Path(temporary), dict[str, Any]()
        for k, (name, part) in enumerate(
            {
                "requests": lambda: _requests(root / "requests", requests),
                "tokens": lambda: _tokens(root / "tokens", tokens),
                "runs": lambda: _runs(root / "many", runs),
                "what if": lambda: _branches(root / "branches", branches),
            }.items()
        ):
            progress(k, 4)
            found[name] = part()
            shutil.rmtree(root)
            root.mkdir()
    return found


def _timed(act: Callable[[], Mapping[str, Any]]) -> float:
    began = time.perf_counter()
    found = act()
    if "wrong" in found:
        raise AssertionError(found["wrong"])
    return 1e3 * (time.perf_counter() - began)


def _asked(run: Run, question: Mapping[str, Any]) -> list[float]:
    """The first time with nothing in memory, and the median of many more."""
    columns._KEPT.clear()
    first = _timed(lambda: answer(run, question))
    return [first, float(np.median([_timed(lambda: answer(run, question)) for _ in range(ROUNDS)]))]


def _requests(root: Path, count: int) -> dict[str, Any]:
    steps, step_s = 100, 60.0
    rate = count / (steps * step_s)
    changes = {"simulation.steps": steps, "requests.rate_per_s": rate}
    run = run_scenario(_small(BUSY | changes, step_s), runs_dir=root)
    there = run.table("requests", ["request"]).num_rows
    chosen = np.random.default_rng(0).choice(np.arange(0, there, 10), ROUNDS, replace=False)
    lives = [
        _timed(lambda k=k: answer(run, {"what": "request", "request": int(k)})) for k in chosen
    ]
    return {
        "requests": there,
        "rows of visits": run.table("visits", ["step"]).num_rows,
        "slowest, ms": _asked(run, {"what": "requests"}),
        "lost, ms": _asked(run, {"what": "requests", "cause": "lost"}),
        "one over its life, ms": [float(np.max(lives)), float(np.median(lives))],
    }


def _small(changes: Mapping[str, Any], step_s: float) -> Scenario:
    """The smallest constellation, its steps given in seconds."""
    with NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write(loader.preset_text("small").replace("orbits = 1.0", f"step_s = {step_s}"))
        file.flush()
        return loader.load(file.name, changes)


def _tokens(root: Path, count: int) -> dict[str, Any]:
    """A run whose recorded tokens are repeated until there are so many."""
    each = ["simulation.record_tokens_per_step=64", "workload.tokens_per_step=64"]
    run = run_scenario(loader.load("small", each), runs_dir=root)
    table = run.table("tokens")
    times = -(-count // table.num_rows)
    with pq.ParquetWriter(run.path / "tokens.parquet", table.schema, compression="zstd") as out:
        for _ in range(times):
            out.write_table(table)
    manifest = {k: v for k, v in run.manifest.items() if not k.startswith("sha256_of")}
    manifest["sha256"] |= sums.of(run.path, ["tokens.parquet"])
    (run.path / "manifest.json").write_text(sealed(manifest), encoding="utf-8")
    run = open_run(run.path)
    one = answer(run, {"what": "tokens"})
    return {
        "tokens": one["total"],
        "slowest, ms": _asked(run, {"what": "tokens"}),
        "lost, ms": _asked(run, {"what": "tokens", "cause": "lost", "by": "step", "down": False}),
        "by layer, ms": _asked(run, {"what": "tokens", "layer": 3}),
        "by satellite, ms": _asked(run, {"what": "tokens", "satellite": 5}),
    }


def _runs(root: Path, count: int) -> dict[str, Any]:
    """One run and its copies, which share its files."""
    run = run_scenario(loader.load("small", ["simulation.steps=5"]), runs_dir=root)
    kept = [file for file in run.path.iterdir() if file.is_file() and file.suffix != ".json"]
    for k in range(count - 1):
        folder = root / f"20260101-{k:06d}-small"
        folder.mkdir()
        for file in kept:
            os.link(file, folder / file.name)
        manifest = dict(run.manifest, run_id=folder.name, seed=k)
        (folder / "manifest.json").write_text(sealed(manifest), encoding="utf-8")
    shelf._read.cache_clear()
    table = Listing(root)
    first = _timed(lambda: table.rows({}))
    again = [_timed(lambda: table.rows({"text": "space-xnet", "page": 3})) for _ in range(ROUNDS)]
    return {"runs": count, "table, ms": [first, float(np.median(again))]}


def _branches(root: Path, count: int) -> dict[str, Any]:
    scenario = loader.load("paper", ["simulation.record_tokens_per_step=8"])
    run = run_scenario(scenario, runs_dir=root, checkpoint_every_s=CHECKPOINT_S)
    session = Session(root, run_scenario, allowed=True)
    session.open([run.path.name])
    _wait(lambda: session.work.value is None)
    took = [_branched(session, run.path.name, k) for k in range(count)]
    session.close()
    kept = run.manifest["checkpoints"]
    return {
        "satellites": scenario.constellation.size,
        "first frames, ms": [max(took), float(np.median(took))],
        "checkpoints": kept["written"],
        "kept, MB": round(kept["kept_bytes"] / 1e6, 1),
    }


def _branched(session: Session, parent: str, k: int) -> float:
    """From a click until the first frames of the branch are there, ms."""
    session.open([parent])
    _wait(lambda: session.work.value is None and len(session.shown.value) == 1)
    there: list[float] = []
    began = time.perf_counter()
    session.branch({"run": parent, "step": 20 + 37 * k % 150, "fail": [7 + k]})
    _wait(lambda: len(session.shown.value) == 2)
    stream = session.shown.value[1].stream
    stream.want(0, lambda _: None)
    stream.want(1, lambda _: there.append(time.perf_counter()))
    _wait(lambda: bool(there))
    _wait(lambda: session.work.value is None)
    return 1e3 * (there[0] - began)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("nothing happened")
        time.sleep(0.002)


def rows(data: Mapping[str, Any]) -> list[list[str]]:
    """Each answer as text: what, the first (or slowest), the median."""
    made = []
    for part, found in data.items():
        for name, value in found.items():
            if isinstance(value, list):
                made.append([f"{part}: {name}", *(f"{v:.0f}" for v in value)])
            else:
                made.append([f"{part}: {name}", f"{value:,}", ""])
    return made
