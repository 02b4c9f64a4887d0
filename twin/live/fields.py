"""The fields of a telemetry message: one table, from which its reader and its schema are made."""

import json
from dataclasses import dataclass
from typing import Any, Final

VERSION: Final = 1
LONGEST_BYTES: Final = 65_536
"""Most bytes of a message."""
NO_POWER: Final = "no power"
"""The fault of a satellite whose bus is down."""
CONTROLLER: Final = "ground"
"""Name of the controller of a constellation that serves, in its messages."""


@dataclass(frozen=True)
class Number:
    """A number of a message, with its bounds; beyond them it cannot be.

    Attributes
    ----------
    name : str
        Ends in its unit.
    low, high : float
    sentence : str
    whole : bool
    """

    name: str
    low: float
    high: float
    sentence: str
    whole: bool = False


NUMBERS: Final = (
    Number("soc", -0.2, 1.2, "State of charge of the battery, as measured; 1 is full."),
    Number("bus_voltage_v", 0.0, 1_000.0, "Voltage of the bus, at the battery."),
    Number(
        "battery_current_a",
        -10_000.0,
        10_000.0,
        "Current into the battery; negative while it discharges.",
    ),
    Number("temperature_c", -150.0, 200.0, "Temperature of the body."),
    Number("sunlit", 0.0, 1.0, "Share of the Sun's disc that it sees."),
    Number("compute_load", 0.0, 1.0, "Share of the time that its computer works."),
    Number("links_up", 0, 16, "Terminals that hold a link.", whole=True),
    Number("queue", 0, 1e9, "Requests that wait on board.", whole=True),
)
"""Numbers of a satellite's message, in the order of a message's values."""
SOC, VOLTAGE, CURRENT, TEMPERATURE, SUNLIT, COMPUTE, LINKS, QUEUE = range(len(NUMBERS))

SITE_NUMBERS: Final = (
    Number("requests_seen", 0, 1e12, "Requests that users sent since the last message."),
    Number("hand_overs", 0, 1e9, "Changes of satellite since the last message."),
)
"""Numbers of a site's message."""

_HOSTS: Final = {"type": "array", "items": {"type": "string"}, "minItems": 1}
PLACEMENT: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "gateways": {
            "type": "array",
            "items": _HOSTS,
            "description": "Of each layer: its gateway, then its standbys in order.",
        },
        "experts": {
            "type": "array",
            "items": {"type": "array", "items": _HOSTS},
            "description": "Of each layer and expert: its host, then those of further copies.",
        },
    },
    "required": ["gateways", "experts"],
    "additionalProperties": False,
    "description": "Satellites by name; the layers of several instances follow each other.",
}
"""A placement, as a command and a controller's message have it."""

OTHERS: Final[dict[str, dict[str, Any]]] = {
    "links_down": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "Links that are down: the satellite at the other end, and why.",
    },
    "faults": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Names of the faults that hold it in safe mode; empty: none. "
        f"'{NO_POWER}' is none of these: its bus is down.",
    },
    "position_km": {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 3,
        "maxItems": 3,
        "description": "Geocentric position in the axes of the GCRS.",
    },
    "tle": {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 2,
        "maxItems": 2,
        "description": "The two lines of a new element set.",
    },
}
"""What else a satellite's message may hold."""
TOKENS: Final = ("tokens_asked", "tokens_served")
"""What a controller counts; those that waited are served later, so that more may be than asked."""
OF_CONTROLLER: Final = ("placement", "command", "refusal", *TOKENS)
"""What a controller's message may hold."""
_SINCE = "in the minute that begins then"
HEAD: Final = ("version", "time_utc", "satellite", "site", "controller", "sequence")


def schema() -> dict[str, Any]:
    """Return the JSON schema of a message; the reader is more forgiving, and counts what it met."""
    numbers = {one.name: _number(one) for one in (*NUMBERS, *SITE_NUMBERS)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Telemetry of a satellite, a site or a controller",
        "description": "One JSON object a line, in UTF-8. What a message does not say is unknown.",
        "type": "object",
        "properties": {
            "version": {"const": VERSION, "description": f"{VERSION} if absent."},
            "time_utc": {
                "type": "string",
                "format": "date-time",
                "description": "When the values were measured; ISO 8601.",
            },
            "satellite": {"type": "string", "description": "Its name, as the scenario has it."},
            "site": {"type": "string", "description": "A site's name, instead of a satellite's."},
            "controller": {
                "type": "string",
                "description": "The name of what plans for a constellation that serves, instead.",
            },
            "sequence": {
                "type": "integer",
                "minimum": 0,
                "description": "Counts the sender's messages: doubles and gaps show by it.",
            },
            **numbers,
            **OTHERS,
            **_of_controller(),
        },
        "required": ["time_utc"],
        "oneOf": [{"required": [sender]} for sender in ("satellite", "site", "controller")],
        "additionalProperties": False,
    }


def schema_text() -> str:
    """Return the schema as the repository keeps it."""
    return json.dumps(schema(), indent=2) + "\n"


def _of_controller() -> dict[str, Any]:
    return {
        "placement": PLACEMENT
        | {"description": "What it carries out from now on, as a command has it."},
        "command": {"type": "integer", "minimum": 0, "description": "The command that it answers."},
        "refusal": {
            "type": "string",
            "description": "Why it does not carry that command out, or cannot say its placement.",
        },
        **{
            name: {"type": "integer", "minimum": 0, "description": f"Tokens {word}: {_SINCE}."}
            for name, word in zip(TOKENS, ("asked of it", "that it served"), strict=True)
        },
    }


def _number(one: Number) -> dict[str, Any]:
    return {
        "type": "integer" if one.whole else "number",
        "minimum": one.low,
        "maximum": one.high,
        "description": one.sentence,
    }
