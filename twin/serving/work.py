"""The times of the model's parts, written into the engine's table of parts."""

from typing import Final

import numpy as np

from twin.moe.kernels import SECOND, FloatArray, KernelTable
from twin.moe.roofline import PartTimes
from twin.serving.engine.records import Rows

MANY: Final = 1_000_000
_COLUMNS: Final = ("weight_s", "token_s", "score_s", "read_s", "overhead_s")


def set_times(parts: Rows, times: PartTimes, *, gateways: int, experts_only: bool = False) -> None:
    """Write each part's times on a satellite of speed 1 into the engine's table of parts.

    Parameters
    ----------
    parts : (rows + columns + heads,) records
        Gateways, experts, LM heads, each of all instances.
    times : PartTimes
    gateways : int
        How many of them are gateways.
    experts_only : bool
        Whether gateways and the head take no time.
    """
    head = len(times.token_s) - 2
    expert = head + 1
    kind = np.where(np.arange(len(parts)) < gateways, parts["layer"], expert)
    kind[parts["layer"] == head] = head
    for name in _COLUMNS:
        values = getattr(times, name)
        parts[name] = np.where(experts_only & (kind != expert), 0.0, values[kind])


def kernel_tables(kernels: KernelTable) -> list[tuple[FloatArray, ...] | None]:
    """Return measured times as the engine takes them, by kind of part."""
    found = [kernels.get(part) for part in SECOND]
    return [g if g is None else (g.tokens, g.second, g.seconds) for g in found]


def gaining_tokens(parts: Rows) -> int:
    """Tokens up to which a service gains by being larger: until computing takes as long as reading.

    More make each other wait, and travel in clumps that leave satellites idle.
    """
    if parts["overhead_s"].any():
        return MANY
    computing = parts["token_s"] > 0.0
    ratio = parts["weight_s"][computing] / parts["token_s"][computing]
    return max(int(ratio.max(initial=1.0)), 1)
