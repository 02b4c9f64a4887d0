"""A study's point as a run of its own: the one that the study kept, or computed on demand."""

import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agents.fork import Beginning
from agents.run import run_scenario
from twin.runs import lock
from twin.runs.files import PARTIAL
from twin.scenario import attachments
from twin.scenario.attachments import Attachment
from twin.scenario.schema import Scenario
from twin.study.points import make_point
from twin.study.study_data import StudyData
from twin.views import computing, keeping, limits
from twin.views.asked import Asked
from twin.views.computing import Batch
from twin.views.studies import run_of

READY: Final = "ready"
"""The page may go to the run: it is there, or its first frames are on their way."""

_BEGUN: dict[tuple[Path, str], Batch] = {}
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Opened:
    """How far a run is on its way to a page: `READY`, or what is being done."""

    run: str
    state: str
    wrong: str = ""

    def answer(self) -> dict[str, Any]:
        """As the page gets it."""
        told = {"run": self.run, "state": self.state}
        return told | ({"wrong": self.wrong} if self.wrong else {})


def open_point(root: Path, data: StudyData, number: int, *, allowed: bool) -> Opened:
    """Make a point's run one of the folder's, if it is not yet; asked again until it is ready.

    Parameters
    ----------
    root : Path
        Where runs are.
    data : StudyData
    number : int
        Of the point.
    allowed : bool
        Whether this visitor may start runs.

    Raises
    ------
    InputError
        If the visitor may not, or the point cannot be run on a page.
    """
    name = run_of(data.kept.path.name, number)
    kept = data.kept.path / "runs" / f"point-{number:07d}"
    return open_wanted(
        root, Wanted(name, kept, lambda: _asked(data, number, name)), allowed=allowed
    )


@dataclass(frozen=True)
class Wanted:
    """A run that a page wants to go to: its name, where it may be kept, how it is asked for."""

    run: str
    kept: Path | None
    ask: Callable[[], Asked]


def open_wanted(root: Path, wanted: Wanted, *, allowed: bool) -> Opened:
    """Make a run one of the folder's, as `open_point` does; `InputError` as there."""
    with _LOCK:  # of two visitors one computes it
        return _open(root, wanted, allowed)


def _open(root: Path, wanted: Wanted, allowed: bool) -> Opened:
    name, kept = wanted.run, wanted.kept
    key, partial = (root, name), root / f"{name}{PARTIAL}"
    if (root / name).is_dir() or computing.computes(root, [name]):
        _BEGUN.pop(key, None)
        return Opened(name, READY)
    if key in _BEGUN and not _BEGUN[key].ended.is_set():
        return Opened(name, _BEGUN[key].work.label)
    if key in _BEGUN:
        return Opened(name, "", wrong=_BEGUN.pop(key).error or "The run was stopped.")
    if partial.is_dir() and lock.is_held(partial):
        return Opened(name, "Another process computes it")
    keeping.check(allowed)
    if kept is not None and kept.is_dir():
        _copy(kept, root / name)
        return Opened(name, READY)
    if partial.is_dir():
        keeping.go_on(root, name)
        return Opened(name, "Going on where it was interrupted")
    asked = wanted.ask()
    _BEGUN[key] = computing.start([asked], root, run_scenario)
    return Opened(name, asked.label)


def _asked(data: StudyData, number: int, name: str) -> Asked:
    point = make_point(data.study, data.base, number, data.study.name)
    bare = point.case.scenario
    simulation = bare.simulation.model_copy(update={"replicate": point.replicate})
    scenario = bare.model_copy(update={"simulation": simulation})
    limits.check(scenario)
    beginning = Beginning(files=_files(data, scenario))
    return Asked(
        label=f"Point {number} of {data.study.name}",
        prepare=lambda _: (scenario, beginning),
        run_id=name,
    )


def _files(data: StudyData, scenario: Scenario) -> list[Attachment]:
    """What the scenario refers to, as the study kept it."""
    kept = attachments.kept(data.kept.path, data.kept.manifest.get("attachments", {}))
    return [
        attachments.attachment(path, attachments.read_bytes(kept[path]))
        for path in attachments.paths(scenario)
    ]


def _copy(source: Path, target: Path) -> None:
    """Copy a run, such that it is there as a whole or not at all."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        shutil.copytree(source, Path(folder) / target.name)
        (Path(folder) / target.name).rename(target)
