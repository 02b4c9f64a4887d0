"""Read telemetry messages: what is wrong with one is counted, and never raised.

A message that cannot be placed (no sender, no time) is dropped. Of any other, the values that are
wrong are left out and the rest is used.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement
from twin.errors import InputError
from twin.live.command import placement_of
from twin.live.fields import (
    CONTROLLER,
    HEAD,
    LONGEST_BYTES,
    NO_POWER,
    NUMBERS,
    OF_CONTROLLER,
    OTHERS,
    SITE_NUMBERS,
    VERSION,
    Number,
)
from twin.vocabulary.live import Remark

NO_SEQUENCE = -1
_NEAREST_KM, _FURTHEST_KM = 6_400.0, 500_000.0
_SENDERS = ("satellite", "site", "controller")
_KNOWN = {*HEAD, *OTHERS, *OF_CONTROLLER, *(one.name for one in (*NUMBERS, *SITE_NUMBERS))}
_MOST_ITEMS = 64
"""Links and faults that one message may name."""


@dataclass(slots=True)
class Message:
    """What one sender said at one time.

    Attributes
    ----------
    row : int
        Number of the satellite, or of the site.
    t_s : float
        Since the epoch of the scenario, by the sender's clock.
    sequence : int
        -1 if it has none.
    values : tuple of float
        As `twin.live.fields.NUMBERS`, or of a site `SITE_NUMBERS`; NaN where it says nothing.
    of_site : bool
        A controller counts as one more site.
    links_down : dict of int to str, or None
        Satellites at the other ends of links that are down, and why; None: not said.
    faulty : bool or None
        Whether it is in safe mode.
    powered : bool or None
        Whether its bus is up.
    position_km : tuple of float or None
    tle : tuple of str or None
    placement : Placement or None
        That a controller carries out from now on.
    commanded : bool
        Whether it does so by a command.
    raw : bytes
        The line.
    """

    row: int
    t_s: float
    sequence: int
    values: tuple[float, ...]
    of_site: bool = False
    links_down: dict[int, str] | None = None
    faulty: bool | None = None
    powered: bool | None = None
    position_km: tuple[float, ...] | None = None
    tle: tuple[str, str] | None = None
    placement: Placement | None = None
    commanded: bool = False
    raw: bytes = b""


@dataclass
class Counts:
    """How often each remark was made, over all messages."""

    of: dict[str, int] = field(default_factory=lambda: dict.fromkeys(map(str, Remark), 0))

    def add(self, remark: Remark, count: int = 1) -> None:
        """Count a remark."""
        self.of[remark] += count

    @property
    def array(self) -> NDArray[np.int64]:
        """In the order of the vocabulary, (R,)."""
        return np.array(list(self.of.values()), np.int64)

    @array.setter
    def array(self, counts: NDArray[np.int64]) -> None:
        self.of = dict(zip(self.of, counts.tolist(), strict=True))


class Reader:
    """Reads the messages of one constellation.

    Parameters
    ----------
    satellites, sites : sequence of str
        Names, by number.
    epoch_utc : str
        Start of the scenario, ISO 8601.
    """

    def __init__(self, satellites: Sequence[str], sites: Sequence[str], epoch_utc: str) -> None:
        self._satellites = {name: row for row, name in enumerate(satellites)}
        self._rows = {
            "satellite": self._satellites,
            "site": {name: row for row, name in enumerate(sites)},
            "controller": {CONTROLLER: len(sites)},
        }
        epoch = datetime.fromisoformat(epoch_utc)
        self._epoch_s = epoch.replace(tzinfo=epoch.tzinfo or UTC).timestamp()
        self.counts = Counts()

    def read(self, line: bytes) -> Message | None:
        """Return the message of a line; None where it is dropped. Never raises."""
        if len(line) > LONGEST_BYTES:
            return self._dropped(Remark.OVERSIZED)
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            return self._dropped(Remark.MALFORMED)
        if not isinstance(said, dict):
            return self._dropped(Remark.MALFORMED)
        return self._placed(said, line)

    def _placed(self, said: dict[str, Any], line: bytes) -> Message | None:
        version = said.get("version", VERSION)
        if isinstance(version, bool) or version != VERSION:
            return self._dropped(Remark.OTHER_VERSION)
        senders = [kind for kind in _SENDERS if kind in said]
        name = said[senders[0]] if len(senders) == 1 else None
        if not isinstance(name, str):
            return self._dropped(Remark.NO_SENDER)
        of_site = senders[0] != "satellite"
        row = self._rows[senders[0]].get(name)
        if row is None:
            return self._dropped(Remark.UNKNOWN_SENDER)
        t_s = self._time_s(said.get("time_utc"))
        if t_s is None:
            return self._dropped(Remark.NO_TIME)
        if not _KNOWN.issuperset(said):
            self.counts.add(Remark.UNKNOWN_FIELD, len(said.keys() - _KNOWN))
        numbers = SITE_NUMBERS if of_site else NUMBERS
        values = tuple([self._number(said.get(one.name), one) for one in numbers])
        message = Message(row, t_s, self._sequence(said), values, of_site, raw=line)
        if not of_site and not OTHERS.keys().isdisjoint(said):
            self._others(said, message)
        if senders[0] == "controller":
            self._of_controller(said, message)
        return message

    def _dropped(self, remark: Remark) -> Message | None:
        self.counts.add(remark)
        return None

    def _time_s(self, text: Any) -> float | None:
        if not isinstance(text, str):
            return None
        try:
            when = datetime.fromisoformat(text)
            return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - self._epoch_s
        except (ValueError, OverflowError):
            return None

    def _sequence(self, said: Mapping[str, Any]) -> int:
        value = said.get("sequence", NO_SEQUENCE)
        if isinstance(value, int) and not isinstance(value, bool) and -1 <= value < 2**62:
            return value
        self.counts.add(Remark.WRONG_TYPE)
        return NO_SEQUENCE

    def _number(self, value: Any, one: Number) -> float:
        if value is None:
            return math.nan
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.counts.add(Remark.WRONG_TYPE)
            return math.nan
        if not one.low <= value <= one.high:  # NaN is neither
            self.counts.add(Remark.IMPOSSIBLE)
            return math.nan
        return float(value)

    def _others(self, said: Mapping[str, Any], message: Message) -> None:
        down, faults = said.get("links_down"), said.get("faults")
        if isinstance(down, dict) and len(down) <= _MOST_ITEMS:
            message.links_down = {}
            for name, cause in down.items():
                if name in self._satellites and isinstance(cause, str):
                    message.links_down[self._satellites[name]] = cause
                else:
                    self.counts.add(Remark.WRONG_TYPE)
        elif down is not None:
            self.counts.add(Remark.WRONG_TYPE)
        if isinstance(faults, list) and len(faults) <= _MOST_ITEMS:
            message.powered = NO_POWER not in faults
            message.faulty = len(faults) > (not message.powered)
        elif faults is not None:
            self.counts.add(Remark.WRONG_TYPE)
        message.position_km = self._position(said.get("position_km"))
        message.tle = self._lines(said.get("tle"))

    def _of_controller(self, said: Mapping[str, Any], message: Message) -> None:
        if "placement" not in said:
            return  # it refuses a command
        try:
            message.placement = placement_of(said["placement"], self._satellites)
            message.commanded = "command" in said
        except InputError:
            self.counts.add(Remark.WRONG_TYPE)

    def _position(self, value: Any) -> tuple[float, ...] | None:
        if value is None:
            return None
        if not _is_list(value, 3, int | float):
            self.counts.add(Remark.WRONG_TYPE)
            return None
        try:
            radius_km = math.hypot(*value)
        except OverflowError:
            radius_km = math.inf
        if not _NEAREST_KM <= radius_km <= _FURTHEST_KM:
            self.counts.add(Remark.IMPOSSIBLE)
            return None
        return tuple(map(float, value))

    def _lines(self, value: Any) -> tuple[str, str] | None:
        if value is None:
            return None
        if not _is_list(value, 2, str):
            self.counts.add(Remark.WRONG_TYPE)
            return None
        return value[0], value[1]


def _is_list(value: Any, length: int, kind: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == length
        and all(isinstance(each, kind) and not isinstance(each, bool) for each in value)
    )
