"""What the controller is shown of a step, and what it carries to the next."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agents.status import FleetStatus
from placement.problem import Placement
from twin.moe.inference import Inference
from twin.planning.forecast import OracleState
from twin.serving.transfer_state import TransferState

_REMEMBERED: Final = 1000
"""Times to first token that are kept, the newest: a median of more would hardly differ."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What the controller is shown of a step, or learns later by telemetry.

    Attributes
    ----------
    step : int
    inference : Inference
        The language model as it is now.
    status : FleetStatus
        What satellites and ground report of this step; it reaches the controller late.
    hosting : (N,) bool
        Satellites that host something under the placement in force.
    """

    step: int
    inference: Inference
    status: FleetStatus
    hosting: NDArray[np.bool_]


@dataclass(kw_only=True)
class ControllerState:
    """What the controller carries from one step to the next.

    Attributes
    ----------
    version : int
        How many times the placement in force has changed; -1 before the first plan.
    plans : int
        How many plans have been adopted after the first.
    planned_at : int
        Step of the newest plan.
    planned_latency_s, promised_s : float
        Latency first reported of it, and its objective.
    repaired : bool
        Whether the placement in force has been repaired since it was planned.
    reports : list of FleetStatus
        Telemetry on its way, the newest last. The oldest is what is known, or the one before it,
        which shows what has changed.
    probability, activation : (L, E) float64, or None before the first plan
        How the router is believed to choose.
    estimate : (L, E) float64 or None
        Activations learnt from tokens, if the controller learns.
    ttft_s : (M,) float64
        Times to first token that have been reported since the newest plan, the newest last.
    transfers : TransferState or None
        None before the first plan.
    oracle : OracleState or None
        Of a policy that foresees.
    plan_now : bool
        Whether to plan in the next step whatever the policy says: strategy or policy are new.
    ordered : Placement or None
        To go over to in the next step, whatever the policy says.
    led : bool
        Whether commands lead, so that the policy is not asked.
    reported : bool
        Whether what is in force is reported: the policy is at work elsewhere, and not asked here.
    """

    version: int = -1
    plans: int = 0
    planned_at: int = 0
    planned_latency_s: float = np.nan
    promised_s: float = np.nan
    repaired: bool = False
    reports: list[FleetStatus]
    probability: NDArray[np.float64] | None = None
    activation: NDArray[np.float64] | None = None
    estimate: NDArray[np.float64] | None = None
    transfers: TransferState | None = None
    ttft_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    oracle: OracleState | None = None
    plan_now: bool = False
    ordered: Placement | None = None
    led: bool = False
    reported: bool = False

    def note(self, status: FleetStatus, most: int) -> None:
        """Keep a report, and the newest before it."""
        self.reports = [*self.reports, status][-most:]

    def hear(self, ttft_s: NDArray[np.float64]) -> None:
        """Remember the newest times to first token."""
        self.ttft_s = np.concatenate([self.ttft_s, ttft_s])[-_REMEMBERED:]
