"""Advise: what each placement would gain over doing nothing, from the live state on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from placement.problem import Placement
from twin.errors import InputError
from twin.live.forks import Course, Live, course, planned

type Array = NDArray[np.float64]

NOTHING: Final = "nothing"
CONFIDENCE: Final = 0.95


@dataclass(frozen=True, kw_only=True)
class Gain:
    """How much better than nothing, over the members: mean, and half of its 95 % interval."""

    mean: float
    half: float

    @property
    def sure(self) -> bool:
        """Whether the interval is above zero."""
        return self.mean - self.half > 0.0


@dataclass(frozen=True, kw_only=True)
class Option:
    """One thing that could be done.

    Attributes
    ----------
    strategy : str
    served : Gain
        In share of the tokens that are asked for.
    latency : Gain
        In seconds a token that is served, less being better.
    moved_bytes : float
        Mean over the members, beyond what doing nothing moves.
    pays_until : int or None
        Last step up to which it gains more and more; None: it does so to the end of the horizon.
    placement : Placement or None
        What is to be adopted.
    impossible : str
        Why it cannot be done; the rest is then empty.
    """

    strategy: str
    served: Gain
    latency: Gain
    moved_bytes: float
    pays_until: int | None
    placement: Placement | None = None
    impossible: str = ""


def advise(
    live: Live,
    strategies: Sequence[str],
    *,
    steps: int,
    members: int,
    progress: Callable[[int, int], None] = lambda done, of: None,  # noqa: ARG005
) -> list[Option]:
    """Compare strategies with doing nothing, the best first.

    Each plans once; all members run what it plans. Served tokens count first; where no difference
    in them is sure, latency does.
    """
    total, done = members * (len(strategies) + 1), 0
    nothing = []
    for member in range(members):
        nothing.append(course(live, member, steps))
        done += 1
        progress(done, total)
    found = []
    for strategy in strategies:
        try:
            each, placement = [], planned(live, strategy)
            for member in range(members):
                each.append(course(live, member, steps, placement=placement))
                progress(done + member + 1, total)
            found.append(_option(strategy, placement, each, nothing, live.step))
        except InputError as error:
            none = Gain(mean=float("nan"), half=float("nan"))
            found.append(
                Option(
                    strategy=strategy, served=none, latency=none, moved_bytes=0.0,
                    pays_until=None, impossible=str(error),
                )
            )  # fmt: skip
        done += members
    return sorted(found, key=_order)


def best(options: Sequence[Option]) -> Option | None:
    """Return what is worth doing; None where nothing surely is.

    What saves latency is not if it is expected to cost tokens.
    """
    for option in options:
        faster = option.latency.sure and option.served.mean >= 0.0
        if not option.impossible and (option.served.sure or faster):
            return option
    return None


def _order(option: Option) -> tuple[bool, float, float]:
    served = option.served.mean if option.served.sure else min(option.served.mean, 0.0)
    # A loss that is within its interval is no loss.
    if abs(option.served.mean) <= option.served.half:
        served = 0.0
    return bool(option.impossible), -served, -option.latency.mean


def _option(
    strategy: str, placement: Placement | None, mine: list[Course], nothing: list[Course], step: int
) -> Option:
    served = np.array([a.served - b.served for a, b in zip(mine, nothing, strict=True)])
    with np.errstate(all="ignore"):
        latency = np.array([b.latency_s - a.latency_s for a, b in zip(mine, nothing, strict=True)])
    known = np.nan_to_num(latency)
    gain_served, gain_latency = _gain(served.mean(axis=1)), _gain(known.mean(axis=1))
    running = (served if gain_served.sure else known).mean(axis=0).cumsum()
    last = int(np.argmax(running)) if len(running) else 0
    moved = np.mean([a.moved_bytes - b.moved_bytes for a, b in zip(mine, nothing, strict=True)])
    return Option(
        strategy=strategy,
        served=gain_served,
        latency=gain_latency,
        moved_bytes=float(moved),
        pays_until=None if last == len(running) - 1 else step + last,
        placement=placement,
    )


def _gain(of_members: Array) -> Gain:
    n = len(of_members)
    if n < 2:
        return Gain(mean=float(of_members.mean()), half=float("inf"))
    deviation = float(of_members.std(ddof=1)) / np.sqrt(n)
    factor = float(stats.t.ppf(0.5 + CONFIDENCE / 2, n - 1))
    return Gain(mean=float(of_members.mean()), half=factor * deviation)
