"""Whether the mirror keeps up: lines at a steady rate, and how long each waits to be done with."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from heapq import heappop, heappush
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirrored import flown
from twin.live.cadence import Outlooks
from twin.live.filter import Priors
from twin.live.forecast import MEMBERS
from twin.live.session import Session, mirror
from twin.live.state import Options
from twin.plugins.choices import load_scenario

_KIB = 1024.0


def pace(
    scenario: str,
    changes: Sequence[str],
    *,
    rate_per_s: float,
    times: int,
    outlook_every: int,
    seed: int,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Feed a flight's lines at a rate, and measure lag and memory; the plant flies beforehand.

    Each message is said `times` times in its minute, with times and numbers of its own.
    """
    chosen = load_scenario(scenario, list(changes))
    memory_mib: list[float] = []
    ahead = Outlooks(outlook_every, orbits=2.0, members=MEMBERS, priors=Priors())

    def watch(session: Session, step: Any) -> None:
        ahead.watch(session, step)
        memory_mib.append(_resident_mib())

    with TemporaryDirectory() as temporary:
        place = Path(temporary)
        file = place / "said.jsonl"
        with file.open("wb") as out:
            said = flown(scenario, changes, (), seed, place / "truth.npz")
            out.writelines(said if times == 1 else _oftener(said, times))
        with file.open("rb") as lines:
            # Made at once: what is measured must not grow by what measures it.
            lag_s = np.full(sum(1 for _ in lines), np.nan)
        with ahead:
            began = time.perf_counter()
            run = mirror(
                chosen,
                lambda skip: _fed(file, rate_per_s, lag_s),
                runs_dir=place / "runs",
                options=Options(progress=progress, watch=watch, finish=ahead.finish),
            )
            wall_s = time.perf_counter() - began
        kept = run.manifest["checkpoints"]
        messages = run.manifest["conclusion"]["live"]["messages"]
    # The first steps compile and make the first plan.
    settled = lag_s[len(lag_s) // 4 :]
    settled = settled[np.isfinite(settled)]
    later = np.array(memory_mib[len(memory_mib) // 4 :])
    hours = np.arange(len(later)) * float(chosen.simulation.step_s or 60.0) / 3600.0
    return {
        "messages": int(np.isfinite(lag_s).sum()),
        "messages_taken": messages["taken"],
        "rate_per_s": rate_per_s,
        "wall_s": wall_s,
        "plant_s": len(memory_mib) * float(chosen.simulation.step_s or 60.0),
        "lag_p50_s": float(np.quantile(settled, 0.5)),
        "lag_p99_s": float(np.quantile(settled, 0.99)),
        "lag_max_s": float(settled.max()),
        "memory_first_mib": float(np.mean(later[:5])),
        "memory_last_mib": float(np.mean(later[-5:])),
        "memory_most_mib": float(later.max()),
        "memory_slope_mib_per_hour": float(np.polyfit(hours, later, 1)[0]),
        "steps": len(memory_mib),
        "checkpoint_ms": kept["milliseconds"],
        "checkpoint_mib": kept["bytes"] / 2**20,
        "outlooks": ahead.made,
        "outlooks_left_out": ahead.left_out,
        "memory_mib": [round(each, 1) for each in memory_mib],
    }


def _oftener(said: Iterable[bytes], times: int) -> Iterator[bytes]:
    """Yield each message several times in its minute, in the order in which they would come."""
    apart_s = 60.0 / times
    waiting: list[tuple[float, int, bytes]] = []
    clock_s, count = 0.0, 0
    for line in said:
        message = json.loads(line)
        when, number = datetime.fromisoformat(message["time_utc"]), message["sequence"]
        clock_s = max(clock_s, when.timestamp())
        for k in range(times):
            message["time_utc"] = (when + timedelta(seconds=k * apart_s)).isoformat()
            message["sequence"] = number * times + k
            if k:
                message.pop("tle", None)
            text = json.dumps(message, separators=(",", ":")).encode() + b"\n"
            heappush(waiting, (clock_s + k * apart_s, count, text))
            count += 1
        while waiting and waiting[0][0] <= clock_s:
            yield heappop(waiting)[2]
    while waiting:
        yield heappop(waiting)[2]


def _fed(file: Path, rate_per_s: float, lag_s: NDArray[np.float64]) -> Iterator[bytes]:
    """Yield a line when it is due; what is asked for the next line later is late by that."""
    began = None
    with file.open("rb") as lines:
        for number, line in enumerate(lines):
            now = time.perf_counter()
            began = now if began is None else began
            due = began + number / rate_per_s
            if due > now:
                time.sleep(due - now)
            lag_s[number] = max(now - due, 0.0)
            yield line


def _resident_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1]) / _KIB
    return 0.0
