"""An instance of the model: one of its copies, with a placement and requests of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mesa
import numpy as np
from numpy.typing import NDArray

from twin.vocabulary import EventKind

if TYPE_CHECKING:
    from agents.model import TwinModel
    from placement.problem import Placement


class Instance(mesa.Agent):
    """One copy of the model.

    Its hosts are rows of the placement in force, what is under way to it is among the controller's
    transfers, its queue and its cache are rows of the serving engine.

    Attributes
    ----------
    row : int
        Its number.
    """

    model: TwinModel

    def __init__(self, model: TwinModel, row: int) -> None:
        super().__init__(model)
        self.row = row

    @property
    def placement(self) -> Placement:
        """Where its layers and experts sit."""
        return self.model.controller.deployment.instances[self.row]

    @property
    def hosts(self) -> NDArray[np.int32]:
        """Satellites that host a part of it."""
        placement = self.placement
        hosts = np.concatenate([placement.gateways.ravel(), placement.copies.ravel()])
        return np.unique(hosts[hosts >= 0])

    @property
    def draining(self) -> bool:
        """Whether it finishes what it has and takes nothing more."""
        return bool(self.model.dispatcher.state.draining[self.row])

    @property
    def open(self) -> bool:
        """Whether it lets requests in: it is not draining, and its first gateway is up."""
        return not self.draining and bool(self.model.fleet.up[self.placement.gateways[0]].any())

    @property
    def requests(self) -> int:
        """Requests that it has, waiting or running."""
        done = self.model.requested
        return int(done.running[self.row] + done.waiting[self.row])

    def drain(self) -> None:
        """Take no more requests: those that run finish, those that wait go to others."""
        self._turn(True)

    def reopen(self) -> None:
        """Take requests again."""
        self._turn(False)

    def _turn(self, draining: bool) -> None:
        if draining != self.draining:
            self.model.dispatcher.state.draining[self.row] = draining
            kind = EventKind.INSTANCE_DRAINS if draining else EventKind.INSTANCE_REOPENS
            self.model.log.add(kind, value=self.row)
