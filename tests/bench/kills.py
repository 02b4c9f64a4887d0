"""Kill a run at random moments, finish it, and hold its tables against an uninterrupted run's."""

import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twin.runs.checkpoints import files
from twin.runs.files import PARTIAL
from twin.runs.tables import TABLES

_TWIN = (sys.executable, "-c", "from twin.cli.main import main; main()")
_RUN = """
import sys
from pathlib import Path
from agents.run import run_scenario
from twin.scenario import loader
scenario = loader.load(sys.argv[1], sys.argv[2:])
run_scenario(scenario, runs_dir=Path("runs"), progress=lambda done, _: print(done, flush=True))
"""
"""`twin run` that prints every step it has done."""


def kills(
    scenario: str,
    overrides: Sequence[str],
    *,
    moments: int,
    seed: int,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Kill `twin run` at moments between 20 and 95 % of its time, each resumed.

    Returns
    -------
    dict
        ``wall_s`` of the uninterrupted run, and ``kills``: of each when it was, the share of the
        run that was computed twice, and whether all tables are the same bytes.
    """
    rng = random.Random(seed)
    command = [sys.executable, "-c", _RUN, scenario, *overrides]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        began = time.perf_counter()
        subprocess.run(command, cwd=root, check=True, capture_output=True)
        wall_s = time.perf_counter() - began
        (whole,) = (root / "runs").iterdir()
        expected, entries = _digests(whole), []
        steps = json.loads((whole / "manifest.json").read_text())["steps"]
        shutil.move(whole, root / "whole")
        for moment in range(moments):
            at_s = (0.20 + 0.75 * rng.random()) * wall_s
            entries.append(_killed(command, root, at_s, steps, expected))
            progress(moment + 1, moments)
    return {"scenario": scenario, "wall_s": wall_s, "kills": entries}


def _killed(
    command: list[str], root: Path, at_s: float, steps: int, expected: dict[str, str]
) -> dict[str, Any]:
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE)
    time.sleep(at_s)
    process.send_signal(signal.SIGKILL)
    done_steps = int(process.communicate()[0].split()[-1])
    (left,) = (root / "runs").iterdir()
    kept = files(left)
    resumed = [*_TWIN, "run", "--resume", str(left)]
    if left.name.endswith(PARTIAL):
        subprocess.run(resumed, cwd=root, check=True, capture_output=True)
    (done,) = (root / "runs").iterdir()
    same = _digests(done) == expected
    again = done_steps - (int(kept[-1].stem) if kept else 0)
    entry = {"at_s": at_s, "step": done_steps, "twice": again / steps, "identical": same}
    shutil.rmtree(done)
    return entry


def _digests(run: Path) -> dict[str, str]:
    return {n: hashlib.sha256((run / f"{n}.parquet").read_bytes()).hexdigest() for n in TABLES}
