"""Plan again when tokens take much longer than planned."""

import math

from placement.policies.telemetry import Proposal, Propose, Telemetry
from twin.vocabulary import Reason


def threshold(
    view: Telemetry, propose: Propose, *, relative_increase: float = 0.15, hold_steps: int = 5
) -> Proposal | None:
    """Adopt a new plan when the present topology serves the current one badly.

    Parameters
    ----------
    view : Telemetry
    propose : Propose
    relative_increase : float
        How much slower than planned a token may become.
    hold_steps : int
        Age below which a plan is kept whatever happens, so that a passing outage does not
        move gigabytes back and forth.
    """
    if view.steps_since_plan < hold_steps:
        return None
    if math.isinf(view.latency_s):
        return propose(Reason.UNREACHABLE)
    slower = view.latency_s > (1 + relative_increase) * view.planned_latency_s
    return propose(Reason.LATENCY) if slower else None
