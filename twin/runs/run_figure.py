"""A figure of a whole run, and what it is drawn from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.runs.rules import Figure, Floats

type Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Requested:
    """Requests of a run, R of them, and what they are measured by.

    Attributes
    ----------
    asked_s : (R,) float64
        Since the start of the scenario.
    served, unfinished : (R,) bool
        Which were served; which the end of the run found inside.
    site : (R,) int
    ttft_s, tpot_s, e2e_s, longest_gap_s, admitted_s, waiting_s : (R,) float64
        NaN where there is none.
    made_tokens : int
        Of all requests.
    energy_j : float
        Marginal energy of all.
    prompt_tokens : int
        Of those that ended.
    start_s, end_s : float
        Of the run.
    warm_up_s : float
        From the start; what is asked in it does not count.
    until_s : float
        When arrivals stop.
    overloaded : bool or None
        Whether more and more are inside; None where that cannot be known.
    growth_per_s : float
        Of the number inside.
    ttft_target_s, tpot_target_s : float
    """

    asked_s: Floats
    served: Bools
    unfinished: Bools
    site: NDArray[np.integer]
    ttft_s: Floats
    tpot_s: Floats
    e2e_s: Floats
    longest_gap_s: Floats
    admitted_s: Floats
    waiting_s: Floats
    made_tokens: int
    energy_j: float
    prompt_tokens: int
    start_s: float
    end_s: float
    warm_up_s: float
    until_s: float
    overloaded: bool | None
    growth_per_s: float
    ttft_target_s: float
    tpot_target_s: float

    @property
    def duration_s(self) -> float:
        """Of the run."""
        return self.end_s - self.start_s

    @property
    def window_s(self) -> float:
        """Time from the end of the warm-up until arrivals stop."""
        return self.until_s - self.start_s - self.warm_up_s

    @property
    def counted(self) -> Bools:
        """Which were asked in that time."""
        return np.asarray(
            (self.asked_s >= self.start_s + self.warm_up_s) & (self.asked_s < self.until_s)
        )

    @property
    def good(self) -> Bools:
        """Which were served within both targets."""
        # A request of one token has no further one.
        further = np.isnan(self.tpot_s) | (self.tpot_s <= self.tpot_target_s)
        return np.asarray(self.served & (self.ttft_s <= self.ttft_target_s) & further)


@dataclass(frozen=True, kw_only=True)
class RunTotals:
    """What a run's figures are drawn from.

    Attributes
    ----------
    row : mapping of str to float
        All steps merged into one.
    events : mapping of str to int
        How many events of each kind there were.
    conclusion : mapping
        Links and batteries, from the run's manifest.
    wall_time_s : float
    requests : Requested or None
        What became of requests; None where only tokens are served.
    """

    row: Mapping[str, float]
    events: Mapping[str, int]
    conclusion: Mapping[str, Any]
    wall_time_s: float
    requests: Requested | None = None


@dataclass(frozen=True, kw_only=True)
class RunFigure(Figure):
    """A figure of a run.

    Attributes
    ----------
    draw : callable
        Finds it in `RunTotals`; None or NaN where there is none.
    link_kind : str
        The kind of link that it is about: a constellation without it does not have the figure.
    of_requests : bool
        Whether it is about requests: a run that serves only tokens does not have the figure.
    decided : bool
        Whether the scenario decides it, so that every run of it has the same.
    """

    draw: Callable[[RunTotals], float | None]
    link_kind: str = ""
    of_requests: bool = False
    decided: bool = True

    def of(self, run: RunTotals) -> bool:
        """Whether a run has the figure."""
        if self.of_requests and run.requests is None:
            return False
        return not self.link_kind or self.link_kind in run.conclusion["links"]
