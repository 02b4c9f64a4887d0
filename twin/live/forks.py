"""Fork the twin from its live state: the same future under different decisions.

A member of an ensemble draws charge, capacity, array and load of every satellite from the
estimates, and outages and tokens from a replicate of its own. Members are the same whatever is
decided, so that decisions are compared on common random numbers.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agents.model import TwinModel
from agents.state import TwinState
from placement.problem import Placement
from twin import seeding
from twin.energy.budget import Own
from twin.errors import InputError
from twin.live.filter import FilterState
from twin.live.mirror import MirrorState
from twin.live.orbits import LiveEphemeris
from twin.live.state import LiveState
from twin.moe.inference import inference
from twin.runs import checkpoints
from twin.runs.rows import check_parts
from twin.runs.store import PARTS, any_run
from twin.scenario.schema import Scenario
from twin.vocabulary.live import KIND
from twin.world import state as states

type Array = NDArray[np.float64]

_FIRST_REPLICATE: Final = 1_000
"""Replicates of forks; those of runs begin at 0."""
MARGINS: Final = (2.0, 1.5, 1.0, 0.75, 0.5, 0.25, 0.0)
"""Standard deviations that plans are on the safe side by, the widest first."""


@dataclass(frozen=True, kw_only=True)
class Live:
    """A state of a live run, and the scenario it is of."""

    scenario: Scenario
    twin: TwinState
    mirror: MirrorState

    @property
    def step(self) -> int:
        """The first step of a fork."""
        return self.twin.step


def newest(folder: Path) -> Live:
    """Read the newest checkpoint of a live run, whether the mirror is at work or not.

    Raises
    ------
    InputError
        If there is none.
    """
    run = any_run(folder)
    if run.manifest.get("kind") != KIND:
        raise InputError(f"{folder}: not a live run")
    # Parts become tables when a run is complete, and are not needed to look ahead.
    there = (folder / PARTS).is_dir()
    found = checkpoints.newest(
        folder,
        LiveState,
        usable=lambda each: check_parts(each.rows, folder / PARTS) if there else None,
    )
    if found is None:
        raise InputError(f"{folder}: has no checkpoint yet; one is written when it is worth it")
    return Live(scenario=run.asked, twin=found[0].twin, mirror=found[0].mirror)


@dataclass(frozen=True, kw_only=True)
class Course:
    """What one fork came to over T steps, (T,) each.

    Attributes
    ----------
    served : (T,) float64
        Share of the tokens that were asked for.
    latency_s : (T,) float64
        Mean of those served; NaN where none was.
    ttft_s : (T,) float64
        Median time to the first token; NaN without users.
    soc_min : (T,) float64
    off : (T,) int64
        Satellites without power.
    moved_bytes : float
    """

    served: Array
    latency_s: Array
    ttft_s: Array
    soc_min: Array
    off: NDArray[np.int64]
    moved_bytes: float


def under(scenario: Scenario, table: str, name: str) -> Scenario:
    """Return a scenario under another policy or dispatch; its own keeps its parameters.

    Raises
    ------
    InputError
        If there is nothing to dispatch.
    """
    if table == "policy":
        mine = scenario.controller
        params = mine.params if name == mine.policy else {}
        controller = mine.model_copy(update={"policy": name, "params": params})
        return scenario.model_copy(update={"controller": controller})
    if scenario.serving.mode != "requests" or scenario.placement.instances == 1:
        raise InputError(f"{name}: only requests to several instances are dispatched")
    serving = scenario.serving
    params = serving.dispatch_params if name == serving.dispatch else {}
    serving = serving.model_copy(update={"dispatch": name, "dispatch_params": params})
    return scenario.model_copy(update={"serving": serving})


def course(
    live: Live,
    member: int,
    steps: int,
    *,
    placement: Placement | None = None,
    changed: Scenario | None = None,
) -> Course:
    """Run one member over some steps.

    Parameters
    ----------
    live : Live
    member : int
    steps : int
        No more than the scenario has left.
    placement : Placement, optional
        Go over to it in the first step, and leave the policy unasked; by default nothing is done
        but what the scenario's policy does.
    changed : Scenario, optional
        Under another policy or dispatch; another policy leads again where commands did.
    """
    scenario = live.scenario if changed is None else changed
    model = _forked(live, of_member(scenario, member))
    if scenario.controller is not live.scenario.controller:
        model.controller.state.led = False
    if placement is not None:
        model.controller.order(placement)
    rng = seeding.stream(scenario.simulation.seed, member, "live: member").at(live.step)
    soc, model.fleet.energy.own = drawn(live.mirror.filter, rng)
    model.fleet.energy.correct(soc)
    steps = min(steps, scenario.simulation.steps - live.step)
    rows = []
    moved = 0.0
    for _ in range(steps):
        model.step()
        row = model.row
        moved += float(row["migrated_bytes"])
        rows.append(
            (
                row["tokens_served"] / max(row["tokens_asked"], 1),
                row["latency_mean_s"],
                row["ttft_p50_s"],
                row["soc_min"],
                int((~model.fleet.energy.powered).sum()),
            )
        )
    served, latency_s, ttft_s, soc_min, off = np.array(rows, float).reshape(-1, 5).T
    return Course(
        served=np.minimum(served, 1.0),
        latency_s=latency_s,
        ttft_s=ttft_s,
        soc_min=soc_min,
        off=off.astype(np.int64),
        moved_bytes=moved,
    )


def planned(live: Live, strategy: str) -> Placement:
    """Return what a strategy plans now, with satellites taken to be as they are estimated.

    A plan that just fits what is most likely will not fit some of what may be. So they are taken
    to be worse than estimated, by as many standard deviations as leave a plan.

    Raises
    ------
    InputError
        If it finds no placement.
    """
    table = live.scenario.placement
    params = table.params if strategy == table.strategy else {}
    placement = table.model_copy(update={"strategy": strategy, "params": params})
    scenario = live.scenario.model_copy(update={"placement": placement})
    for margin in MARGINS:
        model = _forked(live, scenario)
        model.controller.state.plan_now = True
        model.fleet.energy.own = model.controller.own = own_of(_worse(live.mirror.filter, margin))
        model.step()
        if model.controller.wanted is not None:
            return model.controller.wanted
    raise InputError(f"{strategy}: too few satellites take experts")


def _worse(state: FilterState, margin: float) -> Array:
    """Estimates, (N, 5), with capacity and array lower and load higher by so many deviations."""
    deviation = np.sqrt(np.diagonal(state.p, axis1=1, axis2=2))
    worse: Array = state.x + margin * deviation * np.array([0.0, 1.0, -1.0, 1.0, 0.0])
    return worse


def _forked(live: Live, scenario: Scenario) -> TwinModel:
    """A twin that goes on from the live state; its controller's policy is at work again."""
    twin = states.copy(live.twin)
    twin.controller.reported = False
    # Its router is that of the live twin, whatever the replicate.
    model = TwinModel(scenario, state=twin, llm=inference(live.scenario))
    sets = states.copy(live.mirror.sets)
    model.world.ephemeris = LiveEphemeris(scenario, model.world.constellation, sets)
    return model


def drawn(state: FilterState, rng: np.random.Generator) -> tuple[Array, Own]:
    """Charges and factors of one member."""
    root = np.linalg.cholesky(state.p + 1e-12 * np.eye(5))
    x = state.x + np.einsum("nij,nj->ni", root, rng.standard_normal(state.x.shape))
    return np.clip(x[:, 0], 0.0, 1.0), own_of(x)


def own_of(x: Array) -> Own:
    """How satellites differ from their bus, of states of the filter (N, 5)."""
    return Own(
        capacity=1.0 / np.clip(x[:, 1], 0.2, 5.0),
        array=np.clip(x[:, 2], 0.0, 5.0),
        load=np.clip(x[:, 3], 0.05, 5.0),
    )


def of_member(scenario: Scenario, member: int) -> Scenario:
    """The scenario of one member: its outages and tokens are its own."""
    replicate = _FIRST_REPLICATE + member
    simulation = scenario.simulation.model_copy(update={"replicate": replicate})
    return scenario.model_copy(update={"simulation": simulation})
