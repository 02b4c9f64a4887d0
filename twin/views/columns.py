"""Columns of runs' tables, kept in memory between questions."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Final

import pyarrow as pa

from twin.runs.store import Run

MOST_BYTES: Final = 400_000_000
"""Of all columns that are kept; those asked for least lately go first."""

_KEPT: OrderedDict[tuple[str, str, str], pa.Table] = OrderedDict()
_LOCK = Lock()


def columns(run: Run, name: str, wanted: Sequence[str]) -> pa.Table:
    """Columns of a table of a complete run."""
    what = f"{name}: {', '.join(wanted)}"
    return kept(run, what, lambda: run.table(name, list(wanted)).combine_chunks())


def kept(run: Run, what: str, read: Callable[[], pa.Table]) -> pa.Table:
    """What was read of a run before, or is read now."""
    key = str(run.path.absolute()), run.manifest["written_utc"], what
    with _LOCK:
        if key in _KEPT:
            _KEPT.move_to_end(key)
            return _KEPT[key]
    found = read()
    with _LOCK:
        _KEPT[key] = found
        while sum(table.nbytes for table in _KEPT.values()) > MOST_BYTES and len(_KEPT) > 1:
            _KEPT.popitem(last=False)
    return found
