"""Plan again at fixed intervals."""

from placement.policies.telemetry import Telemetry


def periodic(telemetry: Telemetry, *, every_steps: int = 25) -> str | None:
    """Ask for a new plan once the current one is `every_steps` old."""
    return "period" if telemetry.steps_since_plan >= every_steps else None
