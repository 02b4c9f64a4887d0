"""What if: begin a run in the middle of another, with something changed and the same draws."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.data_centre import model_of
from agents.length import last_chance
from agents.model import TwinModel
from agents.state import TwinState
from twin.errors import InputError
from twin.runs import checkpoints
from twin.runs.checkpoints import check_versions
from twin.runs.files import PARTIAL, read_manifest
from twin.runs.lock import Lock
from twin.runs.rows import RowsState
from twin.runs.store import START, Run, any_run
from twin.scenario import attachments
from twin.scenario.attachments import Attachment
from twin.scenario.schema import Scenario
from twin.space import constellation as constellations
from twin.space.frames import DAY_S
from twin.vocabulary.live import KIND
from twin.world import state as states
from twin.world.world import World, linked_span_s

_FIXED = (
    "constellation",
    "propagation",
    "model.card",
    "activations",
    "ground.sites",
    "ground.users",
    "simulation.start_utc",
    "simulation.step_s",
    "simulation.orbits",
    "simulation.seed",
    "simulation.replicate",
    "bus.initial_soc",
    "bus.initial_c",
    "links.seam",
    "links.cross_shell_every",
    "compute.hub_every",
)
"""Fields that a state depends on, or that are past: a fork cannot change them."""
_OF_REQUESTS = (
    "placement.instances",
    "serving.head_satellites",
    "serving.block_tokens",
    "requests.prefix_reuse",
    "requests.prefix_tokens",
)
"""The same where requests are under way."""

MIRRORS = (
    "mirrors telemetry, which cannot be computed again; the page branches it while it is mirrored"
)
"""Why a fork of a live run is refused."""


@dataclass(kw_only=True)
class Checkpoint:
    """All that an interrupted run needs to go on; `steps` is its length as far as known."""

    twin: TwinState
    rows: RowsState
    steps: int


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """Where a run begins if not at its scenario's first step.

    Attributes
    ----------
    state : TwinState or None
        None for the scenario's first step.
    rows : RowsState or None
        Of an interrupted run; None for a fork.
    forked : dict or None
        Of a fork: which ``run`` at which ``step``, and what was changed: ``set``, ``fail``,
        ``cut``.
    files : sequence of Attachment, optional
        What the scenario refers to; read from where it says by default.
    earlier_s : float
        Time that earlier sessions spent.
    steps : int or None
        Length of an interrupted run as far as known; None: as its scenario says.
    lock : Lock or None
        Of an interrupted run, in whose folder the run goes on.
    """

    state: TwinState | None = None
    rows: RowsState | None = None
    forked: dict[str, Any] | None = None
    files: Sequence[Attachment] | None = None
    earlier_s: float = 0.0
    steps: int | None = None
    lock: Lock | None = None


def fork(
    parent: Run,
    step: int,
    *,
    changes: Sequence[str] | Mapping[str, Any] = (),
    fail: Sequence[int] = (),
    cut: Sequence[tuple[int, int]] = (),
    progress: Callable[[int, int], None] = lambda step, steps: None,  # noqa: ARG005
    state: TwinState | None = None,
) -> tuple[Scenario, Beginning]:
    """Return the scenario of a fork, and where it begins.

    Parameters
    ----------
    parent : Run
        Complete or interrupted.
    step : int
        The first step of the fork.
    changes : sequence of str, or mapping
        ``table.key=value``, or values by ``table.key``.
    fail : sequence of int
        Satellites that are lost from that step on.
    cut : sequence of pairs of int
        Links that are gone from that step on.
    progress : callable
        Called with (steps done, steps in all) while the parent's state is computed again.
    state : TwinState, optional
        Before that step, where it is known; by default it is computed again.

    Raises
    ------
    InputError
        If there is no such step, satellite or link, or a change would not fit the state; if the
        parent mirrors telemetry and no state is given.
    """
    if state is None and parent.manifest.get("kind") == KIND:
        raise InputError(f"{parent.path}: {MIRRORS}")
    scenario = parent.changed(changes)
    _check_changes(parent.scenario, scenario)
    if not 0 <= step < scenario.simulation.steps:
        last = scenario.simulation.steps - 1
        raise InputError(f"{parent.path}: has no step {step}; a fork may begin at 0 to {last}")
    if state is None:
        model = _model_at(parent, step, progress)
    else:
        model = model_of(parent.scenario, state=states.copy(state))
    if scenario.requests.half_width and step > last_chance(scenario, model.world.step_s):
        raise InputError(
            f"requests.half_width: at step {step} arrivals have stopped; ask for more "
            "simulation.steps, or fork earlier"
        )
    _check_length(model.world, scenario.simulation.longest_steps)
    begins = states.copy(model.state)
    if parent.scenario.placement != scenario.placement and begins.controller.version >= 0:
        begins.controller.plan_now = True
    told = changes if isinstance(changes, Mapping) else list(changes)
    forked = {
        "run": parent.manifest["run_id"],
        "step": step,
        "set": told,
        "fail": list(fail),
        "cut": [list(pair) for pair in cut],
    }
    intervene(model, forked)  # refuses what is not there before anything is written
    written = parent.as_written(scenario)
    return written, Beginning(state=begins, forked=forked, files=attachments.of(parent.path))


def intervene(model: TwinModel, forked: Mapping[str, Any]) -> None:
    """Let satellites and links fail as a fork asks for."""
    for row in forked["fail"]:
        if not 0 <= row < len(model.satellites):
            last = len(model.satellites) - 1
            raise InputError(f"--fail {row}: there are satellites 0 to {last}")
        model.satellites[row].remove()
    for a, b in forked["cut"]:
        model.cut(a, b)


def state_at(
    run: Run,
    step: int,
    *,
    progress: Callable[[int, int], None] = lambda step, steps: None,  # noqa: ARG005
) -> TwinState:
    """State of a run before a step: computed again from its nearest checkpoint or its start."""
    return _model_at(run, step, progress).state


def _model_at(run: Run, step: int, progress: Callable[[int, int], None]) -> TwinModel:
    found = checkpoints.newest(run.path, Checkpoint, before=step)
    begun = beginning_of(run.path) if found is None else None
    if begun is not None:
        model = model_of(run.scenario, state=begun.state)
        assert begun.forked is not None
        intervene(model, begun.forked)
    else:
        model = model_of(run.scenario, state=None if found is None else found[0].twin)
    first = model.network.state.step
    if first > step:
        raise InputError(f"{run.path}: begins at step {first}, after step {step}")
    for now in range(first, step):
        model.step()
        progress(now + 1 - first, step - first)
    return model


def beginning_of(folder: Path) -> Beginning | None:
    """Where a run that is a fork began; None for any other."""
    manifest = read_manifest(folder)
    file = folder / START
    if manifest is None or not manifest.get("forked"):
        return None
    check_versions(file, states.read_note(file))
    state = states.read(file, TwinState)
    return Beginning(state=state, forked=manifest["forked"], files=attachments.of(folder))


def _check_changes(parent: Scenario, child: Scenario) -> None:
    before, after = parent.model_dump(mode="json"), child.model_dump(mode="json")
    fixed: tuple[str, ...] = _FIXED
    if before["serving"]["mode"] == "requests":
        fixed += _OF_REQUESTS
        # What is cached is known by the trace's hashes.
        fixed += ("requests.trace",) if before["requests"]["prefix_reuse"] else ()
    for path in fixed:
        table, _, key = path.partition(".")
        old, new = before[table], after[table]
        if (old[key] != new[key]) if key else (old != new):
            raise InputError(f"{path}: cannot be changed in a fork, whose past it belongs to")
    if before["simulation"]["orbits"] is not None and (
        before["simulation"]["steps"] != after["simulation"]["steps"]
    ):
        raise InputError("simulation.steps: cannot be changed in a fork of a run set by orbits")


def _check_length(world: World, steps: int) -> None:
    """Refuse a fork so much longer that planes meet which have no links in the state."""
    known_s = linked_span_s(world.step_s, world.scenario.simulation.longest_steps)
    if world.skeleton.passing.any() and linked_span_s(world.step_s, steps) != known_s:
        raise InputError(
            f"simulation.steps: planes drift against each other; a fork may end within the day "
            f"that its parent ends in, after {int((known_s - DAY_S) / world.step_s) + 1} to "
            f"{int(known_s / world.step_s)} steps, not {steps}"
        )


def parent_of(text: str, runs_dir: Path) -> tuple[Run, int]:
    """Run and step of ``RUN@STEP``, RUN a folder or an id below `runs_dir`.

    Raises
    ------
    InputError
        If the text has another form, or there is no such run.
    """
    name, at, step = text.rpartition("@")
    if not at or not step.isdecimal():
        raise InputError(f"--from {text}: must look like RUN@STEP")
    folders = [Path(name), runs_dir / name, runs_dir / (name + PARTIAL)]
    folder = next((folder for folder in folders if folder.is_dir()), None)
    if folder is None:
        raise InputError(f"--from {text}: neither a folder nor a run in {runs_dir}/")
    return any_run(folder), int(step)


def satellite_names(run: Run) -> Sequence[str]:
    """Names of a run's satellites, by number."""
    return constellations.build(run.scenario).names


def satellite_row(text: str, names: Sequence[str], told: str) -> int:
    """Number of a satellite that is given by number or name; InputError names `told`."""
    if text.isdecimal() and int(text) < len(names):
        return int(text)
    if text in names:
        return list(names).index(text)
    last = len(names) - 1
    raise InputError(f"{told}: no such satellite; give a number from 0 to {last}, or a name")


def link_ends(text: str, names: Sequence[str]) -> tuple[int, int]:
    """Numbers of the two satellites of ``A-B``, each given by number or name."""
    for i, letter in enumerate(text):
        if letter == "-" and 0 < i < len(text) - 1:
            ends = text[:i], text[i + 1 :]
            try:
                a, b = (satellite_row(end, names, f"--cut {text}") for end in ends)
            except InputError:
                continue
            return a, b
    raise InputError(f"--cut {text}: must look like A-B, two satellites by number or name")
