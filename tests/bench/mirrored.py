"""How well the live twin mirrors a plant with hidden parameters: its accuracy and its alarms."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from agents.model import TwinModel
from twin.live import judge
from twin.live.record import Record
from twin.live.session import Session, mirror
from twin.live.state import Options
from twin.plugins.choices import load_scenario

TWIN = (sys.executable, "-c", "from twin.cli.entry import main; main()")


def live(
    scenario: str,
    changes: Sequence[str],
    plant: Sequence[str],
    *,
    seed: int,
    open_loop: bool,
    folder: Path | None = None,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Fly the plant in a process of its own, mirror it, and judge the mirror by the truth."""
    with TemporaryDirectory() as temporary:
        place = Path(temporary) if folder is None else folder
        truth = place / "truth.npz"
        chosen = load_scenario(scenario, list(changes))
        kept: list[Record] = []

        def watch(session: Session, step: Any) -> None:
            kept[:] = [session.record]

        began = time.perf_counter()
        run = mirror(
            chosen,
            lambda skip: flown(scenario, changes, plant, seed, truth),
            runs_dir=place / "runs",
            options=Options(progress=progress, watch=watch),
        )
        wall_s = time.perf_counter() - began
        step_s = float(run.scenario.simulation.step_s or 60.0)
        found = {
            "scenario": chosen.name,
            "plant": list(plant),
            "seed": seed,
            "wall_s": wall_s,
            "accuracy": judge.accuracy(run.path, truth, step_s=step_s),
            "innovations": judge.chi_square(kept[0].innovations),
            "anomalies": judge.anomalies(run.path, truth),
            "messages": run.manifest["conclusion"]["live"]["messages"],
            "alarms": run.manifest["conclusion"]["live"]["alarms"],
        }
        if open_loop:
            found["open_loop_charge_rmse"] = _open_loop(chosen, truth, step_s)
        return found


def flown(
    scenario: str, changes: Sequence[str], plant: Sequence[str], seed: int, truth: Path
) -> Iterator[bytes]:
    """Fly a plant in a process of its own, and yield its lines."""
    options = [part for text in changes for part in ("--set", text)]
    options += [part for text in plant for part in ("--plant", text)]
    command = (*TWIN, "emit", scenario, "--seed", str(seed), "--truth", str(truth), *options)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield from process.stdout
        finally:  # the truth is written after the last line
            while process.stdout.read(2**20):
                pass
            process.wait()


def _open_loop(scenario: Any, truth: Path, step_s: float) -> float:
    model = TwinModel(scenario)
    charges = []
    for _ in range(scenario.simulation.steps):
        model.step()
        charges.append(model.fleet.energy.soc.copy())
    return judge.open_loop_rmse(np.array(charges), truth, step_s=step_s)


def rows(found: dict[str, Any]) -> list[list[str]]:
    """What was found, a line each."""
    near, innovations = found["accuracy"], found["innovations"]
    out = [
        ["satellites, those that see shadow", f"{near['satellites']}, {near['that see shadow']}"],
        ["charge, RMSE after the first orbit", f"{100 * near['charge_rmse']:.3f} %"],
        ["capacity within 2 %", f"{100 * near['capacity_within']:.1f} % of satellites"],
        ["array within 2 %", f"{100 * near['array_within']:.1f} %"],
        ["load within 2 %", f"{100 * near['load_within']:.1f} %"],
        ["priors only: capacity within 2 %", f"{100 * near['priors_capacity_within']:.1f} %"],
        ["priors only: array within 2 %", f"{100 * near['priors_array_within']:.1f} %"],
        ["priors only: array within 5 %", f"{100 * near['priors_array_within_5']:.1f} %"],
        ["innovations of charge over expected", f"{innovations['soc_mean']:.4f}"],
        ["within their chi-square's 95 %", f"{100 * innovations['soc_inside']:.1f} %"],
        ["innovations of power over expected", f"{innovations['power_mean']:.4f}"],
        ["within their chi-square's 95 %", f"{100 * innovations['power_inside']:.1f} %"],
    ]
    if "open_loop_charge_rmse" in found:
        out.insert(2, ["open loop: charge, RMSE", f"{100 * found['open_loop_charge_rmse']:.2f} %"])
    for kind, one in found["anomalies"].items():
        if isinstance(one, judge.Found) and one.planted:
            share = f"{one.found} of {one.planted}: {100 * one.low:.1f} to {100 * one.high:.1f} %"
            out.append([f"found: {kind}", share])
    false, hours = found["anomalies"]["false_alarms"], found["anomalies"]["satellite_hours"]
    each = found["anomalies"]["false_per_10000_h"]
    out.append(["false alarms", f"{false} in {hours:,.0f} satellite-hours: {each:.2f} in 10,000"])
    out.append(["wall time", f"{found['wall_s']:.0f} s"])
    return out
