"""Run one scenario and keep what it did: from its start, from a checkpoint, or from a fork."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from agents.data_centre import model_of
from agents.fork import Beginning, Checkpoint, beginning_of, intervene
from agents.length import last, prolonged, put_off, told
from agents.model import TwinModel
from agents.recorder import Recorder, placement_rows
from twin.runs import checkpoints
from twin.runs.checkpoints import Checkpoints
from twin.runs.files import read_manifest, versions
from twin.runs.lock import Lock
from twin.runs.rows import Rows, check_parts
from twin.runs.store import PARTS, START, Run, any_run, interrupted_scenario, open_run
from twin.runs.writer import RunWriter, conclude
from twin.scenario import attachments
from twin.scenario.schema import Scenario
from twin.world import state as states
from twin.world.spacecraft import remarks


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
    beginning: Beginning | None = None,
    checkpoint_every_s: float | None = None,
) -> Run:
    """Run a scenario to its last step and write it below `runs_dir`.

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
    beginning : Beginning, optional
        Where to begin; at the scenario's first step by default.
    checkpoint_every_s : float, optional
        Work between checkpoints if all are kept, so that any step is computed again in about that
        time; by default two are kept, to go on from.

    Raises
    ------
    InputError
        If the scenario cannot be run.
    RunCancelledError
        If `cancelled` said so.
    """
    start = beginning or Beginning()
    writer = RunWriter(
        runs_dir,
        scenario,
        run_id=run_id,
        rows=None if start.rows is None else Rows(scenario, start.rows),
        earlier_s=start.earlier_s,
        files=start.files,
        forked=start.forked,
        lock=start.lock,
    )
    with writer:
        model = model_of(writer.scenario, state=start.state)
        last(model, start.steps or scenario.simulation.steps)
        _introduce(writer, model, start)
        _tell_length(writer, model)
        recorder = model.recorder = Recorder(writer, model)
        kept = Checkpoints(writer.partial, {"run_id": writer.run_id}, every_s=checkpoint_every_s)
        while _goes_on(writer, model):
            if cancelled():
                raise RunCancelledError
            model.step()
            watch(model)
            step = model.snapshot.step
            steps = model.config.simulation.steps
            progress(step + 1, steps)
            if kept.due and model.running:
                rows = writer.rows.state()
                checkpoint = Checkpoint(twin=model.state, rows=rows, steps=steps)
                kept.write(step + 1, checkpoint, {"wall_time_s": writer.wall_time_s})
        recorder.close(model)
        _conclude(writer, model, kept)
    return open_run(writer.folder)


def _conclude(writer: RunWriter, model: TwinModel, kept: Checkpoints) -> None:
    """Write what is said of a run at its end."""
    writer.conclusion = conclusion(model)
    writer.prolonged = prolonged(model, writer.scenario, writer.rows)
    if writer.prolonged is not None:
        writer.note(told(writer.prolonged))
    writer.checkpoints = {
        "written": kept.written,
        "bytes": kept.size_bytes,
        "kept_bytes": kept.kept_bytes,
        "milliseconds": round(1e3 * kept.cost_s, 1),
    }


def _goes_on(writer: RunWriter, model: TwinModel) -> bool:
    """Whether there is a step to take; the end may be put off first."""
    if put_off(model, writer.rows):
        _tell_length(writer, model)
    return bool(model.running)


def _tell_length(writer: RunWriter, model: TwinModel) -> None:
    """Write the manifest, with the run's length as far as known."""
    writer.steps = model.config.simulation.steps
    writer.prolonged = prolonged(model, writer.scenario)
    writer.began()


def _introduce(writer: RunWriter, model: TwinModel, beginning: Beginning) -> None:
    """Write what holds for the whole run, and of a fork where it begins."""
    for note in notes(model):
        writer.note(note)
    writer.left_out = dict(model.world.constellation.left_out)
    if beginning.forked is not None and beginning.rows is None:
        states.write(writer.partial / START, model.state, note={"versions": versions()})
        if model.controller.version >= 0:
            writer.write_hosts_at_start(placement_rows(model, model.network.state.step))
        intervene(model, beginning.forked)


def resume(
    partial: Path,
    *,
    progress: Callable[[int, int], None] = lambda step, steps: None,  # noqa: ARG005
) -> Run:
    """Run an interrupted run to its end, from its last checkpoint or, without one, its start.

    Raises
    ------
    InputError
        If `partial` is no interrupted run, is being computed, or other versions began it.
    """
    run_id, scenario = interrupted_scenario(partial)
    with Lock.take(partial) as lock:
        return finished(partial, lock) or run_scenario(
            scenario,
            runs_dir=partial.parent,
            run_id=run_id,
            progress=progress,
            beginning=last_checkpoint(partial, lock),
        )


def finished(partial: Path, lock: Lock) -> Run | None:
    """Give a run its name that ended after its last step and before that; None for any other."""
    run = any_run(partial)
    return open_run(conclude(partial, lock)) if run.manifest["status"] == "complete" else None


def last_checkpoint(partial: Path, lock: Lock) -> Beginning:
    """Where an interrupted run goes on: at its start, if it has no checkpoint yet.

    Parameters
    ----------
    partial : Path
    lock : Lock
        Of the run, taken before anything of it was read.
    """
    found = checkpoints.newest(
        partial, Checkpoint, usable=lambda each: check_parts(each.rows, partial / PARTS)
    )
    if found is None:
        fork = beginning_of(partial)
        return replace(fork or Beginning(files=attachments.of(partial)), lock=lock)
    checkpoint, file = found
    note = states.read_note(file)
    return Beginning(
        state=checkpoint.twin,
        rows=checkpoint.rows,
        earlier_s=note["wall_time_s"],
        steps=checkpoint.steps,
        files=attachments.of(partial),
        forked=(read_manifest(partial) or {}).get("forked"),
        lock=lock,
    )


def conclusion(model: TwinModel) -> dict[str, Any]:
    """Return what can be told of links and batteries only at the end."""
    wear = model.fleet.energy.wear()
    return {
        "links": model.link_statistics.summary(),
        "batteries": {
            "full_cycles_mean": float(wear.full_cycles.mean()),
            "full_cycles_max": float(wear.full_cycles.max()),
            "life_used_max": float(wear.life_used.max()),
            "cycles_by_depth": wear.histogram.sum(axis=0).tolist(),
        },
    }


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
    return told + list(body.notes) + remarks(model.config)
