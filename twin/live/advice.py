"""Advise: what each thing that could be done would gain over nothing, from the live state on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from placement.dispatch.table import DISPATCHES
from placement.policies.table import POLICIES
from placement.problem import Placement
from placement.strategies.table import STRATEGIES
from twin.errors import InputError
from twin.live.forks import Course, Live, course, planned, under

type Array = NDArray[np.float64]

NOTHING: Final = "nothing"
CONFIDENCE: Final = 0.95


class Kind(StrEnum):
    """Of what could be done: a plan of a strategy, or another policy or dispatch from now on."""

    STRATEGY = "strategy"
    POLICY = "policy"
    DISPATCH = "dispatch"


class Choice(NamedTuple):
    """One thing that could be done."""

    kind: Kind
    name: str


_TABLES: Final[dict[Kind, Mapping[str, object]]] = {
    Kind.STRATEGY: STRATEGIES,
    Kind.POLICY: POLICIES,
    Kind.DISPATCH: DISPATCHES,
}


def choices(
    strategies: Sequence[str], policies: Sequence[str] = (), dispatches: Sequence[str] = ()
) -> list[Choice]:
    """Return what is to be compared, of names; InputError where there is none of that name."""
    named = zip(Kind, (strategies, policies, dispatches), strict=True)
    found = [Choice(kind, name) for kind, names in named for name in names]
    for kind, name in found:
        _TABLES[kind][name]
    return found


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
    kind : Kind
    strategy : str
        Name of the strategy, policy or dispatch.
    served : Gain
        In share of the tokens that are asked for.
    latency : Gain
        In seconds a token that is served, less being better.
    moved_bytes : float
        Mean over the members, beyond what doing nothing moves.
    pays_until : int or None
        Last step up to which it gains more and more; None: it does so to the end of the horizon.
    placement : Placement or None
        What is to be adopted, of a strategy.
    impossible : str
        Why it cannot be done; the rest is then empty.
    shares, still : (M, T) float64
        Served shares that are foretold of it, and of doing nothing, by member and step.
    """

    kind: Kind
    strategy: str
    served: Gain
    latency: Gain
    moved_bytes: float
    pays_until: int | None
    placement: Placement | None = None
    impossible: str = ""
    shares: Array = field(default_factory=lambda: np.empty((0, 0)))
    still: Array = field(default_factory=lambda: np.empty((0, 0)))


def advise(
    live: Live,
    wanted: Sequence[Choice],
    *,
    steps: int,
    members: int,
    progress: Callable[[int, int], None] = lambda done, of: None,  # noqa: ARG005
) -> list[Option]:
    """Compare what could be done with doing nothing, the best first.

    A strategy plans once; all members run what it plans. A policy plans as the constellation's
    controller does. Served tokens count first; where no difference in them is sure, latency does.
    """
    total, done = members * (len(wanted) + 1), 0

    def each(**done_about_it: Any) -> list[Course]:
        nonlocal done
        found = []
        for member in range(members):
            found.append(course(live, member, steps, **done_about_it))
            done += 1
            progress(done, total)
        return found

    nothing, found = each(), []
    for n, choice in enumerate(wanted):
        try:
            if choice.kind == Kind.STRATEGY:
                placement = planned(live, choice.name)
                found.append(
                    _option(choice, placement, each(placement=placement), nothing, live.step)
                )
            else:
                changed = under(live.scenario, choice.kind, choice.name)
                found.append(_option(choice, None, each(changed=changed), nothing, live.step))
        except InputError as error:
            found.append(_impossible(choice, str(error)))
            done = members * (n + 2)
    return sorted(found, key=_order)


def _impossible(choice: Choice, why: str) -> Option:
    none = Gain(mean=float("nan"), half=float("nan"))
    return Option(
        kind=choice.kind, strategy=choice.name, served=none, latency=none, moved_bytes=0.0,
        pays_until=None, impossible=why,
    )  # fmt: skip


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
    choice: Choice,
    placement: Placement | None,
    mine: list[Course],
    nothing: list[Course],
    step: int,
) -> Option:
    shares, still = (np.array([one.served for one in each]) for each in (mine, nothing))
    served = shares - still
    with np.errstate(all="ignore"):
        latency = np.array([b.latency_s - a.latency_s for a, b in zip(mine, nothing, strict=True)])
    known = np.nan_to_num(latency)
    gain_served, gain_latency = _gain(served.mean(axis=1)), _gain(known.mean(axis=1))
    running = (served if gain_served.sure else known).mean(axis=0).cumsum()
    last = int(np.argmax(running)) if len(running) else 0
    moved = np.mean([a.moved_bytes - b.moved_bytes for a, b in zip(mine, nothing, strict=True)])
    return Option(
        kind=choice.kind,
        strategy=choice.name,
        served=gain_served,
        latency=gain_latency,
        moved_bytes=float(moved),
        pays_until=None if last == len(running) - 1 else step + last,
        placement=placement,
        shares=shares,
        still=still,
    )


def _gain(of_members: Array) -> Gain:
    n = len(of_members)
    if n < 2:
        return Gain(mean=float(of_members.mean()), half=float("inf"))
    deviation = float(of_members.std(ddof=1)) / np.sqrt(n)
    factor = float(stats.t.ppf(0.5 + CONFIDENCE / 2, n - 1))
    return Gain(mean=float(of_members.mean()), half=factor * deviation)
