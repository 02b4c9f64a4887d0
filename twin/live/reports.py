"""What the messages of a step say, as arrays: measurements, links, faults."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.energy.bus import BusProfile
from twin.live.fields import COMPUTE, CURRENT, LINKS, NUMBERS, SOC, SUNLIT, TEMPERATURE, VOLTAGE
from twin.live.filter import Measures
from twin.live.message import Message

type Array = NDArray[np.float64]


def measures(messages: Sequence[Message], n: int, start_s: float, bus: BusProfile) -> Measures:
    """Measurements of one step, of messages by satellite and time; those of sites say nothing."""
    of_satellites = [m for m in messages if not m.of_site]
    rows = rows_of(of_satellites)
    said = np.array([m.values for m in of_satellites]).reshape(-1, len(NUMBERS))
    work_w = bus.compute_peak_w - bus.compute_idle_w
    load_w = bus.platform_w + bus.compute_idle_w + bus.terminal_w * said[:, LINKS]
    load_w = load_w + work_w * said[:, COMPUTE]
    load_w[[m.powered is False for m in of_satellites]] = 0.0
    return Measures(
        first=np.searchsorted(rows, np.arange(n + 1)),
        at_s=np.array([m.t_s for m in of_satellites]) - start_s,
        soc=said[:, SOC].copy(),
        power_w=said[:, VOLTAGE] * said[:, CURRENT],
        load_w=load_w,
        sunlit=said[:, SUNLIT].copy(),
    )


def rows_of(messages: Sequence[Message]) -> NDArray[np.int64]:
    """Satellites of messages, (K,)."""
    return np.array([m.row for m in messages if not m.of_site], np.int64)


def temperatures_c(messages: Sequence[Message], n: int) -> Array:
    """Newest temperature of each satellite, (N,); NaN where none came."""
    found = np.full(n, np.nan)
    for m in messages:
        if not m.of_site and m.values[TEMPERATURE] == m.values[TEMPERATURE]:
            found[m.row] = m.values[TEMPERATURE]
    return found


class Neighbours:
    """Finds the links that messages name.

    Parameters
    ----------
    edges : (E, 2) int32
    n : int
    """

    def __init__(self, edges: NDArray[np.int32], n: int) -> None:
        self._number = {(int(a), int(b)): e for e, (a, b) in enumerate(edges)}
        self._number |= {(b, a): e for (a, b), e in self._number.items()}
        self._of: list[list[int]] = [[] for _ in range(n)]
        for e, (a, b) in enumerate(edges.tolist()):
            self._of[a].append(e)
            self._of[b].append(e)
        self.size = len(edges)

    def held(self, messages: Sequence[Message]) -> NDArray[np.int8]:
        """Which links are reported to hold, as `Live` has it, (E,); the newest report counts."""
        said = [m for m in messages if m.links_down is not None]
        found = [-1] * self.size
        for m in sorted(said, key=lambda m: m.t_s):
            for e in self._of[m.row]:
                found[e] = 1
            for other in m.links_down or ():
                if (e := self._number.get((m.row, other), -1)) >= 0:
                    found[e] = 0
        return np.array(found, np.int8)


def free_of_faults(messages: Sequence[Message], n: int) -> NDArray[np.int8]:
    """Which satellites are reported free of faults, as `Live` has it, (N,)."""
    found = np.full(n, -1, np.int8)
    for m in messages:
        if m.faulty is not None:
            found[m.row] = 0 if m.faulty else 1
    return found


def powered(messages: Sequence[Message], before: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which satellites have power, (N,): as reported last, and as before where nothing is."""
    found = before.copy()
    for m in messages:
        if m.powered is not None:
            found[m.row] = m.powered
    return found


def placed(messages: Sequence[Message]) -> Message | None:
    """The newest message of a controller with a placement, if any."""
    said = [m for m in messages if m.placement is not None]
    return max(said, key=lambda m: m.t_s, default=None)
