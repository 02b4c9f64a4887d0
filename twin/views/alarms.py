"""Alarms of a live run as the page shows them: by cause, with what has been done about each."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from twin.errors import InputError
from twin.live import handled, orbits, watch
from twin.live.handled import Handled
from twin.live.watch import Alarm
from twin.views import keeping
from twin.views.live_asked import Answer, Asked
from twin.vocabulary.live import AlarmKind

MOST: Final = 100
"""Alarms of a kind that are listed."""
SHELVED_S: Final = 6 * 3600.0
"""A source is shelved for so long, of the fleet's time."""

_OF_POWER: Final = (AlarmKind.LOST_STRING, AlarmKind.HIGH_LOAD)
_UNITS: Final = {AlarmKind.WRONG_ELEMENTS: "km", AlarmKind.MANOEUVRE: "km"}


def alarms(asked: Asked) -> Answer:
    """All alarms by kind, those first that nobody has seen to, then the newest.

    Returns
    -------
    dict
        ``kinds``: of each that there are alarms of, ``kind``, its ``sentence``, how many there
        are (``count``), how many are ``open``, and ``rows``. A row has the alarm's ``name`` and
        ``source``, when it was (``t_s``), satellite and other, ``residual``, its ``spread`` (an
        expected standard deviation) or its ``limit``, and their ``unit``; whether it ``stands``,
        where that is known; when it was ``acknowledged``, and until when it is ``shelved_s``.
    """
    found, told, now_s = asked.alarms(), handled.read(asked.folder), asked.now_s
    kinds = []
    for kind in AlarmKind:
        mine = [alarm for alarm in found if alarm.kind is kind]
        if mine:
            rows = [_row(asked, alarm, told, now_s) for alarm in mine]
            rows.sort(key=lambda row: (not _is_open(row), -row["t_s"]))
            counted = {"count": len(rows), "open": sum(map(_is_open, rows))}
            kinds.append({"kind": kind, "sentence": kind.sentence, **counted, "rows": rows[:MOST]})
    return {"kinds": kinds, "open": sum(each["open"] for each in kinds)}


def count_open(asked: Asked) -> int:
    """How many alarms nobody has seen to."""
    told, now_s = handled.read(asked.folder), asked.now_s
    return sum(
        handled.name_of(alarm) not in told.acknowledged
        and told.shelved.get(handled.source_of(alarm), -np.inf) <= now_s
        for alarm in asked.alarms()
    )


def handle(asked: Asked) -> Answer:
    """Acknowledge alarms (``acknowledge``: names), ``shelve`` a source or put it ``back``.

    Raises
    ------
    InputError
        If the visitor may not, or there is no such alarm.
    """
    keeping.check(asked.allowed)
    found, more = asked.alarms(), asked.more
    names = {handled.name_of(alarm) for alarm in found}
    sources = {handled.source_of(alarm) for alarm in found}
    if "acknowledge" in more:
        handled.acknowledge(asked.folder, _known("acknowledge", more["acknowledge"], names))
    elif "shelve" in more:
        (source,) = _known("shelve", [more["shelve"]], sources)
        handled.shelve(asked.folder, source, asked.now_s + SHELVED_S)
    elif "back" in more:
        (source,) = _known("back", [more["back"]], sources)
        handled.shelve(asked.folder, source, None)
    else:
        raise InputError("alarm: must have acknowledge, shelve or back")
    return alarms(asked)


def _known(field: str, given: Any, known: set[str]) -> Sequence[str]:
    if not isinstance(given, list) or not given or not all(isinstance(n, str) for n in given):
        raise InputError(f"{field}: must be names of alarms")
    for name in given:
        if name not in known:
            raise InputError(f"{field}: {name}: the run has no such alarm")
    return given


def _is_open(row: dict[str, Any]) -> bool:
    return row["acknowledged"] is None and row["shelved_s"] is None


def _row(asked: Asked, alarm: Alarm, told: Handled, now_s: float) -> dict[str, Any]:
    name, source = handled.name_of(alarm), handled.source_of(alarm)
    until_s = told.shelved.get(source, -np.inf)
    return {
        "name": name,
        "source": source,
        "t_s": alarm.t_s,
        "satellite": alarm.satellite,
        "other": alarm.other,
        **_measured(asked, alarm),
        "stands": asked.stands(alarm),
        "acknowledged": told.acknowledged.get(name),
        "shelved_s": until_s if until_s > now_s else None,
    }


def _measured(asked: Asked, alarm: Alarm) -> dict[str, Any]:
    """How far off it was, and how far is expected or let pass."""
    if alarm.kind in _OF_POWER:
        residual_w, spread_w = asked.residual_w(alarm.satellite, alarm.t_s)
        return {"residual": residual_w, "spread": spread_w, "limit": None, "unit": "W"}
    limit = {
        AlarmKind.SILENT: watch.SILENT_S,
        AlarmKind.STUCK_TERMINAL: watch.stuck_after_s(asked.scenario.outages.mean_outage_s),
        AlarmKind.WRONG_ELEMENTS: orbits.WRONG_KM,
    }.get(alarm.kind)
    value = alarm.value if np.isfinite(alarm.value) else None
    unit = _UNITS.get(alarm.kind, "s")
    return {"residual": value, "spread": None, "limit": limit, "unit": unit}
