"""Every re-placement policy by name; a new one is a file beside this and a line here."""

from collections.abc import Callable

from placement.policies.on_change import on_change
from placement.policies.periodic import periodic
from placement.policies.static import static

POLICIES: dict[str, Callable[..., str | None]] = {
    "static": static,
    "periodic": periodic,
    "on-change": on_change,
}
"""Each takes ``(telemetry)`` and parameters of its own, and returns why to plan again or None."""
