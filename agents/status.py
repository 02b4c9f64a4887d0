"""What satellites tell the controller, and what it makes of two reports."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.fleet import FleetState
from placement.policies.telemetry import Telemetry
from twin.vocabulary import Reason


@dataclass(frozen=True, kw_only=True)
class RequestReport:
    """What is reported of a step's requests.

    Attributes
    ----------
    ttft_s : (M,) float64
        Time to first token of each that ended served.
    queued, running : (R,) int64
        Requests of each instance that waited to be let in at the step's end, and that ran.
    left_tokens : (R,) int64
        Tokens of them that were still to pass.
    cached_tokens : (R,) int64
        Tokens in the cache of every layer at the step's end.
    """

    ttft_s: NDArray[np.float64]
    queued: NDArray[np.int64]
    running: NDArray[np.int64]
    left_tokens: NDArray[np.int64]
    cached_tokens: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class FleetStatus:
    """What satellites tell of one step.

    Attributes
    ----------
    taking, up, lit : (N,) bool
        Who would host something, who has links and compute, who is in the Sun at all.
    low : (N,) bool
        Who lives on the reserve.
    sound : (N,) bool
        Who is free of faults.
    soc : (N,) float64
        State of charge.
    latency_s : float
        Path latency of a token under the placement then in force.
    version : int
        Which that was.
    handovers : int
        Sites that have changed satellite.
    choices : (P, L, K) int32 or None
        Experts that the tokens of the step before chose, where the controller learns from them.
    requests : RequestReport or None
        Of the step before; None where there were none to serve.
    """

    taking: NDArray[np.bool_]
    up: NDArray[np.bool_]
    lit: NDArray[np.bool_]
    low: NDArray[np.bool_]
    sound: NDArray[np.bool_]
    soc: NDArray[np.float64]
    latency_s: float
    version: int
    handovers: int
    choices: NDArray[np.int32] | None
    requests: RequestReport | None = None

    @property
    def cached_tokens(self) -> int | None:
        """Tokens that any instance may have to move with a gateway; None if there is no saying."""
        return None if self.requests is None else int(self.requests.cached_tokens.max())


def fleet_status(
    fleet: FleetState,
    *,
    latency_s: float,
    version: int,
    handovers: int,
    choices: NDArray[np.int32] | None,
    requests: RequestReport | None,
) -> FleetStatus:
    """Return what satellites tell of a step now; the rest is as in `FleetStatus`."""
    return FleetStatus(
        # A satellite that hosts nothing may refuse to begin; one that hosts goes on.
        taking=fleet.accepting | (fleet.up & fleet.hosting),
        up=fleet.up,
        lit=fleet.sunlit > 0.0,
        low=fleet.rule.low,
        sound=fleet.sound & ~fleet.lost,
        soc=fleet.energy.soc,
        latency_s=latency_s,
        version=version,
        handovers=handovers,
        choices=choices,
        requests=requests,
    )


def telemetry(known: FleetStatus, **of_plan: Any) -> Telemetry:
    """Return what a policy is shown: a report that has come in, and what is known of the plan."""
    return Telemetry(
        taking=known.taking,
        up=known.up,
        lit=known.lit,
        low=known.low,
        sound=known.sound,
        soc=known.soc,
        queued=0 if known.requests is None else int(known.requests.queued.sum()),
        **of_plan,
    )


def happened(before: FleetStatus, now: FleetStatus, hosting: NDArray[np.bool_]) -> frozenset[str]:
    """What has happened to hosts (N,), and to the ground, between two reports."""
    changes = {
        Reason.BROWN_OUT: before.up & ~now.up & now.sound,
        Reason.FAULT: before.sound & ~now.sound,
        Reason.SOC_LOW: ~before.low & now.low,
        Reason.RECOVERED: ~before.up & now.up,
        Reason.SHADOW: before.lit & ~now.lit,
    }
    events: set[str] = {name for name, mask in changes.items() if (mask & hosting).any()}
    if np.isinf(now.latency_s):
        events.add(Reason.OUTAGE)
    if now.handovers:
        events.add(Reason.GROUND_HANDOVER)
    return frozenset(events)
