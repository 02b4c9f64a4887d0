"""The engine's tables: how they begin, grow and are advanced."""

from dataclasses import dataclass

import numpy as np

from twin.serving.engine import loop
from twin.serving.engine.records import CORE, NONE, TABLES, Rows

_LINKED = ("requests", "members", "groups", "jobs")


@dataclass
class Engine:
    """Tables by name, and the core that compiled code takes."""

    tables: dict[str, Rows]
    core: Rows

    def grow(self, name: str, count: int) -> None:
        """Add free rows to a table."""
        old = self.tables[name]
        new = np.zeros(len(old) + count, old.dtype)
        new[: len(old)] = old
        if name in _LINKED:
            new["next"][len(old) :] = np.arange(len(old) + 1, len(new) + 1)
            new["next"][-1] = self.core[f"free_{name}"][0]
            self.core[f"free_{name}"] = len(old)
            self.core[f"left_{name}"] += count
        if f"size_{name}" in self.core.dtype.fields:
            self.core[f"size_{name}"] = len(new)
        self.tables[name] = new
        self.core[name] = new.ctypes.data

    def advance(self, until_s: float) -> None:
        """Take all events before a time; the tables grow as they must."""
        while (lacking := loop.advance(self.core[0], until_s)) >= 0:
            name = loop.GROWING[lacking]
            self.grow(name, len(self.tables[name]))


def empty(*, satellites: int, layers: int, experts: int, columns: int) -> Engine:
    """Return an engine with nothing in it."""
    shapes = {
        "satellites": satellites,
        "parts": layers + 1 + layers * columns,
        "column": (layers, experts),
        "out_s": (layers, columns),
        "on_s": (layers, columns),
        "local": layers,
        "weight": (layers, experts),
        "activation": (layers, experts),
        "scratch": experts,
    }
    tables = {name: np.zeros(shapes.get(name, 0), dtype) for name, dtype in TABLES.items()}
    for name in ("satellites", "parts"):
        tables[name]["first"] = tables[name]["last"] = NONE
    tables["satellites"]["serving"] = NONE
    tables["satellites"]["speed"] = 1.0
    tables["parts"]["next"] = tables["parts"]["stamp"] = NONE
    core = np.zeros(1, CORE)
    for name in core.dtype.names or ():
        if name.startswith(("free_", "waiting_", "running_")):
            core[name] = NONE
    core["layers"], core["experts"], core["columns"] = layers, experts, columns
    for name, table in tables.items():
        core[name] = table.ctypes.data
    made = Engine(tables, core)
    for name in ("requests", *loop.GROWING):
        made.grow(name, 64)
    return made
