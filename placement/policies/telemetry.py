"""What the controller knows when it decides whether to plan again."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Telemetry:
    """The state of the service as a policy sees it.

    Attributes
    ----------
    step : int
        The step about to be served.
    steps_since_plan : int
        Age of the current placement.
    latency_s : float
        Activation-weighted path latency of a token under the current placement, ``inf`` when a
        part of it cannot be reached, NaN while nothing is known of it.
    planned_latency_s : float
        The same when it was planned.
    """

    step: int
    steps_since_plan: int
    latency_s: float
    planned_latency_s: float
