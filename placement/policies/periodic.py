"""Plan again at fixed intervals."""

from placement.policies.telemetry import Proposal, Propose, Telemetry
from twin.vocabulary import Reason


def periodic(view: Telemetry, propose: Propose, *, every_steps: int = 25) -> Proposal | None:
    """Adopt a new plan whenever the current one is `every_steps` old."""
    return propose(Reason.PERIOD) if view.steps_since_plan >= every_steps else None
