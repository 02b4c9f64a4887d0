"""Plan once, as the Space-XNet paper does."""

from placement.policies.telemetry import Proposal, Propose, Telemetry


def static(view: Telemetry, propose: Propose) -> Proposal | None:  # noqa: ARG001
    """Never adopt a new plan."""
    return None
