"""The times of the model's parts, written into the engine's table of parts."""

from typing import Final

from twin.moe.kernels import SECOND, FloatArray, KernelTable
from twin.moe.roofline import PartTimes
from twin.serving.engine.records import Rows

MANY: Final = 1_000_000
_COLUMNS: Final = ("weight_s", "token_s", "score_s", "read_s", "overhead_s")


def set_times(parts: Rows, times: PartTimes, *, experts_only: bool = False) -> None:
    """Write each part's times on a satellite of speed 1 into the engine's table of parts.

    Parameters
    ----------
    parts : (layers + 1 + columns + heads - 1,) records
        Gateways of the layers, the LM head, copies of experts, further heads.
    times : PartTimes
    experts_only : bool
        Whether gateways and the head take no time.
    """
    apart = len(times.token_s) - 1
    for name in _COLUMNS:
        values = getattr(times, name)
        parts[name][:apart] = 0.0 if experts_only else values[:apart]
        parts[name][apart:] = values[apart]
        parts[name][apart:][parts["layer"][apart:] == apart - 1] = parts[name][apart - 1]


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
