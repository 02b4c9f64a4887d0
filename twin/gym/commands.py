"""What an agent may command before a step, and how a model carries it out."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.market import weigh
from placement.sales import GATEWAY

if TYPE_CHECKING:
    from agents.model import TwinModel

LEVELS = 5
"""Levels of a command, from nothing to all."""


class Verb(IntEnum):
    """What a command does."""

    WAIT = 0
    MOVE = 1
    DISPATCH = 2
    THROTTLE = 3


class Command(NamedTuple):
    """One command, in the order of the action's numbers; what a verb does not need is ignored.

    ``move``: ``part`` of ``layer`` (0 its gateway, e+1 its expert e) goes to ``satellite``.
    ``dispatch``: ``instance`` takes no more requests at level 0, and takes them at any other.
    ``throttle``: ``satellite`` computes no faster than level / (`LEVELS` - 1) of its speed.
    """

    verb: int
    layer: int
    part: int
    satellite: int
    instance: int
    level: int


def carry_out(model: TwinModel, command: Command, most_speed: NDArray[np.float64]) -> bool:
    """Carry out a command before a step; return whether that can be.

    Parameters
    ----------
    model : TwinModel
    command : Command
    most_speed : (N,) float64
        Share of its speed that each satellite may reach, which a command may change.
    """
    if command.verb == Verb.MOVE:
        return _move(model, command)
    if command.verb == Verb.DISPATCH:
        if model.requests is None:
            return False
        instance = model.instances[command.instance]
        if command.level:
            instance.reopen()
        else:
            instance.drain()
    if command.verb == Verb.THROTTLE:
        most_speed[command.satellite] = command.level / (LEVELS - 1)
    return True


def _move(model: TwinModel, command: Command) -> bool:
    """Ask for a move, which costs what migration costs; not of what is on its way already."""
    layer, expert, target = command.layer, command.part - 1, command.satellite
    placement, transfers = model.controller.placement, model.controller.transfers
    if not model.world.may_host[target]:
        return False
    hosts = placement.gateway[layer] if expert == GATEWAY else placement.expert[layer, expert]
    weigh(model)
    return transfers.ask(layer, expert, int(hosts), target)
