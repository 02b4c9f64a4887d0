"""Runs of one load, and what they are worth under several deadlines."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from twin.errors import InputError
from twin.runs.figures import FIGURES
from twin.runs.rules import Floats
from twin.runs.statistics import Estimate, estimate
from twin.runs.store import Run
from twin.runs.summary import summarise
from twin.scenario.schema import Scenario

type Targets = tuple[float, float]
"""Of the first token, and of a further one, s."""

KEPT: Final = (
    "goodput_share",
    "goodput_per_s",
    "requests_served_share",
    "tokens_out_per_s",
    "tokens_in_per_s",
    "request_ttft_p95_s",
    "request_tpot_p99_s",
    "request_e2e_p95_s",
    "request_energy_per_token_j",
    "requests_counted",
)
"""Figures of a run that are kept."""


class Replicated:
    """What has figures of runs, one each replicate; None where there is none."""

    runs: list[dict[str, float | None]]

    def values(self, name: str) -> Floats:
        """One figure over the replicates, (R,); NaN where there is none."""
        return np.array([run.get(name) for run in self.runs], np.float64)

    def estimate(self, name: str) -> Estimate:
        """Mean of a figure and its interval."""
        return estimate(self.values(name))

    def shown(self, name: str) -> Estimate:
        """The same in the unit that the figure is shown in."""
        return FIGURES[name].shown(self.values(name))


def targets_of(scenario: Scenario) -> Targets:
    """Return a scenario's targets."""
    return scenario.requests.ttft_target_s, scenario.requests.tpot_target_s


def under(scenario: Scenario, targets: Targets) -> Scenario:
    """Return a scenario with other targets."""
    first_s, further_s = targets
    change = {"ttft_target_s": first_s, "tpot_target_s": further_s}
    return scenario.model_copy(update={"requests": scenario.requests.model_copy(update=change)})


@dataclass(frozen=True)
class _Under(Run):
    """A run that is looked at under other targets."""

    targets: Targets

    @cached_property
    def scenario(self) -> Scenario:
        """As it ran, but for the targets."""
        return under(self.asked, self.targets)


def run_trial(scenario: Scenario, replicate: int, targets: Sequence[Targets]) -> dict[str, Any]:
    """Run a scenario in a temporary folder; return figures under each of some targets.

    Parameters
    ----------
    scenario : Scenario
    replicate : int
    targets : sequence of (float, float)

    Returns
    -------
    dict
        ``figures``: a dict for each of the targets, None where there is none; ``error``: why there
        are none at all, or None.
    """
    try:
        with ran(scenario, replicate) as run:
            found = [summarise(_Under(run.path, run.manifest, each)) for each in targets]
    except InputError as error:
        nothing = dict.fromkeys(KEPT)
        return {"error": str(error), "figures": [nothing for _ in targets]}
    return {"error": None, "figures": [{name: one[name] for name in KEPT} for one in found]}


@contextmanager
def ran(scenario: Scenario, replicate: int, **recorded: int) -> Iterator[Run]:
    """Run a replicate of a scenario in a folder that goes when the block ends.

    `recorded` are other fields of its table ``simulation``: what the run keeps.
    """
    # Here, so that what was found can be shown without Mesa.
    from agents.run import run_scenario

    change = {"replicate": replicate, **recorded}
    simulation = scenario.simulation.model_copy(update=change)
    chosen = scenario.model_copy(update={"simulation": simulation})
    with tempfile.TemporaryDirectory() as folder:
        yield run_scenario(chosen, runs_dir=Path(folder), run_id="trial")
