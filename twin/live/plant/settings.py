"""Settings of a plant, given as texts."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from twin.errors import InputError
from twin.live.plant.hidden import Anomalies, Spread


def settings(texts: Sequence[str]) -> tuple[Spread, Anomalies]:
    """Return a plant's settings from ``KEY=VALUE``, keys of `Spread` and of `Anomalies`.

    Raises
    ------
    InputError
        If there is no such key, or its value cannot be.
    """
    spread, anomalies = Spread(), Anomalies()
    known = {field.name for kind in (spread, anomalies) for field in dataclasses.fields(kind)}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or key not in known:
            raise InputError(f"--plant {text}: must be KEY=VALUE; keys: {', '.join(sorted(known))}")
        if hasattr(spread, key):
            spread = _changed(spread, text, key, value)
        else:
            anomalies = _changed(anomalies, text, key, value)
    return spread, anomalies


def _changed[T: (Spread, Anomalies)](table: T, text: str, key: str, value: str) -> T:
    number: Any = _number(text, key, value)
    whole = isinstance(getattr(table, key), int)
    return dataclasses.replace(table, **{key: int(number) if whole else number})


def _number(text: str, key: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    at_least, below = {"strings": 1, "every_s": 60}.get(key, 0), 1e9
    if key in ("capacity", "array", "load", "heat", "lost", "late"):
        below = 0.9
    if not at_least <= number <= below:
        raise InputError(f"--plant {text}: must be a number from {at_least} to {below:g}")
    return number
