"""A satellite as a Mesa agent: a thin view of its row in the fleet's arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mesa

from agents.rules.view import OwnDecision, OwnView
from twin.energy.bus import ZERO_CELSIUS_K
from twin.vocabulary import EventKind

if TYPE_CHECKING:
    from agents.model import TwinModel


class Satellite(mesa.Agent):
    """One satellite; `row` is its place in every array of the model.

    It holds no state of its own. What all satellites do alike happens on the arrays; the model
    calls an agent only when something happens to it that asks for a decision.
    """

    model: TwinModel

    def __init__(self, model: TwinModel, row: int) -> None:
        super().__init__(model)
        self.row = row

    @property
    def name(self) -> str:
        """Name in the constellation."""
        return self.model.world.constellation.names[self.row]

    @property
    def plane(self) -> int:
        """Orbital plane."""
        return int(self.model.world.constellation.plane[self.row])

    @property
    def slot(self) -> int:
        """Place in the plane."""
        return int(self.model.world.constellation.slot[self.row])

    @property
    def soc(self) -> float:
        """State of charge of the battery, 0 to 1."""
        return float(self.model.fleet.energy.soc[self.row])

    @property
    def sunlit(self) -> float:
        """Visible share of the solar disc over the last step."""
        return float(self.model.fleet.sunlit[self.row])

    @property
    def utilisation(self) -> float:
        """Share of the last step that the computer was busy."""
        return float(self.model.fleet.utilisation[self.row])

    @property
    def degree(self) -> int:
        """Laser links that are up."""
        return int(self.model.fleet.degree[self.row])

    @property
    def layer(self) -> int | None:
        """A layer hosted here, a gateway's first."""
        layer = int(self.model.fleet.layer[self.row])
        return None if layer < 0 else layer

    @property
    def is_gateway(self) -> bool:
        """Whether this satellite runs attention and routing of its layer."""
        return bool(self.model.fleet.gateway[self.row])

    @property
    def experts(self) -> list[tuple[int, int]]:
        """(layer, expert) pairs hosted here."""
        layers, experts, _ = (self.model.controller.placement.copies == self.row).nonzero()
        return list(zip(layers.tolist(), experts.tolist(), strict=True))

    @property
    def temperature_c(self) -> float:
        """Temperature of its one thermal node."""
        return float(self.model.fleet.energy.temperature_k[self.row]) - ZERO_CELSIUS_K

    @property
    def powered(self) -> bool:
        """Whether its bus is up."""
        return bool(self.model.fleet.energy.powered[self.row])

    @property
    def speed(self) -> float:
        """Share of its compute that power, heat and faults leave it."""
        return float(self.model.fleet.speed[self.row] / self.model.fleet.pace[self.row])

    @property
    def faulty(self) -> bool:
        """Whether it is in safe mode: bus up, no links, no compute."""
        return not self.model.fleet.sound[self.row]

    @property
    def accepts_experts(self) -> bool:
        """Whether it takes on more."""
        return bool(self.model.fleet.accepting[self.row])

    def decide(self, view: OwnView) -> OwnDecision | None:  # noqa: ARG002 (a subclass's to use)
        """Decide over the rule's decision at the end of a step; None leaves it as it is.

        A subclass that overrides this is called satellite by satellite.
        """
        return None

    def power_changed(self, kind: str, t_s: float) -> None:
        """React to a threshold of battery or heat: tell the log, and with it the operator."""
        value = self.temperature_c if kind in (EventKind.THROTTLED, EventKind.COOLED) else self.soc
        self.model.log.add(kind, t_s=t_s, satellite=self.row, value=value)

    def fault_changed(self) -> None:
        """React to a fault that begins or ends: log it."""
        self.model.log.add(
            EventKind.FAULT if self.faulty else EventKind.FAULT_CLEARED, satellite=self.row
        )

    def remove(self, cause: str = "") -> None:
        """Lose the satellite for good, from the next step on: links, compute and hosts are gone.

        The controller learns of it by telemetry. `cause` is a word for the event.
        """
        if not self.model.fleet.lost[self.row]:
            self.model.fleet.lost[self.row] = True
            self.model.log.add(EventKind.SATELLITE_LOST, cause=cause, satellite=self.row)
            self.deregister()

    def deregister(self) -> None:
        """Leave the model's set of agents."""
        super().remove()
