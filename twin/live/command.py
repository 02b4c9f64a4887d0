"""The command message: a placement that a constellation is to go over to, and back again.

One JSON object a line, as telemetry is. A constellation that serves says in telemetry of its
controller which placement it carries out, or why it refuses one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement
from twin.errors import InputError
from twin.live.fields import LONGEST_BYTES, PLACEMENT, VERSION


@dataclass(frozen=True, kw_only=True)
class Command:
    """A placement to go over to.

    Attributes
    ----------
    number : int
        Of the commands of one source, ascending; one that is not above the last is dropped.
    time_utc : str
        When it was decided, by the telemetry's clock.
    strategy : str
        What has planned it.
    placement : Placement
    """

    number: int
    time_utc: str
    strategy: str
    placement: Placement


def write(command: Command, names: Sequence[str]) -> str:
    """Return a command as its line.

    Raises
    ------
    InputError
        If the line would be longer than a message may be.
    """
    line = json.dumps(
        {
            "version": VERSION,
            "time_utc": command.time_utc,
            "command": command.number,
            "strategy": command.strategy,
            "placement": said_of(command.placement, names),
        },
        separators=(",", ":"),
    )
    if len(line) > LONGEST_BYTES:
        raise too_long(command.placement)
    return line


def too_long(placement: Placement) -> InputError:
    """Return the error that a placement does not fit a message."""
    copies = int((placement.copies >= 0).sum())
    return InputError(
        f"a placement of {copies:,} experts does not fit a message of {LONGEST_BYTES:,} bytes: the "
        "closed loop takes models with fewer layers, experts or copies"
    )


def read(line: bytes, rows: Mapping[str, int]) -> Command:
    """Return the command of a line.

    Parameters
    ----------
    line : bytes
    rows : mapping
        Satellites, by name.

    Raises
    ------
    InputError
        Names the first thing that is wrong.
    """
    if len(line) > LONGEST_BYTES:
        raise InputError(f"longer than {LONGEST_BYTES:,} bytes")
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise InputError("no JSON") from None
    if not isinstance(said, dict):
        raise InputError("no JSON object")
    if said.get("version", VERSION) != VERSION:
        raise InputError(f"of a version other than {VERSION}")
    number, strategy, when = said.get("command"), said.get("strategy"), said.get("time_utc")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**62:
        raise InputError("command: must be a whole number above 0")
    if not isinstance(strategy, str) or not isinstance(when, str):
        raise InputError("strategy, time_utc: must be texts")
    return Command(
        number=number,
        time_utc=when,
        strategy=strategy,
        placement=placement_of(said.get("placement"), rows),
    )


def said_of(placement: Placement, names: Sequence[str]) -> dict[str, Any]:
    """Return a placement as a message has it."""
    return {
        "gateways": [_named(row, names) for row in placement.gateways],
        "experts": [[_named(row, names) for row in layer] for layer in placement.copies],
    }


def placement_of(said: Any, rows: Mapping[str, int]) -> Placement:
    """Return the placement that a message has.

    Raises
    ------
    InputError
        Names the first thing that is wrong.
    """
    if not isinstance(said, dict) or said.keys() != {"gateways", "experts"}:
        raise InputError("placement: must have gateways and experts")
    gateways, experts = said["gateways"], said["experts"]
    if not _is_filled(gateways) or not _is_filled(experts) or len(gateways) != len(experts):
        raise InputError("placement: gateways and experts must be lists of as many layers")
    if not all(map(_is_filled, experts)) or len({len(layer) for layer in experts}) != 1:
        raise InputError("placement.experts: every layer must be a list of as many experts")
    first = _rows(gateways, "gateways", rows)
    copies = _rows([hosts for layer in experts for hosts in layer], "experts", rows)
    copies = copies.reshape(len(experts), len(experts[0]), -1)
    return Placement(
        gateway=np.ascontiguousarray(first[:, 0]),
        expert=np.ascontiguousarray(copies[..., 0]),
        standby=first[:, 1:],
        replica=copies[..., 1:],
    )


def schema() -> dict[str, Any]:
    """Return the JSON schema of a command."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Command to a constellation that serves",
        "description": "One JSON object a line, in UTF-8. It is carried out when it arrives.",
        "type": "object",
        "properties": {
            "version": {"const": VERSION, "description": f"{VERSION} if absent."},
            "time_utc": {
                "type": "string",
                "format": "date-time",
                "description": "When it was decided, by the telemetry's clock; ISO 8601.",
            },
            "command": {
                "type": "integer",
                "minimum": 1,
                "description": "Counts the commands: one that is not above the last is dropped.",
            },
            "strategy": {"type": "string", "description": "What has planned it."},
            "placement": PLACEMENT,
        },
        "required": ["time_utc", "command", "strategy", "placement"],
        "additionalProperties": False,
    }


def schema_text() -> str:
    """Return the schema as the repository keeps it."""
    return json.dumps(schema(), indent=2) + "\n"


def _named(row: NDArray[np.int32], names: Sequence[str]) -> list[str]:
    return [names[host] for host in row.tolist() if host >= 0]


def _is_filled(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0


def _rows(hosts: list[Any], what: str, rows: Mapping[str, int]) -> NDArray[np.int32]:
    """Rows of lists of names, padded with -1, (K, widest)."""
    if not all(map(_is_filled, hosts)):
        raise InputError(f"placement.{what}: every host must be a list of names")
    found = np.full((len(hosts), max(map(len, hosts))), -1, np.int32)
    for k, named in enumerate(hosts):
        for c, name in enumerate(named):
            if not isinstance(name, str) or name not in rows:
                raise InputError(f"placement.{what}: no satellite {name!r}"[:200])
            found[k, c] = rows[name]
        if len(set(named)) < len(named):
            raise InputError(f"placement.{what}: {named[0]} stands twice for one part"[:200])
    return found
