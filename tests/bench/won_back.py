"""What is said of the closed loop's flights: gaps, what was won back, and their intervals.

References
----------
E. C. Fieller, "Some problems in interval estimation", J. Royal Statistical Society B 16, 1954.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

type Array = NDArray[np.float64]

ARMS: Final = ("design", "true", "act")
"""Planned with the design's parameters, with the true ones, and with advice that is acted on."""


@dataclass(frozen=True, kw_only=True)
class Flown:
    """What one plant served, as a share of what it was asked.

    Attributes
    ----------
    counted : float
        Of the minutes that count.
    whole : float
        Of the whole flight.
    commands : int
        That the twin sent.
    """

    counted: float
    whole: float
    commands: int = 0


@dataclass(frozen=True, kw_only=True)
class Case:
    """One setting, flown with several seeds; an arm that was not flown is missing.

    Attributes
    ----------
    setting : str
    flown : dict of str to list of Flown
        By arm, and by seed in it.
    refused : str
        Why there is no plan; nothing was flown then.
    """

    setting: str
    flown: dict[str, list[Flown]]
    refused: str = ""

    def over(self, arm: str, *, whole: bool = False) -> Array:
        """What an arm serves more than the design's parameters do, by seed."""
        mine, design = (
            np.array([one.whole if whole else one.counted for one in self.flown[name]])
            for name in (arm, "design")
        )
        found: Array = mine - design
        return found

    @property
    def chosen(self) -> bool:
        """Whether the gap exceeds its interval."""
        if self.refused:
            return False
        gap = self.over("true")
        return float(gap.mean()) > half_of(gap)


def half_of(values: Array) -> float:
    """Half of the 95 % interval of a mean."""
    if len(values) < 2:
        return float("inf")
    factor = float(stats.t.ppf(0.975, len(values) - 1))
    return factor * float(values.std(ddof=1) / np.sqrt(len(values)))


def fieller(won: Array, gap: Array) -> tuple[float, float]:
    """95 % interval of a ratio of means of pairs; infinite where the gap may be zero."""
    n, b = len(gap), float(gap.mean())
    if n < 2 or abs(b) <= half_of(gap):
        return -np.inf, np.inf
    t2 = float(stats.t.ppf(0.975, n - 1)) ** 2
    (va, cov), (_, vb) = np.cov(won, gap) / n
    a = float(won.mean())
    # The ratios r for which the mean of won - r gap is within its own interval of zero.
    square, middle, free = b * b - t2 * vb, a * b - t2 * cov, a * a - t2 * va
    root = np.sqrt(max(middle * middle - square * free, 0.0))
    return float((middle - root) / square), float((middle + root) / square)


def data_of(case: Case) -> dict[str, Any]:
    data: dict[str, Any] = {"setting": case.setting, "refused": case.refused}
    if case.refused:
        return data
    data["flown"] = {arm: [vars(one) for one in each] for arm, each in case.flown.items()}
    for name, whole in (("counted", False), ("whole", True)):
        gap = case.over("true", whole=whole)
        data[name] = {"gap": float(gap.mean()), "gap_half": half_of(gap)}
        if "act" in case.flown:
            data[name] |= _ratio(case.over("act", whole=whole), gap)
    return data | {"chosen": case.chosen}


def _ratio(won: Array, gap: Array) -> dict[str, float]:
    low, high = fieller(won, gap)
    share = float(won.mean() / gap.mean()) if gap.mean() else np.nan
    return {
        "won": float(won.mean()),
        "won_half": half_of(won),
        "back": share,
        "back_low": low,
        "back_high": high,
    }


def together(judged: Sequence[Case]) -> dict[str, Any]:
    """All settings as one, summed by seed; empty where none was judged."""
    found = {}
    for name, whole in (("counted", False), ("whole", True)):
        some = [case for case in judged if not case.refused]
        if some:
            gap, won = (
                np.sum([case.over(arm, whole=whole) for case in some], axis=0)
                for arm in ("true", "act")
            )
            found[name] = {"gap": float(gap.mean()), "gap_half": half_of(gap)} | _ratio(won, gap)
    return found


def rows_of_choosing(data: dict[str, Any]) -> list[list[str]]:
    """A line a setting of the grid, in per cent of the tokens asked."""
    return [
        [case["setting"], case["refused"], "", "", "no"]
        if case["refused"]
        else [
            case["setting"],
            *(_percent(_mean(case, arm)) for arm in ARMS[:2]),
            _spread(case["counted"], "gap"),
            "yes" if case["chosen"] else "no",
        ]
        for case in data["choosing"]
    ]


def rows_of_judging(data: dict[str, Any]) -> list[list[str]]:
    """A line a setting that was chosen, and one of all together."""
    found = [
        [case["setting"], case["refused"], *[""] * 7]
        if case["refused"]
        else [
            case["setting"],
            *(_percent(_mean(case, arm)) for arm in ARMS),
            *_shown(case["counted"]),
            _back(case["whole"]),
            " ".join(str(one["commands"]) for one in case["flown"]["act"]),
        ]
        for case in data["judged"]
    ]
    if data["together"]:
        all_of_them = data["together"]
        mine = [*_shown(all_of_them["counted"]), _back(all_of_them["whole"])]
        found.append(["all together, sums", "", "", "", *mine, ""])
    return found


def _shown(found: dict[str, float]) -> list[str]:
    return [_spread(found, "gap"), _spread(found, "won"), _back(found)]


def _mean(case: dict[str, Any], arm: str) -> float:
    return float(np.mean([one["counted"] for one in case["flown"][arm]]))


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"


def _spread(found: dict[str, float], name: str) -> str:
    return f"{100 * found[name]:.2f} ± {100 * found[f'{name}_half']:.2f}"


def _back(found: dict[str, float]) -> str:
    if not np.isfinite(found["back_low"]):
        return f"{100 * found['back']:.0f} % (no finite interval)"
    low, high = 100 * found["back_low"], 100 * found["back_high"]
    return f"{100 * found['back']:.0f} % ({low:.0f} to {high:.0f})"
