"""What may be worked out ahead until a time: see `twin.serving.engine.ahead`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twin.serving.engine.records import FREE, NONE

if TYPE_CHECKING:
    from twin.serving.engine.state import EngineState


def settle(state: EngineState, step: Mapping[str, NDArray[Any]], until_s: float) -> None:
    """Note whether services can be worked out ahead until a time, and of which parts.

    Parameters
    ----------
    state : EngineState
        Its parts and its core are changed.
    step : mapping
        Tables that hold in the present step.
    until_s : float
        Before which nothing changes but by events.
    """
    core, parts, layers = state.core[0], state.parts, int(state.core["layers"][0])
    rows, columns = step["out_s"].shape
    hosted = np.bincount(parts["satellite"])[parts["satellite"]]
    alone = (hosted == 1) & ~_others_work(state)[parts["satellite"]]
    reached = np.isfinite(step["out_s"]).reshape(-1, layers, columns)
    on = np.isfinite(step["on_s"]).reshape(len(reached), -1, columns)
    reached[:, :-1] &= on[:, : layers - 1]
    reached[:, -1] &= on[:, layers - 1 :].all(axis=1)
    every = reached.reshape(rows, columns)
    column = slice(rows, rows + rows * columns)
    parts["alone"] = 0
    parts["alone"][:rows] = alone[:rows] & every.all(axis=1)
    parts["alone"][column] = alone[column] & every.ravel()
    # No batches, so that all are served as they come; no work that may be cancelled on its way,
    # since nobody leaves, and all that may be asked until then fits into the cache.
    one_by_one = core["service_tokens"] < 2 and core["one_class"] and not core["micro"]
    stays = core["waiting_tokens"] > 1 and not (core["exponential"] or core["patience_s"])
    asked = state.requests[state.requests["phase"] != FREE]
    tokens = asked["prompt"].astype(np.int64) + asked["output"]
    seen = core["record_every"] > 0  # with every service
    blocks = -(-tokens // core["block"])
    needed = np.bincount(asked["instance"], blocks, len(state.instances))
    fits = (needed <= state.instances["all_blocks"]).all() and not core["users"]
    state.core["settled"] = one_by_one and stays and fits and not seen
    state.core["until_s"] = until_s


def _others_work(state: EngineState) -> NDArray[np.bool_]:
    """Which satellites serve, or still have to, what belongs to a part that has moved on, (N,)."""
    satellites = state.satellites
    busy = np.flatnonzero(satellites["serving"] != NONE)
    part = state.jobs["part"][satellites["serving"][busy]]
    found = np.asarray(satellites["stay_first"] != NONE)
    found[busy] |= state.parts["satellite"][part] != busy
    return found
