"""Rows of a run's tables on their way to disk: row groups that end at fixed steps."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from twin.moe import presets
from twin.runs import sums
from twin.runs.files import sync
from twin.runs.tables import TABLES
from twin.scenario.schema import Scenario

_ROWS = 65_536
"""Rows of a group, about."""
_MOST_STEPS = 512
_HOPS = 8
"""Hops of a token in one layer, roughly."""


@dataclass(kw_only=True)
class RowsState:
    """Rows that are in no closed part yet, and what has been counted.

    Attributes
    ----------
    count : list of int
        Rows added to each table.
    parts : list of int
        Closed parts of each table.
    waiting : list of (B,) uint8 arrays
        Rows of each table that wait, as an Arrow stream.
    digests : list of list of str
        SHA-256 of the closed parts of each table.
    """

    LAYOUT: ClassVar = {
        name: [[field.name, str(field.type)] for field in schema] for name, schema in TABLES.items()
    }
    """Columns of all tables."""

    count: list[int]
    parts: list[int]
    waiting: list[NDArray[np.uint8]]
    digests: list[list[str]]


class Rows:
    """Rows of all tables of one run.

    Parameters
    ----------
    scenario : Scenario
    state : RowsState, optional
        Where to go on; nothing added yet by default.

    Attributes
    ----------
    count : dict of str to int
        Rows added to each table.
    """

    def __init__(self, scenario: Scenario, state: RowsState | None = None) -> None:
        self._steps = {name: _steps_a_group(name, scenario) for name in TABLES}
        self._waiting: dict[str, list[tuple[int, Mapping[str, Any]]]] = {n: [] for n in TABLES}
        self._before: dict[str, pa.Table] = {}
        self.count = dict.fromkeys(TABLES, 0)
        self._parts = dict.fromkeys(TABLES, 0)
        self._digests: dict[str, list[str]] = {name: [] for name in TABLES}
        if state is not None:
            self.count = dict(zip(TABLES, state.count, strict=True))
            self._parts = dict(zip(TABLES, state.parts, strict=True))
            self._digests = dict(zip(TABLES, state.digests, strict=True))
            for name, stream in zip(TABLES, state.waiting, strict=True):
                self._before[name] = pa.ipc.open_stream(pa.py_buffer(stream)).read_all()
        self._folder: Path | None = None

    def add(self, name: str, columns: Mapping[str, Any]) -> None:
        """Append rows to a table; scalars are repeated to the length of the longest column.

        Rows are converted and written many at a time, so columns must not change afterwards.
        """
        lengths = [len(c) for c in columns.values() if _is_column(c)]
        length = max(lengths, default=1)
        self._waiting[name].append((length, columns))
        self.count[name] += length

    def end_step(self, step: int, folder: Path) -> None:
        """Close the groups that end with a step, each as a synced file in `folder`."""
        self._folder = folder
        for name, steps in self._steps.items():
            if (step + 1) % steps == 0:
                table = self._take(name)
                if len(table):
                    part = _part(folder, name, self._parts[name])
                    _write_part(part, table)
                    self._digests[name].append(sums.sha256(part))
                    self._parts[name] += 1

    def state(self) -> RowsState:
        """What a checkpoint keeps of the rows."""
        return RowsState(
            count=list(self.count.values()),
            parts=list(self._parts.values()),
            waiting=[_stream(self.waiting(name)) for name in TABLES],
            digests=[list(digests) for digests in self._digests.values()],
        )

    def drop_newer(self, folder: Path) -> None:
        """Remove parts that were closed after this state, and will be again."""
        self._folder = folder
        known = {_part(folder, name, k) for name, n in self._parts.items() for k in range(n)}
        for file in folder.iterdir():
            if file not in known:
                file.unlink()

    def write_tables(self, folder: Path) -> None:
        """Write every table as one Parquet file."""
        for name, schema in TABLES.items():
            file = folder / f"{name}.parquet"
            temporary = folder / f"{name}.parquet.tmp"
            with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
                for k in range(self._parts[name]):
                    writer.write_table(self._read_part(name, k))
                rest = self._take(name)
                if len(rest):
                    writer.write_table(rest)
            if any(self._parts.values()):  # a shorter run is sooner computed again than synced
                sync(temporary)
            temporary.replace(file)

    def waiting(self, name: str) -> pa.Table:
        """Rows of a table that wait, which go on waiting."""
        waiting, schema = self._waiting[name], TABLES[name]
        if waiting:
            arrays = [
                _column([(length, columns[field.name]) for length, columns in waiting], field.type)
                for field in schema
            ]
            tables = [self._before.get(name), pa.Table.from_arrays(arrays, schema=schema)]
            joined = pa.concat_tables([t for t in tables if t is not None])
            self._before[name] = joined.unify_dictionaries().combine_chunks()
            waiting.clear()
        return self._before.get(name, schema.empty_table())

    def so_far(self, name: str) -> pa.Table:
        """All rows of a table up to now."""
        parts = [self._read_part(name, k) for k in range(self._parts[name])]
        return pa.concat_tables([*parts, self.waiting(name)]).unify_dictionaries()

    def _read_part(self, name: str, number: int) -> pa.Table:
        assert self._folder is not None  # a step came first
        return _read_part(self._folder, name, number)

    def _take(self, name: str) -> pa.Table:
        table = self.waiting(name)
        self._before.pop(name, None)
        return table


def read_rows(
    state: RowsState, folder: Path, *, since: Sequence[int] | None = None
) -> dict[str, pa.Table]:
    """Rows of all tables as a checkpoint knows them, from the closed parts in `folder` on.

    Parameters
    ----------
    state : RowsState
    folder : Path
    since : sequence of int, optional
        Closed parts of each table that are not read again.

    Raises
    ------
    OSError
        If a part is no longer there: the run has been completed.
    """
    found = {}
    before = since or [0] * len(TABLES)
    for name, first, last, stream in zip(TABLES, before, state.parts, state.waiting, strict=True):
        tables = [_read_part(folder, name, number) for number in range(first, last)]
        tables.append(pa.ipc.open_stream(pa.py_buffer(stream)).read_all())
        found[name] = pa.concat_tables(tables).unify_dictionaries()
    return found


def check_parts(state: RowsState, folder: Path) -> None:
    """Refuse a state of which a closed part is lost or damaged."""
    for name, digests in zip(TABLES, state.digests, strict=True):
        for number, digest in enumerate(digests):
            sums.same(_part(folder, name, number), digest)


def _steps_a_group(name: str, scenario: Scenario) -> int:
    """Steps of a table's row group: it depends on the scenario only, and on no clock."""
    simulation, card = scenario.simulation, presets.card(scenario.model.card)
    rows = {
        "layers": card.layers,
        "latency": scenario.workload.tokens_per_step,
        "ttft": scenario.workload.tokens_per_step,
        "tokens": simulation.record_tokens_per_step * card.layers * card.top_k * _HOPS,
        "satellites": 1000 / simulation.record_satellites_every,
        "queues": 500 / simulation.record_satellites_every,
        "traffic": 1000 / simulation.record_satellites_every,
        "outages": 100,
        "events": 100,
    }
    return int(min(max(_ROWS // max(rows.get(name, 1), 1), 1), _MOST_STEPS))


def _part(folder: Path, name: str, number: int) -> Path:
    return folder / f"{name}-{number:06d}.arrow"


def _read_part(folder: Path, name: str, number: int) -> pa.Table:
    with pa.OSFile(str(_part(folder, name, number))) as part:
        return pa.ipc.open_file(part).read_all()


def _write_part(file: Path, table: pa.Table) -> None:
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    temporary = file.with_suffix(".tmp")
    try:
        with temporary.open("wb") as sink:
            with pa.ipc.new_file(sink, table.schema, options=options) as writer:
                writer.write_table(table)
            sink.flush()
            os.fsync(sink.fileno())
        temporary.replace(file)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def _stream(table: pa.Table) -> NDArray[np.uint8]:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return np.frombuffer(sink.getvalue(), np.uint8)


def _is_column(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str)


def _column(pieces: list[tuple[int, Any]], kind: pa.DataType) -> pa.Array:
    """Join (length, values) pieces; NaN, which means "no such figure" here, becomes null."""
    first = pieces[0][1]
    if isinstance(first, pa.Array):
        same = [piece if piece.type == kind else piece.cast(kind) for _, piece in pieces]
        return pa.concat_arrays(same)
    values: Any
    if isinstance(first, np.ndarray):
        values = np.concatenate([piece for _, piece in pieces])
    elif isinstance(first, int | float):
        values = np.repeat([piece for _, piece in pieces], [length for length, _ in pieces])
    else:
        values = [v for n, piece in pieces for v in (piece if _is_column(piece) else (piece,) * n)]
    return pa.array(values, type=kind, from_pandas=True)
