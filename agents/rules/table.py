"""Every satellite rule by name; a new one is a file beside this and an entry here."""

from collections.abc import Callable

from agents.rules.guardian import guardian
from agents.rules.reserve import reserve
from agents.rules.view import Decision
from twin.registry import Registry

RULES: Registry[Callable[..., Decision]] = Registry(
    "satellite rule",
    {"reserve": reserve, "guardian": guardian},
    field="satellites.rule",
    bounds={"lead_s": (0.0, 1e6), "idle_soc": (0.0, 1.0)},
)
"""Each takes a `LocalView` and parameters of its own, and returns a `Decision`."""
