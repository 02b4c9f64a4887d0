"""All that a run carries from one step to the next, as data."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.controller_state import ControllerState
from agents.dispatcher import DispatchState
from agents.market_state import MarketState
from agents.rules.view import RuleState
from agents.status import RequestReport
from twin.energy.budget import EnergyState
from twin.network.handover import ServingState
from twin.network.terminals import LinkCounts
from twin.serving.service import RequestState
from twin.serving.tokens import WaitingTokens
from twin.world.topology import NetworkState


@dataclass(kw_only=True)
class TwinState:
    """The state of a twin between two steps: saved, loaded, compared, forked.

    Random numbers are addressed by step and token, so that no stream has a state.

    Attributes
    ----------
    step : int
        The next one.
    network : NetworkState
        Terminals, outages, links that were cut.
    sound, lost : (N,) bool
        Satellites free of faults in the last step; satellites gone for good.
    energy : EnergyState
    rule : RuleState
        What satellites have decided for themselves.
    ground : ServingState
    waiting : WaitingTokens
        Tokens to be tried again.
    controller : ControllerState
        Its plan, telemetry on its way, what is migrating.
    counts : LinkCounts
        For the run's conclusion.
    link_state : (E,) uint8 or None
        Of the last step; None before the first.
    requests : RequestState or None
        Requests inside and to come; None where only tokens are served.
    choices : (P, L, K) int32 or None
        Experts that the last step's tokens chose, where the controller learns from them.
    report : RequestReport or None
        Of the last step's requests, for the controller.
    dispatch : DispatchState or None
        What the dispatcher has sent; None only in a state made by hand.
    market : MarketState or None
        What satellites that bid have said to each other; None where none has.
    """

    step: int
    network: NetworkState
    sound: NDArray[np.bool_] | None
    lost: NDArray[np.bool_]
    energy: EnergyState
    rule: RuleState
    ground: ServingState
    waiting: WaitingTokens
    controller: ControllerState
    counts: LinkCounts
    link_state: NDArray[np.uint8] | None
    choices: NDArray[np.int32] | None
    requests: RequestState | None = None
    report: RequestReport | None = None
    dispatch: DispatchState | None = None
    market: MarketState | None = None
