"""Plan again when the topology has moved away from what the plan was made for."""

import math

from placement.policies.telemetry import Telemetry


def on_change(
    telemetry: Telemetry, *, relative_increase: float = 0.15, hold_steps: int = 5
) -> str | None:
    """Ask for a new plan when the present topology serves the current one badly.

    Parameters
    ----------
    relative_increase : float
        How much slower than planned a token may become.
    hold_steps : int
        Age below which a plan is kept whatever happens, so that a passing outage does not
        move gigabytes back and forth.
    """
    if telemetry.steps_since_plan < hold_steps:
        return None
    if math.isinf(telemetry.latency_s):
        return "unreachable"
    slower = telemetry.latency_s > (1 + relative_increase) * telemetry.planned_latency_s
    return "latency" if slower else None
