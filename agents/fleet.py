"""State of all satellites, one array a quantity; row = satellite."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.rules.view import RuleState
from placement.hosting import hosting
from placement.problem import Placement
from twin.energy.budget import FleetEnergy
from twin.moe.boards import memory_gb, peak_gflops
from twin.scenario.schema import Scenario
from twin.space.constellation import Constellation
from twin.world.spacecraft import bus_profile


@dataclass(kw_only=True)
class FleetState:
    """What changes about N satellites, rewritten every step.

    Attributes
    ----------
    energy : FleetEnergy
        Charge, temperature, power.
    rule : RuleState
        What satellites have decided for themselves.
    sound : (N,) bool
        Free of faults. A faulty satellite has neither links nor compute; its bus stays up.
    lost : (N,) bool
        Gone for good.
    sunlit : (N,) float64
        Mean visible share of the solar disc during the step.
    utilisation : (N,) float64
        Share of the step that the computer is busy; above 1 it is asked more than it can do.
    degree : (N,) int64
        Links that are up.
    pace : (N,) float64
        Full compute speed relative to the scenario's computer; hubs differ.
    memory_bytes : (N,) float64
        Memory for weights.
    experts : (N,) int64
        Experts hosted, copies included.
    layer : (N,) int16
        A layer hosted here (a gateway's goes first, a standby's next), -1 for none.
    gateway : (N,) bool
        Whether the satellite is a gateway.
    """

    energy: FleetEnergy
    rule: RuleState
    sound: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    sunlit: NDArray[np.float64]
    utilisation: NDArray[np.float64]
    degree: NDArray[np.int64]
    pace: NDArray[np.float64]
    memory_bytes: NDArray[np.float64]
    experts: NDArray[np.int64]
    layer: NDArray[np.int16]
    gateway: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """N."""
        return len(self.sunlit)

    @property
    def up(self) -> NDArray[np.bool_]:
        """Satellites that have links and compute, (N,): powered, free of faults, not lost."""
        return self.energy.powered & self.sound & ~self.lost

    @property
    def linked(self) -> NDArray[np.bool_]:
        """Satellites whose terminals work, (N,): up, and not switched off."""
        return self.up & self.rule.terminals_on

    @property
    def speed(self) -> NDArray[np.float64]:
        """Compute speed that power, heat and faults leave, (N,); 1 is the scenario's computer."""
        return self.rule.speed * (self.sound & ~self.lost) * self.pace

    @property
    def hosting(self) -> NDArray[np.bool_]:
        """Who hosts something, (N,)."""
        return (self.experts > 0) | self.gateway

    @property
    def accepting(self) -> NDArray[np.bool_]:
        """Who takes on experts, (N,): not while off, nor while living on the reserve."""
        return self.up & self.rule.accepting

    def host(self, placement: Placement, layers: int) -> None:
        """Take over a placement, of instances of so many layers."""
        hosted = hosting(self.size, placement, layers)
        self.layer, self.gateway, self.experts = hosted.layer, hosted.gateway, hosted.experts


def fleet_at_start(constellation: Constellation, scenario: Scenario) -> FleetState:
    """All satellites before the first step."""
    n, first = constellation.size, scenario.bus
    pace, memory_bytes = hardware(constellation, scenario)
    return FleetState(
        energy=FleetEnergy(
            bus_profile(scenario), n, soc=first.initial_soc, temperature_c=first.initial_c
        ),
        rule=RuleState(
            low=np.zeros(n, bool),
            throttled=np.zeros(n, bool),
            speed=np.ones(n),
            accepting=np.ones(n, bool),
            terminals_on=np.ones(n, bool),
        ),
        sound=np.ones(n, bool),
        lost=np.zeros(n, bool),
        sunlit=np.ones(n),
        utilisation=np.zeros(n),
        degree=np.zeros(n, np.int64),
        pace=pace,
        memory_bytes=memory_bytes,
        experts=np.zeros(n, np.int64),
        layer=np.full(n, -1, np.int16),
        gateway=np.zeros(n, bool),
    )


def hardware(
    constellation: Constellation, scenario: Scenario
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Relative compute speed and memory in bytes of every satellite, (N,) each; hubs differ.

    A hub that computes n times as fast reads its memory n times as fast too, an assumption.
    """
    compute, precision = scenario.compute, scenario.model.precision
    hub = np.zeros(constellation.size, bool)
    if compute.hub_every is not None:
        hub = constellation.slot % compute.hub_every == 0
    gflops = peak_gflops(compute, precision)
    usual_gb = memory_gb(compute)
    pace = np.where(hub, (compute.hub_gflops or gflops) / gflops, 1.0)
    return pace, np.where(hub, compute.hub_memory_gb or usual_gb, usual_gb) * (1e9 * compute.boards)
