"""Plan again when tokens take much longer than planned, or requests wait too long."""

import math

from placement.policies.telemetry import Proposal, Propose, Telemetry
from twin.errors import InputError
from twin.vocabulary import Reason


def threshold(
    view: Telemetry,
    propose: Propose,
    *,
    relative_increase: float = 0.15,
    hold_steps: int = 5,
    ttft_s: float | None = None,
    queue: int | None = None,
) -> Proposal | None:
    """Adopt a new plan when the present topology serves the current one badly, or requests wait.

    Parameters
    ----------
    view : Telemetry
    propose : Propose
    relative_increase : float
        How much slower than planned a token may become.
    hold_steps : int
        Age below which a plan is kept whatever happens, so that a passing outage does not
        move gigabytes back and forth.
    ttft_s : float, optional
        How long the median request may take to its first token; any time by default.
    queue : int, optional
        How many requests may wait to be let in; any number by default.
    """
    watched = [name for name, most in (("ttft_s", ttft_s), ("queue", queue)) if most is not None]
    if watched and not view.serves_requests:
        raise InputError(
            f"controller.params: {' and '.join(watched)} of policy 'threshold' need "
            "serving.mode 'requests'"
        )
    if view.steps_since_plan < hold_steps:
        return None
    if math.isinf(view.latency_s):
        return propose(Reason.UNREACHABLE)
    if view.latency_s > (1 + relative_increase) * view.planned_latency_s:
        return propose(Reason.LATENCY)
    if ttft_s is not None and view.ttft_s > ttft_s:
        return propose(Reason.TTFT)
    return propose(Reason.QUEUE) if queue is not None and view.queued > queue else None
