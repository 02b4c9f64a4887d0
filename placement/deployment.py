"""Many copies of the model on one constellation: its instances, each a placement of its own.

Instances share the satellites' memory and time. Links are not shared out: hidden states of single
tokens take a small part of an optical link's rate, and no strategy counts them.
"""

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from placement.problem import Placement, PlacementProblem, check, memory_used_bytes
from twin.errors import InputError

FLOOR = "min_tokens_per_s"
"""Parameter of the strategies that can respect a floor of throughput: they see the time left."""

type Count = int | Literal["fill"]
"""How many instances; "fill" for as many as find room."""


@dataclass(frozen=True)
class Deployment:
    """Instances of one model, in the order in which they were placed."""

    instances: tuple[Placement, ...]

    def __len__(self) -> int:
        return len(self.instances)


def deploy(
    problem: PlacementProblem,
    strategy: Callable[..., Any],
    *,
    instances: Count,
    rng: np.random.Generator,
) -> Deployment:
    """Place instances of the model, each of which serves an equal part of the demand.

    A strategy with a parameter `instances` plans all at once. Any other is applied again and again,
    first come, first served. One that knows a floor of throughput shares satellites: it finds the
    memory and the time that earlier instances leave. For any other, for one that keeps to the
    scenario's spreading rule, and where waiting counts, a satellite that an instance uses is gone.

    Parameters
    ----------
    problem : PlacementProblem
        Whose ``rate_per_s`` is asked of all instances together.
    strategy : callable
        With its parameters bound.
    instances : int or "fill"
        With "fill", as many as fit if each serves its part of the demand.
    rng : numpy.random.Generator

    Raises
    ------
    InputError
        If not all instances, or with "fill" not even one, find room.
    """
    if "instances" in inspect.signature(strategy).parameters:
        found: Deployment = strategy(problem, instances=instances, rng=rng)
    elif instances == "fill":
        found = _fill(problem, strategy, rng)
    else:
        found = Deployment(_in_turn(problem, strategy, instances, rng, fill=False))
    check_deployment(problem, found)
    return found


def share_of_demand(problem: PlacementProblem, instances: int) -> PlacementProblem:
    """The problem of one instance of several, which serves an equal part of the demand."""
    if instances == 1:
        return problem
    return dataclasses.replace(problem, rate_per_s=problem.rate_per_s / instances)


def most_by_memory(problem: PlacementProblem) -> int:
    """Instances that memory would hold if it were all in one place."""
    return int(problem.memory_bytes.sum() / problem.model_bytes * (1 + 1e-9))


def check_deployment(problem: PlacementProblem, deployment: Deployment) -> None:
    """Raise unless every instance is complete, and all together are within memory.

    Raises
    ------
    InputError
        Names the first thing that is wrong.
    """
    if not deployment.instances:
        raise InputError("deployment has no instance")
    used = np.zeros(problem.n_satellites)
    for placement in deployment.instances:
        check(problem, placement)
        used += memory_used_bytes(problem, placement)
    over = np.flatnonzero(used > problem.memory_bytes * (1 + 1e-9))
    if len(over):
        raise InputError(
            f"satellite {over[0]} would need {used[over[0]] / 1e9:.3f} GB of memory for all "
            f"{len(deployment)} instances, has {problem.memory_bytes[over[0]] / 1e9:.3f} GB"
        )


def _fill(
    problem: PlacementProblem, strategy: Callable[..., Any], rng: np.random.Generator
) -> Deployment:
    """As many instances as fit, where just as many share the demand."""
    wanted = max(most_by_memory(problem), 1)
    while True:
        found = _in_turn(problem, strategy, wanted, rng, fill=True)
        if len(found) == wanted or not problem.rate_per_s:
            return Deployment(found)
        wanted = len(found)


def _in_turn(
    problem: PlacementProblem,
    strategy: Callable[..., Any],
    wanted: int,
    rng: np.random.Generator,
    *,
    fill: bool,
) -> tuple[Placement, ...]:
    """One instance after the other; with `fill` until no further one fits."""
    left = share_of_demand(problem, wanted)
    alone = not _shares(strategy) or problem.waiting
    found: list[Placement] = []
    while len(found) < wanted:
        try:
            placement = strategy(left, rng=rng)
            check(left, placement)
        except InputError as error:
            if fill and found:
                break
            told = f"{len(found)} of {wanted} instances fit: " if wanted > 1 else ""
            raise InputError(f"{told}{error}") from None
        found.append(placement)
        if len(found) < wanted:
            left = without(left, placement, alone=alone)
    return tuple(found)


def _shares(strategy: Callable[..., Any]) -> bool:
    """Whether a strategy can use what others leave of a satellite."""
    known = inspect.signature(strategy).parameters
    spreads = "spread" in known and known["spread"].default is True
    return FLOOR in known and not spreads


def without(problem: PlacementProblem, placement: Placement, *, alone: bool) -> PlacementProblem:
    """What a placement leaves of the satellites; with `alone` nothing of those that it uses.

    Copies and standbys count in full, as if they always served.
    """
    used = memory_used_bytes(problem, placement)
    left = np.where(alone & (used > 0), 0.0, problem.memory_bytes - used)
    n = problem.n_satellites
    taken_s = problem.taken_s.copy()
    layer, _ = np.nonzero(placement.gateways >= 0)
    gateways = placement.gateways[placement.gateways >= 0]
    taken_s += np.bincount(gateways, weights=problem.stage_s[layer], minlength=n)
    layer, expert, _ = np.nonzero(placement.copies >= 0)
    hosts = placement.copies[placement.copies >= 0]
    expert_s = problem.activation[layer, expert] * problem.expert_s
    taken_s += np.bincount(hosts, weights=expert_s, minlength=n)
    return dataclasses.replace(problem, memory_bytes=np.maximum(left, 0.0), taken_s=taken_s)
