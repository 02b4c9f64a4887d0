"""What requests have made satellites and links do, and who has not been charged for it yet."""

from dataclasses import dataclass

import numpy as np

from twin.serving.engine.records import NONE, Rows
from twin.serving.engine.state import EngineState


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Work of satellites and links.

    Attributes
    ----------
    busy_s : float
        Of satellites at their full speed.
    hops : float
        Tokens times links.
    """

    busy_s: float
    hops: float


def under_way(state: EngineState, now_s: float) -> Spent:
    """Work for groups that are still under way, and for services up to now."""
    satellites = state.satellites[state.satellites["serving"] != NONE]
    left_s = np.where(
        satellites["speed"] > 0.0,
        (satellites["ends_s"] - now_s) * satellites["speed"],
        satellites["left_s"],
    )
    done_s = (satellites["work_s"] - left_s) / satellites["pace"]
    return Spent(
        busy_s=float(state.groups["busy_s"].sum() + done_s.sum()),
        hops=float(state.groups["hops"].sum()),
    )


def unwanted(before: Rows, core: Rows) -> Spent:
    """Work of a step that no request has waited for, from the counters at its start and end."""
    return Spent(
        busy_s=float(core["unwanted_busy_s"][0] - before["unwanted_busy_s"][0]),
        hops=float(core["unwanted_hops"][0] - before["unwanted_hops"][0]),
    )
