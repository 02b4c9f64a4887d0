"""`twin run` and `twin sweep` timed from outside, as a user meets them."""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from twin.errors import InputError
from twin.study.study_file import read_study

TWIN = (sys.executable, "-c", "from twin.cli.main import main; main()")


def measure_run(
    scenario: str = "paper",
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, dict[str, float]]:
    """Wall time and peak memory of ``twin run`` with and without compiled code in the cache."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": str(Path(folder) / "numba")}
        command = [*TWIN, "run", scenario, "--seed", str(seed), "--runs-dir", f"{folder}/runs"]
        figures = {}
        for done, name in enumerate(("cold", "warm")):
            progress(done, 2)
            figures[name] = timed(command, environment)
        return figures


def measure_sweep(
    study: str,
    *,
    workers: int,
    rounds: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Wall times of ``twin sweep`` with one worker and with several, which take turns.

    Returns
    -------
    dict
        ``points``; ``wall_s``, times by number of workers; ``throughput_ratio``, of their medians;
        ``same_tables``, whether all sweeps wrote the same bytes.
    """
    file = read_study(study)
    points = file.size
    turns = [1, workers] * rounds
    wall_s: dict[int, list[float]] = {1: [], workers: []}
    written = set()
    with tempfile.TemporaryDirectory() as folder:
        # Whatever is not compiled yet is compiled here.
        few = ["--set", "simulation.steps=2"]
        timed([*TWIN, "run", file.scenario, *few, "--runs-dir", f"{folder}/runs"], os.environ)
        for done, many in enumerate(turns):
            progress(done, len(turns))
            runs = Path(folder) / f"sweep-{done}"
            command = [*TWIN, "sweep", study, "--workers", str(many), "--runs-dir", str(runs)]
            wall_s[many].append(timed(command, os.environ)["wall_s"])
            written.add(_digest(runs))
    return {
        "study": study,
        "points": points,
        "workers": workers,
        "wall_s": {str(many): times for many, times in wall_s.items()},
        "throughput_ratio": median(wall_s[1]) / median(wall_s[workers]),
        "same_tables": len(written) == 1,
    }


def _digest(runs: Path) -> str:
    """Of all tables of the study below a folder."""
    (study,) = runs.iterdir()
    found = hashlib.sha256()
    for part in sorted((study / "points").rglob("*.parquet")):
        found.update(str(part.relative_to(study)).encode() + part.read_bytes())
    return found.hexdigest()


def timed(command: list[str], environment: Mapping[str, str]) -> dict[str, float]:
    """Wall time, processor time and peak memory of a process."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise InputError(f"{' '.join(command)}: ended with exit code {process.returncode}")
    return {
        "wall_s": time.perf_counter() - began,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mib": peak_mib(usage.ru_maxrss),
    }


def peak_mib(ru_maxrss: int) -> float:
    """Peak memory in MiB from what the system reports: KiB on Linux, bytes on macOS."""
    return ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
