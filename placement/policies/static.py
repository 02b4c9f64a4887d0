"""Plan once, as the Space-XNet paper does."""

from placement.policies.telemetry import Telemetry


def static(telemetry: Telemetry) -> str | None:  # noqa: ARG001
    """Never ask for a new plan."""
    return None
