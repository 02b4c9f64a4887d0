"""The runs that a page offers, by the names of their folders; one that is unreadable harms none."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from twin.runs.files import PARTIAL, read_manifest
from twin.runs.store import Run
from twin.runs.studies import ENDING
from twin.runs.tables import LATER, TABLES
from twin.scenario.schema import Scenario
from twin.views import differences, whatif
from twin.views.public import plain, reason

log = logging.getLogger(__name__)

_MANIFEST = "manifest.json"
_SCENARIO = "scenario.toml"
_FILES = (_SCENARIO, *(f"{name}.parquet" for name in TABLES if name not in LATER))
_ON_THE_GROUND = "data_centre"
_LONGEST_LABEL = 160
_LONGEST_NAME = 200
_MOST_ABSENT = 4


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """What lies in a folder of runs.

    Attributes
    ----------
    runs : list of Run
        Complete ones, newest first.
    unreadable : dict of str to str
        Why each of the others cannot be read, by its folder's name.
    """

    runs: list[Run]
    unreadable: dict[str, str]


def look(root: Path) -> Shelf:
    """Look through a folder of runs; one that is not there, or no folder, holds none."""
    found = {f.name: run for f in _folders(root) if (run := _run(f.path)) is not None}
    runs = [run for run in found.values() if isinstance(run, Run)]
    runs.sort(key=lambda run: (run.manifest["written_utc"], run.path.name), reverse=True)
    wrong = {name: run for name, run in found.items() if isinstance(run, str)}
    return Shelf(runs=runs, unreadable=wrong)


def absent(root: Path, run_id: str) -> str:
    """What a visitor reads about a run that is not on the shelf."""
    # A name, not a path; and one that a file system takes.
    name = run_id.isprintable() and Path(run_id).name == run_id
    fits = name and len(run_id.encode()) < _LONGEST_NAME
    if fits and (root / f"{run_id}{PARTIAL}").is_dir():
        return f"Run {run_id} is not complete: it is being computed, or was interrupted."
    return "There is no such run here; the list has those there are."


def missing(
    root: Path, run_ids: Sequence[str], known: Sequence[str], unreadable: Mapping[str, str]
) -> list[str]:
    """What to say of those that are not known, or cannot be read; each thing once."""
    notes = [f"Run {i} cannot be read: {unreadable[i]}" for i in run_ids if i in unreadable]
    absentees = [i for i in run_ids if i not in known and i not in unreadable]
    told = [absent(root, i) for i in absentees[:_MOST_ABSENT]]
    return [*notes, *dict.fromkeys(told)]


def told(folder: Path, error: Exception) -> str:
    """What a visitor reads about a run that could not be read; the log has the details."""
    if not folder.is_dir():
        return f"Run {folder.name} is no longer here."
    log.warning("run %s cannot be read", folder.name, exc_info=error)
    return f"Run {folder.name} cannot be read: {reason(folder, error)}"


def label(run: Run) -> str:
    """A run in a list: what it ran, in what that differs from its preset, and when."""
    told = run.manifest
    when = told["written_utc"]
    at = f"{when[8:10]}.{when[5:7]}. {when[11:16]}"
    changed = differences.words(run.path / _SCENARIO, told["scenario"], when)
    branch = whatif.words(told["forked"], run.scenario) if told.get("forked") else changed
    names = told["scenario"], told["strategy"], told["policy"], told["seed"]
    return _line(*names, branch, at)


def describe(scenario: Scenario, *, forked: Mapping[str, Any] | None = None) -> str:
    """What a scenario runs, in a line; of a branch also what was changed."""
    branch = whatif.words(forked, scenario) if forked else ""
    strategy, policy = scenario.placement.strategy, scenario.controller.policy
    return _line(scenario.name, strategy, policy, scenario.simulation.seed, branch)


def _line(name: str, strategy: str, policy: str, seed: int, *more: str) -> str:
    parts = [name, strategy, policy if policy != "static" else "", f"seed {seed}" if seed else ""]
    return plain(" · ".join(part for part in [*parts, *more] if part))[:_LONGEST_LABEL]


def _folders(root: Path) -> list[os.DirEntry[str]]:
    # Paths as text: with a thousand runs, making objects of them takes as long as to read them.
    try:
        with os.scandir(root) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []
    # A name that cannot be printed cannot be sent or shown either.
    return [f for f in found if f.name.isprintable() and not f.name.endswith((PARTIAL, ENDING))]


def _run(folder: str) -> Run | str | None:
    """A complete run, or why it cannot be read; None for what is no run, or is not complete."""
    try:
        with os.scandir(folder) as entries:
            # Files, not what never ends when it is read.
            there = {entry.name: entry for entry in entries if entry.is_file()}
        if _MANIFEST not in there:
            return None
        missing = [name for name in _FILES if name not in there]
        if missing:
            return f"files are missing: {', '.join(missing)}"
        stamps = [there[name].stat() for name in (_MANIFEST, _SCENARIO)]
    except OSError:
        return None
    return _read(folder, tuple((s.st_mtime_ns, s.st_size) for s in stamps))


@lru_cache(maxsize=4096)
def _read(path: str, stamp: object) -> Run | str | None:  # noqa: ARG001 (a changed one is read again)
    folder = Path(path)
    try:
        manifest = read_manifest(folder)
        if manifest is None:
            return "its manifest is damaged"
        if manifest["status"] != "complete":
            return None
        run = Run(folder, manifest)
        # What the page says of a run before it is opened fails here, if it does.
        run.check(_SCENARIO)
        label(run), run.first_step
        text = (folder / _SCENARIO).read_text(encoding="utf-8")
        # Reading a scenario takes long where there are many: only what may not be right is read.
        if run.remarks or manifest.get("attachments") or not differences.known(text):
            run.scenario  # noqa: B018
        if _ON_THE_GROUND in text and run.scenario.ground.data_centre:
            return "its model is on the ground, which the page does not draw; twin report shows it"
    except Exception as error:
        log.info("run %s cannot be read", folder.name, exc_info=error)
        return reason(folder, error)
    return run
