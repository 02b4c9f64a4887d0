"""The tables that hold in one step: ways, choices, measured times."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.serving.engine.core import TABLES
from twin.serving.engine.times import KINDS


def step_tables(
    *,
    layers: int,
    experts: int,
    columns: int,
    heads: int,
    instances: int,
    satellites: int,
    sites: int,
    kernels: Sequence[tuple[NDArray[np.float64], ...] | None],
) -> dict[str, NDArray[Any]]:
    """Return the tables by name, measured times filled in; all else is 0.

    Parameters are as in `Engine`; `columns` are the copies of a layer's experts.
    """
    rows, on_rows = instances * layers, instances * (layers - 1 + heads)
    shapes: dict[str, tuple[int, ...]] = {
        "out_s": (rows, columns),
        "on_s": (on_rows, columns),
        "back_s": (instances * heads,),
        "entry_s": (instances, sites),
        "exit_s": (instances * heads, sites),
        "reach_s": (satellites, instances * (layers + heads)),
        "local": (rows,),
        "weight": (layers, experts),
        "cumulated": (layers, experts),
        "activation": (layers, experts),
        "scratch": (experts,),
        "hash_first": (0,),
        "hash_piece": (0,),
        "listed": (experts + 1,),
        "grids": (KINDS,),
        "numbers": (sum(values.size for kernel in kernels if kernel for values in kernel),),
        "first": ((rows + on_rows) * columns + 1,),
        "passed": (rows + on_rows, columns),
    }
    tables: dict[str, NDArray[Any]] = {
        name: np.zeros(shape, TABLES[name]) for name, shape in shapes.items()
    }
    at, grids = 0, tables["grids"]
    for kind, kernel in enumerate(kernels):
        if kernel:
            tokens, second, _ = kernel
            grids[kind] = len(tokens), len(second), at
            for values in kernel:
                tables["numbers"][at : at + values.size] = values.ravel()
                at += values.size
    return tables
