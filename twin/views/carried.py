"""Where a run's load was: by satellite, by link, and from which site to which copy of the model.

Answers hold arrays as base64 of little-endian numbers.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.errors import InputError
from twin.runs.store import Run
from twin.runs.tables import LATER
from twin.scenario.schema import Scenario
from twin.views.columns import columns
from twin.views.rows import whole

type Answer = dict[str, Any]
type Span = tuple[float, float]

KINDS: Final = ("waiting_tokens", "batch_mean", "cache_share")
"""Columns of table ``queues`` that are drawn."""

MOST_COLUMNS: Final = 400
MOST_SATELLITES: Final = 240


def heat(run: Run, asked: Mapping[str, Any], _: Span) -> Answer:
    """One of `KINDS` of some satellites over the run.

    Parameters
    ----------
    run : Run
    asked : mapping
        ``kind``, and ``satellites``, their numbers in the order of rows.

    Returns
    -------
    dict
        ``steps``, the first that each column stands for; ``values``, (satellites, columns) float32,
        the most of a column's records, NaN where there is none; ``most`` of all.
    """
    kind, satellites = asked_of(asked)
    table = columns(_recorded(run, "queues"), "queues", ("step", "satellite", kind))
    steps = _steps(run)
    at, starts = columns_of(steps), starts_of(steps)
    row = {satellite: k for k, satellite in enumerate(satellites)}
    values = np.full((len(satellites), len(starts)), nothing_of(kind), np.float32)
    mine = table.filter(pc.is_in(table["satellite"], _as_set(satellites)))
    rows = np.array([row[s] for s in mine["satellite"].to_pylist()], np.int64)
    place = at[np.searchsorted(steps, mine["step"].to_numpy())]
    np.fmax.at(values, (rows, place), mine[kind].to_numpy().astype(np.float32))
    return answer_of(starts, values)


def asked_of(asked: Mapping[str, Any]) -> tuple[str, list[int]]:
    """Kind and satellites that a heat map is asked of; InputError if they are none."""
    kind = asked.get("kind")
    if kind not in KINDS:
        raise InputError(f"kind: {kind!r}: not one of {', '.join(KINDS)}")
    return str(kind), _numbers(asked.get("satellites"))


def nothing_of(kind: str) -> float:
    """What a satellite without a row has: it is idle there; only caches may be nowhere."""
    return np.nan if kind == "cache_share" else 0.0


def answer_of(starts: NDArray[np.int64], values: NDArray[np.float32]) -> Answer:
    """A heat map as the page reads it."""
    most = float(np.nanmax(values, initial=0.0))
    return {"steps": starts.tolist(), "values": _packed(values), "most": most}


def traffic(run: Run, asked: Mapping[str, Any], _: Span) -> Answer:  # noqa: ARG001
    """Share of each recorded step in which hidden states were on links.

    Returns
    -------
    dict
        ``steps``; ``offset`` into ``source``, ``target`` (int32) and ``share`` (uint8, 255 for
        ``most``) of each.
    """
    table = columns(_recorded(run, "traffic"), "traffic", ("step", "source", "target", "share"))
    steps = _steps(run)
    shown = steps[:: -(-len(steps) // MOST_COLUMNS) or 1]
    table = table.filter(pc.is_in(table["step"], _as_set(shown)))
    step, share = table["step"].to_numpy(), table["share"].to_numpy()
    most = float(share.max(initial=0.0))
    return {
        "steps": shown.tolist(),
        "offset": np.searchsorted(step, np.append(shown, np.iinfo(np.int32).max)).tolist(),
        "source": _packed(table["source"].to_numpy().astype(np.int32)),
        "target": _packed(table["target"].to_numpy().astype(np.int32)),
        "share": _packed(np.rint(255 * share / (most or 1.0)).astype(np.uint8)),
        "most": most,
    }


def dispatch(run: Run, asked: Mapping[str, Any], span: Span) -> Answer:
    """Where requests were sent: how many of each site to each copy, by the frame they came in.

    ``stride`` is how many steps a frame stands for. ``rows`` holds frame, site, copy and number of
    each, int32, in the order of frames.
    """
    table = columns(run, "requests", ("asked_s", "site", "instance"))
    stride = max(whole(asked, "stride"), 1)
    steps = run.scenario.simulation.steps - run.first_step
    each_s = (span[1] - span[0]) / steps * stride
    frame = np.floor((table["asked_s"].to_numpy() - span[0]) / each_s + 1e-9).astype(np.int32)
    site, copy = (table[name].to_numpy().astype(np.int32) for name in ("site", "instance"))
    # Of a branch, some were asked before it began.
    sent = (copy >= 0) & (frame >= 0)
    rows, number = np.unique(np.column_stack([frame, site, copy])[sent], axis=0, return_counts=True)
    return {"rows": _packed(np.column_stack([rows, number]).astype(np.int32))}


def _recorded(run: Run, name: str) -> Run:
    if name in LATER and run.file(f"{name}.parquet") is None:
        raise InputError(f"This run was made before runs had table {name}; a new run has it.")
    return run


def _steps(run: Run) -> NDArray[np.int64]:
    return recorded_steps(run.scenario, run.first_step)


def recorded_steps(scenario: Scenario, first: int) -> NDArray[np.int64]:
    """Steps from the first on at which satellites are recorded."""
    simulation = scenario.simulation
    every = simulation.record_satellites_every
    return np.arange(-(-first // every) * every, simulation.steps, every)


def columns_of(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Column of each step, as many as `MOST_COLUMNS`."""
    return np.arange(len(steps)) // max(-(-len(steps) // MOST_COLUMNS), 1)


def starts_of(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """First step of each column."""
    at = columns_of(steps)
    return steps[np.searchsorted(at, np.arange(at[-1] + 1 if len(at) else 0))]


def _numbers(given: Any) -> list[int]:
    fits = isinstance(given, list) and len(given) <= MOST_SATELLITES
    if not fits or not all(type(n) is int and 0 <= n < 2**31 for n in given):
        raise InputError(f"satellites: must be numbers, {MOST_SATELLITES} at most")
    return list(given)


def _as_set(values: Sequence[int] | NDArray[np.int64]) -> pa.Array:
    return pa.array(values, pa.int32())


def _packed(array: NDArray[Any]) -> str:
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return base64.b64encode(little.tobytes()).decode()
