"""What `twin capacity` and `twin where` found, kept for the page to draw."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from twin.errors import InputError, reason
from twin.runs.files import sealed, unsealed, write_text
from twin.runs.statistics import Estimate

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
    """

    label: str
    hue: int
    shape: int
    joined: bool
    points: list[Point]


@dataclass(frozen=True, kw_only=True)
class Plot:
    """One plot; `x` and `y` say what is along the axes, with the unit."""

    title: str
    x: str
    y: str
    series: list[Series]


def point(x: float, y: Estimate, *, solid: bool, scale: float = 1.0) -> Point | None:
    """A point with its interval; None where it is not known."""
    mean, half = scale * y.mean, scale * y.ci95
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
    answer = {
        "command": command,
        "scenario": name,
        "question": question,
        "rule": rule,
        "written_utc": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "plots": [asdict(plot) for plot in plots],
    }
    try:
        write_text(file, sealed(answer))
    except OSError as error:
        raise InputError(reason(error, file)) from None
    return file


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
