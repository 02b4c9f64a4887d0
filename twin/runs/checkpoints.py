"""Checkpoints of a run: its state and unwritten rows, written when they are worth it.

Two are kept, to go on from; or as many as let any step be computed again soon, for what-ifs.
"""

import math
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
DENSE_WORTH = 10
"""The same where they are kept so that any step is soon computed again."""
MOST_BYTES = 200_000_000
"""Of all that are kept: above it every second one goes, and they are written half as often."""
MOST_COST = 0.2
"""Share of the time that goes to checkpoints at most where others wait to read them."""
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
    every_s : float, optional
        Work between one and the next, if all are kept; by default two are.
    most_s : float
        Two are kept, and somebody waits to read them: so long apart at most, if `MOST_COST` lets.

    Attributes
    ----------
    written : int
        How many have been written in this session.
    cost_s, size_bytes : float
        Of the last.
    kept_bytes : int
        Of all that are kept.
    """

    def __init__(
        self,
        folder: Path,
        note: dict[str, Any],
        *,
        every_s: float | None = None,
        most_s: float = math.inf,
    ) -> None:
        self._folder = folder / FOLDER
        self._every_s, self._most_s = every_s, most_s
        self._note = note | {"versions": versions()}
        self._since = time.perf_counter()
        self.written = 0
        self.cost_s, self.size_bytes, self.kept_bytes = _FIRST_COST_S, 0, 0

    @property
    def due(self) -> bool:
        """Whether the work since the last one is worth another."""
        since_s = time.perf_counter() - self._since
        if self._every_s is None:
            return since_s > min(WORTH * self.cost_s, max(self._most_s, self.cost_s / MOST_COST))
        return since_s > max(self._every_s, DENSE_WORTH * self.cost_s)

    def write(self, step: int, checkpoint: Any, note: dict[str, Any]) -> None:
        """Write a checkpoint before `step`, and forget those that are not to be kept."""
        began = time.perf_counter()
        self._folder.mkdir(exist_ok=True)
        file = self._folder / f"{step:08d}.state"
        self.size_bytes = state.write(file, checkpoint, note=self._note | note | {"step": step})
        self._forget()
        self.written += 1
        self._since = time.perf_counter()
        self.cost_s = self._since - began

    def _forget(self) -> None:
        there = files(self._folder.parent)
        sizes = [file.stat().st_size for file in there]
        gone = set(there[:-KEPT]) if self._every_s is None else set[Path]()
        if self._every_s is not None and sum(sizes) > MOST_BYTES:
            gone, self._every_s = set(there[-2::-2]), 2 * self._every_s
        for old in gone:
            old.unlink()
        self.kept_bytes = sum(n for file, n in zip(there, sizes, strict=True) if file not in gone)


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
