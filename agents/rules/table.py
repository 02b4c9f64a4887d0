"""Every satellite rule by name; a new one is a file beside this and an entry here."""

from collections.abc import Callable
from typing import Any

from twin.registry import Registry

RULES: Registry[Callable[..., Any]] = Registry("satellite rule", {})
"""What each takes and returns is for the fleet to say."""
