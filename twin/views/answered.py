"""A mark of what `twin capacity` or `twin where` found as a run of its own, computed on demand."""

import hashlib
from pathlib import Path
from typing import Any, Final

from agents.fork import Beginning
from twin.errors import InputError
from twin.plugins.choices import check
from twin.scenario import attachments, loader
from twin.scenario.schema import Scenario
from twin.study.answers import ENDING
from twin.views import limits
from twin.views.asked import Asked
from twin.views.points import Opened, Wanted, open_wanted
from twin.views.public import public
from twin.views.rows import whole

type Answer = dict[str, Any]

NOT_KEPT: Final = (
    "This was found before answers kept what was run; the same command, run again, keeps it."
)


def run_of(root: Path, name: str, found: Answer, asked: Answer) -> Answer:
    """Whether the run of a mark is there, and if not, why it cannot be computed, if so.

    Parameters
    ----------
    root : Path
        Where runs are.
    name : str
        Of the answer's file.
    found : dict
        The answer.
    asked : dict
        ``scenario``, its number among those of the answer.
    """
    try:
        text = _text(found, asked)
        there = (root / _run_name(name, text)).is_dir()
        if not there:
            _scenario(text)
    except InputError as wrong:
        return {"there": False, "why": public(str(wrong))}
    return {"there": there, "why": ""}


def open_run(root: Path, name: str, found: Answer, asked: Answer, *, allowed: bool) -> Opened:
    """Make the run of a mark one of the folder's, as `twin.views.points.open_point` does."""
    text = _text(found, asked)
    run = _run_name(name, text)
    wanted = Wanted(run, None, lambda: _asked(text, name, run))
    return open_wanted(root, wanted, allowed=allowed)


def _text(found: Answer, asked: Answer) -> str:
    texts, number = found.get("scenarios", []), whole(asked, "scenario")
    if not texts:
        raise InputError(NOT_KEPT)
    if number >= len(texts):
        raise InputError("scenario: there is no such mark")
    return str(texts[number])


def _run_name(name: str, text: str) -> str:
    """By what was run: the command may find something else the next time."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{name.removesuffix(ENDING)}-{digest[:8]}"


def _scenario(text: str) -> Scenario:
    scenario = loader.load_text(text, "the mark's scenario")
    for field in attachments.paths(scenario).values():
        raise InputError(f"{field}: an answer keeps no file; `twin run` reads it")
    if scenario.ground.data_centre is not None:
        raise InputError("ground.data_centre: the page does not draw a model on the ground")
    check(scenario)
    limits.check(scenario)
    return scenario


def _asked(text: str, name: str, run: str) -> Asked:
    scenario = _scenario(text)
    label = f"A mark of {name.removesuffix(ENDING)}"
    return Asked(label=label, prepare=lambda _: (scenario, Beginning()), run_id=run)
