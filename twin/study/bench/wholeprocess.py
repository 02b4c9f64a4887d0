"""`twin run` timed from outside, as a user meets it."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from twin.errors import InputError


def measure_run(
    scenario: str = "paper",
    *,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> dict[str, dict[str, float]]:
    """Wall time and peak memory of ``twin run`` with and without compiled code in the cache."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": str(Path(folder) / "numba")}
        command = [sys.executable, "-c", "from twin.cli import main; main()"]
        command += ["run", scenario, "--seed", str(seed), "--runs-dir", str(Path(folder) / "runs")]
        figures = {}
        for done, name in enumerate(("cold", "warm")):
            progress(done, 2)
            figures[name] = _timed(command, environment)
        return figures


def _timed(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise InputError(f"{' '.join(command)}: ended with exit code {process.returncode}")
    return {"wall_s": time.perf_counter() - began, "peak_mib": peak_mib(usage.ru_maxrss)}


def peak_mib(ru_maxrss: int) -> float:
    """Peak memory in MiB from what the system tells: KiB on Linux, bytes on macOS."""
    return ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
