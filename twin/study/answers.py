"""What `twin capacity` and `twin where` found, kept for the page to draw."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from twin.errors import InputError, reason
from twin.runs.files import sealed, unsealed, write_text
from twin.runs.statistics import Estimate
from twin.scenario import loader
from twin.scenario.schema import Scenario

ENDING: Final = ".answer.json"
"""Of a file of answers, beside the file that the command goes on with."""

type Point = tuple[float, float, float | None, float | None, bool]
"""x, y, the ends of y's interval, and whether it is solid: hollow is what is not carried."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points that belong together.

    Attributes
    ----------
    label : str
    hue, shape : int
        Which colour and which mark; equal numbers look alike.
    joined : bool
        Whether a line goes through the points, in their order.
    points : list of Point
    scenarios : list of Scenario
        What was run for each point, all replicates of it; empty where that is not known.
    """

    label: str
    hue: int
    shape: int
    joined: bool
    points: list[Point]
    scenarios: list[Scenario] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Plot:
    """One plot; `x` and `y` say what is along the axes, with the unit."""

    title: str
    x: str
    y: str
    series: list[Series]


def point(x: float, y: Estimate, *, solid: bool) -> Point | None:
    """A point with its interval; None where it is not known."""
    mean, half = y
    if not np.isfinite([x, mean]).all():
        return None
    if not np.isfinite(half):
        return x, mean, None, None, solid
    return x, mean, mean - half, mean + half, solid


def keep(
    runs_dir: Path, command: str, name: str, *, question: str, rule: str, plots: Sequence[Plot]
) -> Path:
    """Write what a command found, over what it found before; returns the file.

    Parameters
    ----------
    runs_dir : Path
    command : str
        ``capacity`` or ``where``.
    name : str
        Of the scenario.
    question, rule : str
        What was asked, and how to read the answer.
    plots : sequence of Plot
    """
    file = runs_dir / f"{command}-{name}{ENDING}"
    texts: dict[str, int] = {}
    answer = {
        "command": command,
        "scenario": name,
        "question": question,
        "rule": rule,
        "written_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "plots": [_plain(plot, texts) for plot in plots],
        "scenarios": list(texts),
    }
    try:
        write_text(file, sealed(answer))
    except OSError as error:
        raise InputError(reason(error, file)) from None
    return file


def _plain(plot: Plot, texts: dict[str, int]) -> dict[str, Any]:
    """A plot as plain data; of each point the number of its scenario, whose text is noted."""
    series = []
    for one in plot.series:
        found = {name: getattr(one, name) for name in ("label", "hue", "shape", "joined", "points")}
        runs = [texts.setdefault(loader.to_toml(each), len(texts)) for each in one.scenarios]
        series.append(found | {"runs": runs})
    return {"title": plot.title, "x": plot.x, "y": plot.y, "series": series}


def read(file: Path) -> dict[str, Any]:
    """Read an answer.

    Raises
    ------
    InputError
        If there is none, or it is not what was written.
    """
    try:
        answer = unsealed(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        answer = None
    except ValueError as error:
        raise InputError(f"{file}: damaged: not what was written ({error})") from None
    if answer is None or not {"command", "scenario", "written_utc", "plots"} <= answer.keys():
        raise InputError(f"{file}: not an answer that twin capacity or twin where has kept")
    return answer
