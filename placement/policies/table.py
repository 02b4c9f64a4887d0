"""Every re-placement policy by name; a new one is a file beside this and a line here."""

from collections.abc import Callable

from placement.policies.on_event import on_event
from placement.policies.periodic import periodic
from placement.policies.receding_horizon import clairvoyant, receding_horizon
from placement.policies.static import static
from placement.policies.telemetry import Proposal
from placement.policies.threshold import threshold

POLICIES: dict[str, Callable[..., Proposal | None]] = {
    "static": static,
    "periodic": periodic,
    "threshold": threshold,
    "on-event": on_event,
    "receding-horizon": receding_horizon,
    "clairvoyant": clairvoyant,
}
"""Each takes ``(view, propose)`` and parameters of its own, and returns what to adopt or None."""
