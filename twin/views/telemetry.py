"""What a page asks about a live run on its stage, whether its mirror is at work or has ended."""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.live.advice import NOTHING
from twin.live.cadence import NEWEST
from twin.live.record import COLUMNS, FOLDER
from twin.runs.store import Run
from twin.views.alarms import alarms, count_open, handle
from twin.views.following import Followed
from twin.views.live_asked import Answer, Asked
from twin.views.public import public
from twin.views.rows import whole

MOST_POINTS: Final = 1_500
MOST_ADVICE: Final = 20


def status(asked: Asked) -> Answer:
    """How far the mirror is, how old what is known of it, and whether it is at work at all."""
    told: Answer = {"mirroring": False, "complete": True}
    if asked.run is None and asked.live is not None:
        told = asked.live.status() | {"complete": False}
    found = asked.alarms()
    advised = len(list((asked.folder / FOLDER).glob("advice-*.json")))
    counted = {"alarms": [len(found), count_open(asked)], "advice": advised}
    return told | outlook(asked) | counted


def outlook(asked: Asked) -> Answer:
    """The newest outlook, if it is another than the one ``known``: see `twin.live.cadence`."""
    file = asked.folder / FOLDER / NEWEST
    try:
        found = _outlook(file, file.stat().st_mtime_ns)
    except (OSError, ValueError, AttributeError):
        return {}  # there is none
    return {} if found.get("step") == asked.more.get("known") else {"outlook": found}


@lru_cache(maxsize=16)
def _outlook(file: Path, stamp: int) -> dict[str, Any]:  # noqa: ARG001 (a newer one is read)
    found = json.loads(file.read_text(encoding="utf-8"))
    # What is of each satellite is not shown.
    return {n: v for n, v in found.items() if n not in ("smallest_charge", "loses_power")}


def estimates(asked: Asked) -> Answer:
    """What is estimated of a ``satellite``, and how far it was off, by recorded step."""
    satellite = whole(asked.more, "satellite")
    found = asked.estimates(satellite, COLUMNS)
    every = -(-len(found["step"]) // MOST_POINTS) or 1
    columns = {name: _plain(values[::every]) for name, values in found.items()}
    steps = [int(step) for step in found["step"][::every]]
    return columns | {"steps": steps, "satellite": satellite}


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    return [float(f"{v:.5g}") if np.isfinite(v) else None for v in values.tolist()]


def advice(asked: Asked) -> Answer:
    """What was advised, the newest first: see `twin.live.act`."""
    files = sorted((asked.folder / FOLDER).glob("advice-*.json"), reverse=True)[:MOST_ADVICE]
    found = [told for file in files if (told := _advice(file)) is not None]
    led = asked.state is not None and asked.state.twin.controller.led
    return {"advice": [one | {"nothing": NOTHING, "led": led} for one in found]}


def _advice(file: Path) -> dict[str, Any] | None:
    try:
        # Python writes NaN and infinity, which the page cannot read.
        text = file.read_text(encoding="utf-8")
        told: dict[str, Any] = json.loads(text, parse_constant=lambda _: None)
        return {"commanded": 0} | told | {"unsent": public(told.get("unsent", ""))}
    except (OSError, ValueError, TypeError, AttributeError):
        return None  # gone with its folder's name, or none


ANSWERS: Final[dict[str, Callable[[Asked], Answer]]] = {
    "live": status,
    "alarms": alarms,
    "alarm": handle,
    "estimates": estimates,
    "advice": advice,
}
"""By what is asked; ``alarm`` changes what is kept of the run."""


def answer(
    run: Run | None, live: Followed | None, asked: Mapping[str, Any], *, allowed: bool
) -> Answer:
    """Answer a question; ``may`` says whether the visitor may change what is kept of the run."""
    if live is not None and live.runs:
        run = run or live.runs[0].run
    found = ANSWERS[str(asked["what"])](Asked(run, live, allowed, asked))
    return found | {"may": allowed}
