"""Kill the mirror at random moments, go on with its run, and compare what it made byte for byte."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from twin.runs.tables import TABLES
from twin.scenario import loader

TWIN = (sys.executable, "-c", "from twin.cli.entry import main; main()")
STEPS = 400


def live_kills(*, moments: int, seed: int, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """Mirror a small flight once to its end and then killed, as often as asked for."""
    rng = np.random.default_rng(seed)
    with TemporaryDirectory() as temporary:
        place = Path(temporary)
        changes = {
            "simulation.orbits": None,
            "simulation.step_s": 60.0,
            "simulation.steps": STEPS,
            "bus.battery_wh": 450.0,
        }
        (place / "s.toml").write_text(loader.to_toml(loader.load("small", changes)))
        _call(place, "emit", "s.toml", "--to", "said.jsonl", "--seed", str(seed))
        began = time.monotonic()
        _call(place, "live", "s.toml", "--from", "said.jsonl", "--runs-dir", "whole")
        wall_s = time.monotonic() - began
        (whole,) = (place / "whole").iterdir()
        kills = []
        for number in range(moments):
            at_s = float(rng.uniform(0.2, 0.95) * wall_s)
            kills.append(_killed(place, f"runs-{number}", at_s) | {"whole": digests(whole)})
            progress(number + 1, moments)
    for one in kills:
        one["identical"] = one.pop("made") == one.pop("whole")
    return {"wall_s": wall_s, "kills": kills}


def digests(run: Path) -> dict[str, str]:
    """SHA-256 of every table, and of what a live run keeps beside them."""
    files = [run / f"{name}.parquet" for name in TABLES]
    files += sorted((run / "live").glob("*.parquet"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _killed(place: Path, runs: str, at_s: float) -> dict[str, Any]:
    process = subprocess.Popen(
        [*TWIN, "live", "s.toml", "--from", "said.jsonl", "--runs-dir", runs],
        cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        process.wait(at_s)
        left = "done"
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        left = "nothing"
    partials = list((place / runs).glob("*.partial")) if (place / runs).is_dir() else []
    logged = checkpoints = 0
    if partials:
        left = "partial"
        log = partials[0] / "telemetry.log"
        logged = log.read_bytes().count(b"\n") if log.exists() else 0
        checkpoints = len(list((partials[0] / "checkpoints").glob("*.state")))
        told = (partials[0] / "manifest.json").exists()
        if told:
            folder = f"{runs}/{partials[0].name}"
            _call(place, "live", "--resume", folder, "--from", "said.jsonl")
    if not _done(place / runs):  # killed before there was anything to go on with
        _call(place, "live", "s.toml", "--from", "said.jsonl", "--runs-dir", runs)
    done = _done(place / runs)
    return {
        "at_s": at_s,
        "left": left,
        "logged": logged,
        "checkpoints": checkpoints,
        "made": digests(done[0]),
    }


def _done(runs: Path) -> list[Path]:
    found = runs.iterdir() if runs.is_dir() else []
    return [folder for folder in found if not folder.name.endswith(".partial")]


def _call(place: Path, *args: str) -> None:
    subprocess.run([*TWIN, *args], cwd=place, check=True, stdout=subprocess.DEVNULL)
