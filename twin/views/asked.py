"""A run that somebody asked for, before it is computed."""

from collections.abc import Callable
from dataclasses import dataclass

from agents.fork import Beginning
from twin.scenario.schema import Scenario

type Told = Callable[[int, int], None]
"""Takes note of how far it is: steps done, and steps in all."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A run to compute.

    Attributes
    ----------
    label : str
        What is said while it goes on.
    prepare : callable
        Called when its turn has come, with what takes note of progress; returns the scenario, and
        where it begins if that is not at its first step.
    run_id : str, optional
        Name of the run, made up if not given.
    """

    label: str
    prepare: Callable[[Told], tuple[Scenario, Beginning | None]]
    run_id: str | None = None


def from_start(scenario: Scenario) -> Asked:
    """Ask for a scenario from its first step on."""
    label = f"Running {scenario.name} with {scenario.placement.strategy}"
    return Asked(label=label, prepare=lambda _: (scenario, None))
