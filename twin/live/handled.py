"""Alarms that somebody has acknowledged or shelved: a file of the run's, beside its alarms.

To acknowledge is of one alarm; to shelve is of its source, a kind at a satellite or link, so that
one that comes again and again is out of sight until a time of the fleet's.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from twin.errors import InputError, reason
from twin.live.record import FOLDER
from twin.live.watch import Alarm
from twin.runs.files import write_text

NAME: Final = "handled.json"

_LOCK = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Handled:
    """What has been done about alarms.

    Attributes
    ----------
    acknowledged : dict of str to str
        When, UTC, by the alarm.
    shelved : dict of str to float
        Until when, s since the scenario's start, by the source.
    """

    acknowledged: dict[str, str] = field(default_factory=dict)
    shelved: dict[str, float] = field(default_factory=dict)


def source_of(alarm: Alarm) -> str:
    """Name of what an alarm comes from."""
    return f"{alarm.kind}:{alarm.satellite}:{alarm.other}"


def name_of(alarm: Alarm) -> str:
    """Name of an alarm: the same however often a log is read."""
    return f"{source_of(alarm)}:{alarm.t_s:.0f}"


def read(folder: Path) -> Handled:
    """What has been done about the alarms of a run; nothing where that cannot be read."""
    try:
        told = json.loads((folder / FOLDER / NAME).read_text(encoding="utf-8"))
        acknowledged, shelved = dict(told["acknowledged"]), dict(told["shelved"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return Handled()
    return Handled(
        acknowledged={n: str(when) for n, when in acknowledged.items()},
        shelved={n: t for n, t in shelved.items() if type(t) in (int, float)},
    )


def acknowledge(folder: Path, names: Sequence[str]) -> None:
    """Acknowledge alarms by their names.

    Raises
    ------
    InputError
        If it cannot be kept.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with _LOCK:
        told = read(folder)
        new = {name: now for name in names if name not in told.acknowledged}
        _write(folder, Handled(acknowledged=told.acknowledged | new, shelved=told.shelved))


def shelve(folder: Path, source: str, until_s: float | None) -> None:
    """Shelve a source until a time of the fleet's, or, with None, put it back.

    Raises
    ------
    InputError
        If it cannot be kept.
    """
    with _LOCK:
        told = read(folder)
        shelved = {name: t for name, t in told.shelved.items() if name != source}
        if until_s is not None:
            shelved[source] = until_s
        _write(folder, Handled(acknowledged=told.acknowledged, shelved=shelved))


def _write(folder: Path, handled: Handled) -> None:
    file = folder / FOLDER / NAME
    try:
        write_text(file, json.dumps(asdict(handled), indent=2) + "\n")
    except OSError as error:
        raise InputError(reason(error, file)) from None
