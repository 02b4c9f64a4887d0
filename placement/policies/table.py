"""Every re-placement policy by name; a new one is a file beside this and an entry here."""

from collections.abc import Callable

from placement.policies.market import market
from placement.policies.on_event import on_event
from placement.policies.periodic import periodic
from placement.policies.receding_horizon import clairvoyant, receding_horizon
from placement.policies.static import static
from placement.policies.telemetry import Bids, Proposal
from placement.policies.threshold import threshold
from twin.registry import Registry

POLICIES: Registry[Callable[..., Proposal | Bids | None]] = Registry(
    "policy",
    {
        "static": static,
        "periodic": periodic,
        "threshold": threshold,
        "on-event": on_event,
        "receding-horizon": receding_horizon,
        "clairvoyant": clairvoyant,
        "market": market,
    },
    field="controller.policy",
    bounds={
        "every_steps": (1, 1_000_000),
        "fresh_steps": (1, 1_000_000),
        "hold_steps": (0, 1_000_000),
        "relative_increase": (0.0, 1e6),
        "min_gain": (0.0, 1e6),
        "token_s_per_gb": (0.0, 1e12),
        "patience_s": (0.0, 1e9),
        "ttft_s": (0.0, 1e9),
        "queue": (0, 1_000_000_000),
    },
)
"""Each takes ``(view, propose)`` and its own parameters; returns what to adopt, bids, or None."""
