"""Whether the mirror keeps up: lines at a steady rate, and how long each waits to be done with."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from mirrored import flown
from twin.live.session import Session, mirror
from twin.live.state import Options
from twin.plugins.choices import load_scenario

_KIB = 1024.0


def pace(
    scenario: str,
    changes: Sequence[str],
    *,
    rate_per_s: float,
    seed: int,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Feed a flight's lines at a rate, and measure lag and memory; the plant flies beforehand."""
    chosen = load_scenario(scenario, list(changes))
    lag_s: list[float] = []
    memory_mib: list[float] = []

    def watch(session: Session, step: Any) -> None:
        memory_mib.append(_resident_mib())

    with TemporaryDirectory() as temporary:
        place = Path(temporary)
        file = place / "said.jsonl"
        with file.open("wb") as out:
            out.writelines(flown(scenario, changes, (), seed, place / "truth.npz"))
        run = mirror(
            chosen,
            lambda skip: _fed(file, rate_per_s, lag_s),
            runs_dir=place / "runs",
            options=Options(progress=progress, watch=watch),
        )
        kept = run.manifest["checkpoints"]
        size = run.manifest["conclusion"]["live"]["messages"]["taken"]
    # The first steps compile and make the first plan.
    settled = np.array(lag_s[len(lag_s) // 4 :])
    return {
        "messages": size,
        "rate_per_s": rate_per_s,
        "lag_p50_s": float(np.quantile(settled, 0.5)),
        "lag_p99_s": float(np.quantile(settled, 0.99)),
        "lag_max_s": float(settled.max()),
        "memory_first_mib": float(np.mean(memory_mib[len(memory_mib) // 4 :][:5])),
        "memory_last_mib": float(np.mean(memory_mib[-5:])),
        "steps": len(memory_mib),
        "checkpoint_ms": kept["milliseconds"],
        "checkpoint_mib": kept["bytes"] / 2**20,
    }


def _fed(file: Path, rate_per_s: float, lag_s: list[float]) -> Iterator[bytes]:
    """Yield a line when it is due; what is asked for the next line later is late by that."""
    began = None
    with file.open("rb") as lines:
        for number, line in enumerate(lines):
            now = time.perf_counter()
            began = now if began is None else began
            due = began + number / rate_per_s
            if due > now:
                time.sleep(due - now)
            lag_s.append(max(now - due, 0.0))
            yield line


def _resident_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1]) / _KIB
    return 0.0
