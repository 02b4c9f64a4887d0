"""Where outages and faults come from: drawn, played back from a run's own tables, or reported.

A model does not know which. A source has no memory: what held in the step before is part of the
run's state and is handed to it.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twin import seeding
from twin.network.outages import FAULTS, OUTAGES
from twin.scenario.schema import Scenario

type Flags = NDArray[np.bool_]


class Source(Protocol):
    """What happens to links and satellites by itself, step by step."""

    def unbroken(self, step: int, before: Flags | None, n: int) -> Flags:
        """Which of n links no random outage holds down in a step, (n,)."""
        ...

    def sound(self, step: int, before: Flags | None, n: int) -> Flags:
        """Which of n satellites are free of faults in a step, (n,)."""
        ...


class Simulated:
    """Outages and faults by the scenario's models, drawn from one replicate's streams.

    Parameters
    ----------
    scenario : Scenario
    step_s : float
        Length of a step.
    replicate : int
    """

    def __init__(self, scenario: Scenario, *, step_s: float, replicate: int) -> None:
        seed = scenario.simulation.seed
        self._outages, self._faults = scenario.outages, scenario.faults
        self._step_s = step_s
        self._hold = OUTAGES.build(self._outages.model, self._outages.params)
        self._work = FAULTS.build(self._faults.model, self._faults.params)
        self._outage_draws = seeding.stream(seed, replicate, "outages")
        self._fault_draws = seeding.stream(seed, replicate, "faults")

    def unbroken(self, step: int, before: Flags | None, n: int) -> Flags:
        """Which of n links no random outage holds down in a step, (n,)."""
        rng = self._outage_draws.at(step)
        return self._hold(before, n, self._outages, self._step_s, rng=rng)

    def sound(self, step: int, before: Flags | None, n: int) -> Flags:
        """Which of n satellites are free of faults in a step, (n,)."""
        if self._faults.model == "none" and before is not None:
            return before
        return self._work(before, n, self._faults, self._step_s, rng=self._fault_draws.at(step))


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Outages and faults as a run met them; nothing is drawn.

    Attributes
    ----------
    outage_step, link : (K,) int32
        Links whose outage began or ended, by the step from which that held; all links hold before
        the run's first step.
    fault_step, satellite : (F,) int32
        The same for faults of satellites.
    """

    outage_step: NDArray[np.int32]
    link: NDArray[np.int32]
    fault_step: NDArray[np.int32]
    satellite: NDArray[np.int32]

    def unbroken(self, step: int, before: Flags | None, n: int) -> Flags:
        """Which of n links no random outage holds down in a step, (n,)."""
        return _turned(before, n, self.link, self.outage_step, step)

    def sound(self, step: int, before: Flags | None, n: int) -> Flags:
        """Which of n satellites are free of faults in a step, (n,)."""
        return _turned(before, n, self.satellite, self.fault_step, step)


@dataclass(kw_only=True)
class Live:
    """Outages and faults as telemetry reports them; what is not reported stays as it was.

    Attributes
    ----------
    held : (E,) int8
        Of each link: 1 where it is reported to hold, 0 where not, -1 where nothing is said.
    free : (N,) int8
        The same of satellites, free of faults.
    """

    held: NDArray[np.int8]
    free: NDArray[np.int8]

    def unbroken(self, step: int, before: Flags | None, n: int) -> Flags:  # noqa: ARG002
        """Which of n links no outage holds down, as far as is reported, (n,)."""
        return _reported(before, n, self.held)

    def sound(self, step: int, before: Flags | None, n: int) -> Flags:  # noqa: ARG002
        """Which of n satellites are free of faults, as far as is reported, (n,)."""
        return _reported(before, n, self.free)


def _reported(before: Flags | None, n: int, said: NDArray[np.int8]) -> Flags:
    known = np.ones(n, bool) if before is None else before
    return np.where(said < 0, known, said == 1)


def _turned(
    before: Flags | None,
    n: int,
    row: NDArray[np.int32],
    at_step: NDArray[np.int32],
    step: int,
) -> Flags:
    now = np.ones(n, bool) if before is None else before.copy()
    first, last = np.searchsorted(at_step, [step, step + 1])
    now[row[first:last]] ^= True
    return now
