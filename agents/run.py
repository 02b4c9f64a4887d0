"""Run one scenario and keep what it did."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from agents.model import TwinModel
from agents.recorder import Recorder
from twin.runs.store import Run, RunWriter, open_run
from twin.scenario.schema import Scenario


class RunCancelledError(Exception):
    """Somebody asked for the run to stop."""


def run_scenario(
    scenario: Scenario,
    *,
    runs_dir: Path,
    progress: Callable[[int, int], None] = lambda step, steps: None,  # noqa: ARG005
    cancelled: Callable[[], bool] = lambda: False,
    run_id: str | None = None,
    watch: Callable[[TwinModel], None] = lambda model: None,  # noqa: ARG005
) -> Run:
    """Run a scenario from its first step to its last and write it below `runs_dir`.

    Parameters
    ----------
    scenario : Scenario
    runs_dir : Path
        Made if it is not there.
    progress : callable
        Told (steps done, steps in all) after every step.
    cancelled : callable
        Asked before every step whether to stop; the run is then left as interrupted.
    run_id : str, optional
        Name of the run, made up if not given.
    watch : callable
        Shown the model after every step.

    Raises
    ------
    InputError
        If the scenario cannot be run.
    RunCancelledError
        If `cancelled` said so.
    """
    model = TwinModel(scenario)
    steps = scenario.simulation.steps
    with RunWriter(runs_dir, scenario, run_id=run_id) as writer:
        for note in notes(model):
            writer.note(note)
        writer.left_out = dict(model.world.constellation.left_out)
        model.recorder = Recorder(writer)
        for step in range(steps):
            if cancelled():
                raise RunCancelledError
            model.step()
            watch(model)
            progress(step + 1, steps)
        writer.conclusion = model.conclusion()
    return open_run(writer.folder)


def notes(model: TwinModel) -> list[str]:
    """What a reader should know about the constellation a run took place on."""
    body = model.world.constellation
    sizes = np.bincount(body.plane)
    each = f"{sizes[0]}" if np.ptp(sizes) == 0 else f"{sizes.min()} to {sizes.max()}"
    shells = f"{body.n_shells} shells, " if body.n_shells > 1 else ""
    told = [
        f"{body.size} satellites in {shells}{body.n_planes} planes of {each}, "
        f"{model.world.skeleton.pairings} link pairings"
    ]
    # A reason reads "class: detail"; the manifest has every satellite's own.
    classes = Counter(reason.partition(": ")[0] for _, reason in body.left_out)
    told += [f"left out {count}, {reason}" for reason, count in sorted(classes.items())]
    return told
