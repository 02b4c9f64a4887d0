"""Energy and heat of a fleet: batteries, their wear and temperatures, one call a step."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.energy import battery, solar, thermal
from twin.energy.ageing import CycleCount, Rainflow, Wear
from twin.energy.battery import PowerFlow
from twin.energy.bus import ZERO_CELSIUS_K, BusProfile
from twin.energy.solar import Surroundings
from twin.errors import InputError

type Array = NDArray[np.float64]
type Mask = NDArray[np.bool_]


class EnergyReport(NamedTuple):
    """One step of N satellites: its energies, and which satellites crossed which threshold."""

    flow: PowerFlow
    """Energies of the step."""
    browned_out: Mask
    """(N,) Lost power within the step, ``step_s - flow.off_s`` after its start."""
    recovered: Mask
    """(N,) Got power back at the end of the step."""


@dataclass(kw_only=True)
class EnergyState:
    """What power and heat of N satellites carry from one step to the next.

    Attributes
    ----------
    soc : (N,) float64
        State of charge, 0 to 1.
    temperature_k : (N,) float64
    powered : (N,) bool
    cycles : CycleCount
        Of the batteries.
    own : (3, N) float64 or None
        How each differs from the bus, as `Own` has it; None where all are equal to it.
    """

    soc: Array
    temperature_k: Array
    powered: Mask
    cycles: CycleCount
    own: Array | None = None


class Start(NamedTuple):
    """What charge and temperature make of a satellite before the first step."""

    powered: bool
    """Whether the bus is up."""
    low: bool
    """Whether the charge is below the reserve."""
    throttled: bool
    """Whether the compute is slowed down for heat."""


def at_start(bus: BusProfile, *, soc: float, temperature_c: float) -> Start:
    """State of a satellite that starts with a state of charge and a temperature."""
    return Start(
        powered=soc > bus.brownout_soc,
        low=soc < bus.reserve_soc,
        throttled=temperature_c > bus.throttle_c,
    )


class Own(NamedTuple):
    """How N satellites differ from their bus, each relative to it, (N,)."""

    capacity: Array
    """Of the battery."""
    array: Array
    """Power of the array."""
    load: Array
    """Power that is drawn for the same work."""


class FleetEnergy:
    """Power and heat of N satellites of one bus: batteries, their wear, temperatures.

    Charges and temperatures may be set from outside between two steps; that is no cycle of the
    battery.

    Attributes
    ----------
    bus : BusProfile
    soc : (N,) float64
        State of charge, 0 to 1.
    temperature_k : (N,) float64
    powered : (N,) bool
        Whether the bus is up; without power there are neither links nor compute.
    drawn_w : (N,) float64
        Asked by the bus in the last step.
    network_share : (N,) float64
        Part of that which terminals and bits on links take.
    own : Own or None
        How each differs from the bus; None where all are equal to it.
    """

    def __init__(self, bus: BusProfile, n: int, *, soc: float, temperature_c: float) -> None:
        self.bus = bus
        self.soc = np.full(n, soc)
        self.temperature_k = np.full(n, temperature_c + ZERO_CELSIUS_K)
        start = at_start(bus, soc=soc, temperature_c=temperature_c)
        self.powered: Mask = np.full(n, start.powered)
        self.drawn_w = np.zeros(n)
        self.network_share = np.zeros(n)
        self.own: Own | None = None
        self._rainflow = Rainflow(self.soc, cycle_life=bus.cycle_life)

    @property
    def state(self) -> EnergyState:
        """What is carried to the next step; setting it goes on from there."""
        return EnergyState(
            soc=self.soc,
            temperature_k=self.temperature_k,
            powered=self.powered,
            cycles=self._rainflow.state,
            own=None if self.own is None else np.stack(self.own),
        )

    @state.setter
    def state(self, state: EnergyState) -> None:
        self.soc, self.temperature_k = state.soc, state.temperature_k
        self.powered = state.powered
        self.own = None if state.own is None else Own(*state.own)
        cycle_life = self.bus.cycle_life
        self._rainflow = Rainflow(self.soc, cycle_life=cycle_life, state=state.cycles)

    def step(
        self,
        around: Surroundings,
        *,
        terminals_on: NDArray[np.integer],
        busy_share: Array,
        speed: Array,
        sending_w: Array | float = 0.0,
        step_s: float,
    ) -> EnergyReport:
        """Advance energy and heat by one step.

        Parameters
        ----------
        around : Surroundings
            Sun and Earth over the step.
        terminals_on : (N,) int
            Laser terminals that draw power.
        busy_share : (N,) float64
            FLOP done over what full speed could do in the step; what exceeds `speed` cannot
            happen and draws nothing.
        speed : (N,) float64
            Compute speed that each allows itself, 1 for full.
        sending_w : (N,) float64
            Power of the bits that each sends, beyond that of its terminals.
        step_s : float
            Length of the step.

        Raises
        ------
        InputError
            If a charge or a temperature is no longer a number: what follows would not be either.
        """
        self._rainflow.start_from(self.soc)
        self.drawn_w = self.load_w(terminals_on, busy_share, speed) + sending_w
        network_w = self.bus.terminal_w * terminals_on + sending_w
        draws = self.drawn_w > 0.0
        self.network_share = np.divide(network_w, self.drawn_w, np.zeros(len(draws)), where=draws)
        if self.own is not None:
            self.drawn_w = self.drawn_w * self.own.load
        flow = self._flow(around, step_s)
        self._rainflow.push(flow.soc)
        # All that the bus draws, and what the battery loses, ends as heat.
        own_w = (flow.load_j - flow.deficit_j + flow.loss_j) / step_s
        heat_w = own_w + thermal.absorbed_w(around, self.bus)
        self.temperature_k = thermal.advance(self.temperature_k, heat_w, self.bus, step_s)
        report = EnergyReport(
            flow=flow,
            browned_out=self.powered & (flow.off_s > 0.0),
            recovered=flow.powered & (flow.off_s > 0.0),
        )
        self.soc, self.powered = flow.soc[2], flow.powered
        _check("charge", self.soc)
        _check("temperature", self.temperature_k)
        return report

    def _flow(self, around: Surroundings, step_s: float) -> PowerFlow:
        """Charge and discharge; a larger battery is one whose powers are smaller in proportion."""
        array_w, load_w = solar.array_w(around, self.bus), self.drawn_w
        own = self.own
        if own is not None:
            array_w, load_w = array_w * own.array / own.capacity, load_w / own.capacity
        flow = battery.advance(
            self.soc,
            self.powered,
            sunlit=around.sunlit,
            lit_first=around.lit_first,
            array_w=array_w,
            load_w=load_w,
            bus=self.bus,
            step_s=step_s,
        )
        if own is None:
            return flow
        return PowerFlow(*flow[:3], *(energy_j * own.capacity for energy_j in flow[3:]))

    def correct(self, soc: Array) -> None:
        """Take over charges, (N,), that are known better; the battery moved there."""
        self._rainflow.push(soc[None])
        self.soc = soc

    def load_w(self, terminals_on: NDArray[np.integer], busy_share: Array, speed: Array) -> Array:
        """Power that the bus asks for, in W, (N,)."""
        bus = self.bus
        work_w = (bus.compute_peak_w - bus.compute_idle_w) * np.minimum(busy_share, speed)
        return (bus.platform_w + bus.compute_idle_w) + bus.terminal_w * terminals_on + work_w

    def wear(self) -> Wear:
        """Wear of the batteries so far."""
        return self._rainflow.wear()


def _check(name: str, values: Array) -> None:
    sound = np.isfinite(values)
    if not sound.all():
        raise InputError(
            f"bus: the {name} of satellite {np.argmin(sound)} is no longer a number; its bus, its "
            "compute or simulation.step_s are out of proportion"
        )
