"""Checkpoints of a run: its state and unwritten rows, two kept, written when they are worth it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twin.errors import InputError
from twin.runs.files import versions
from twin.world import state

FOLDER = "checkpoints"
KEPT = 2
WORTH = 50
"""A checkpoint is due when the work since the last exceeds this many times its cost."""
_FIRST_COST_S = 0.004
"""What the first one is taken to cost."""


class Checkpoints:
    """Writes checkpoints of one run while it is computed.

    Parameters
    ----------
    folder : Path
        Of the run.
    note : dict
        What every checkpoint says of itself.

    Attributes
    ----------
    written : int
        How many have been written in this session.
    cost_s, size_bytes : float
        Of the last.
    """

    def __init__(self, folder: Path, note: dict[str, Any]) -> None:
        self._folder = folder / FOLDER
        self._note = note | {"versions": versions()}
        self._since = time.perf_counter()
        self.written = 0
        self.cost_s, self.size_bytes = _FIRST_COST_S, 0

    @property
    def due(self) -> bool:
        """Whether the work since the last one is worth another."""
        return time.perf_counter() - self._since > WORTH * self.cost_s

    def write(self, step: int, checkpoint: Any, note: dict[str, Any]) -> None:
        """Write a checkpoint before `step`, and forget all but the newest."""
        began = time.perf_counter()
        self._folder.mkdir(exist_ok=True)
        file = self._folder / f"{step:08d}.state"
        self.size_bytes = state.write(file, checkpoint, note=self._note | note | {"step": step})
        for old in files(self._folder.parent)[:-KEPT]:
            old.unlink()
        self.written += 1
        self._since = time.perf_counter()
        self.cost_s = self._since - began


def files(run: Path) -> list[Path]:
    """Checkpoints of a run, the oldest first."""
    return sorted((run / FOLDER).glob("*.state"))


def newest[T](
    run: Path,
    kind: type[T],
    *,
    before: int | None = None,
    usable: Callable[[T], None] = lambda found: None,  # noqa: ARG005
) -> tuple[T, Path] | None:
    """Newest readable checkpoint of a run, at or before a step; None without one.

    One that `usable` refuses, with an InputError, counts as damaged.

    Raises
    ------
    InputError
        If it was written by other versions of what decides the figures, or by a twin whose state
        has another layout.
    """
    for file in reversed(files(run)):
        if before is not None and int(file.stem) > before:
            continue
        try:
            check_versions(file, state.read_note(file))
            found = state.read(file, kind)
            usable(found)
        except state.OtherTwinError:
            raise
        except InputError:
            continue  # damaged: the one before it serves
        return found, file
    return None


def check_versions(file: Path, note: dict[str, Any]) -> None:
    """Refuse a state that other versions of what decides the figures have written."""
    now = versions()
    for package, version in note["versions"].items():
        if now.get(package) != version:
            raise state.OtherTwinError(
                f"{file}: written with {package} {version}, this is {now.get(package)}; "
                "a run goes on with the versions that it began with"
            )
