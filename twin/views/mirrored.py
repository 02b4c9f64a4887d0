"""Live runs that another process writes, as far as their checkpoints go."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from agents.state import TwinState
from twin.energy.bus import ZERO_CELSIUS_K
from twin.errors import InputError
from twin.live.state import LiveState
from twin.runs import checkpoints, lock
from twin.runs.files import MANIFEST, PARTIAL, read_manifest
from twin.runs.rows import read_rows
from twin.runs.store import PARTS, Run
from twin.scenario.schema import Scenario
from twin.vocabulary.live import KIND

_LASTING: Final = ("satellites", "placements")
"""Tables whose rows say something of later steps, too."""


def growing(root: Path) -> dict[str, Path]:
    """Folders of live runs that are not complete, by the runs' names, the newest last."""
    try:
        found = sorted(root.glob(f"*{PARTIAL}"))
    except OSError:
        return {}
    return {f.name.removesuffix(PARTIAL): f for f in found if f.name.isprintable() and _is_live(f)}


def written(root: Path) -> list[str]:
    """Names of those that a mirror is writing, the newest last."""
    return [run_id for run_id, folder in growing(root).items() if lock.is_held(folder)]


def _is_live(folder: Path) -> bool:
    try:
        return _kind(folder, (folder / MANIFEST).stat().st_mtime_ns) == KIND
    except (OSError, InputError):
        return False


@lru_cache(maxsize=256)
def _kind(folder: Path, stamp: int) -> str:  # noqa: ARG001 (a changed one is read again)
    return str((read_manifest(folder) or {}).get("kind", ""))


@dataclass(frozen=True)
class Grown(Run):
    """Some steps of a run: those from `first` on that are known, before the end of `ran`.

    Attributes
    ----------
    ran : Scenario
        As long as what is known.
    first : int
    read : callable
        Gives the rows of a table, by its name.
    """

    ran: Scenario
    first: int
    read: Callable[[str], pa.Table]

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario as far as it has run."""
        return self.ran

    @property
    def first_step(self) -> int:
        """The first of these steps."""
        return self.first

    def table(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        filters: Any = None,  # noqa: ARG002
    ) -> pa.Table:
        """Rows of one table of these steps, and of those shortly before that still count."""
        found = self.read(name)
        return found if columns is None else found.select(list(columns))

    def file(self, name: str) -> None:
        """Nothing: a mirror begins at its scenario's first step."""


class Rows:
    """Reads the tables of a live run that grows, each row once.

    Parameters
    ----------
    run : Run
        Not complete.
    margin : int
        Steps before those that are new whose rows still say something.
    """

    def __init__(self, run: Run, margin: int) -> None:
        self.run, self._margin = run, margin
        self._parts: list[int] | None = None
        self._before: dict[str, pa.Table] = {}
        self.step = 0

    def new(self) -> tuple[Grown, LiveState] | None:
        """Return the steps that the newest checkpoint has and that were not read, and it.

        Raises
        ------
        FileNotFoundError
            If the run has been completed meanwhile.
        """
        kept = checkpoints.files(self.run.path)
        if not kept or int(kept[-1].stem) <= self.step:
            return None
        found = checkpoints.newest(self.run.path, LiveState)
        if found is None or found[0].twin.step <= self.step:
            return None
        state = found[0]
        rows = read_rows(state.rows, self.run.path / PARTS, since=self._parts)
        rows["satellites"] = _up_to_now(rows["satellites"], state.twin)
        self._parts = list(state.rows.parts)
        return self._taken(rows, state.twin.step), state

    def last(self, run: Run) -> Grown:
        """Return the steps of the same run, complete now, that were not read."""

        def read(name: str) -> pa.Table:
            table = run.table(name)
            return table.filter(pc.greater_equal(table["step"], self._since(name)))

        return Grown(run.path, run.manifest, run.scenario, self.step, read)

    def _since(self, name: str) -> int:
        return self.step - (self._margin if name in _LASTING else 0)

    def _taken(self, rows: dict[str, pa.Table], end: int) -> Grown:
        """The steps up to `end`; rows that waited come again with the next checkpoint."""
        new = self.step
        for name, table in rows.items():
            tables = [table.filter(pc.greater_equal(table["step"], new))]
            if name in self._before:
                old = self._before[name]
                late = pc.and_(
                    pc.less(old["step"], new), pc.greater_equal(old["step"], self._since(name))
                )
                tables.insert(0, old.filter(late))
            self._before[name] = pa.concat_tables(tables).unify_dictionaries()
        self.step = end
        asked = self.run.asked
        simulation = asked.simulation.model_copy(update={"steps": end})
        ran = asked.model_copy(update={"simulation": simulation})
        tables_now = dict(self._before)
        return Grown(self.run.path, self.run.manifest, ran, new, tables_now.__getitem__)


def _up_to_now(satellites: pa.Table, twin: TwinState) -> pa.Table:
    """Rows of satellites, recorded every few steps, with charges and heat as they are now."""
    step, energy = twin.step - 1, twin.energy
    if not len(satellites) or pc.max(satellites["step"]).as_py() == step:
        return satellites
    now = satellites.slice(len(satellites) - len(energy.soc))
    for name, values in (
        ("step", np.full(len(now), step)),
        ("soc", energy.soc),
        ("temperature_c", energy.temperature_k - ZERO_CELSIUS_K),
    ):
        at, kind = now.schema.get_field_index(name), now.schema.field(name)
        now = now.set_column(at, kind, pa.array(values).cast(kind.type))
    return pa.concat_tables([satellites, now])
