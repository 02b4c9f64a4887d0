"""A figure of a whole run, and what it is drawn from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twin.runs.rules import Figure, Floats


@dataclass(frozen=True, kw_only=True)
class Requested:
    """Requests that ended in a run, R of them, and what they are measured by.

    Attributes
    ----------
    asked : int
        R.
    served : (R,) bool
    ttft_s, tpot_s, e2e_s, longest_gap_s, waiting_s : (R,) float64
        NaN where there is none.
    made_tokens, prompt_tokens : int
        Of all requests.
    inside : int
        Requests that the end of the run found inside.
    duration_s : float
        Of the run.
    ttft_target_s, tpot_target_s : float
    """

    asked: int
    served: Any
    ttft_s: Floats
    tpot_s: Floats
    e2e_s: Floats
    longest_gap_s: Floats
    waiting_s: Floats
    made_tokens: int
    prompt_tokens: int
    inside: int
    duration_s: float
    ttft_target_s: float
    tpot_target_s: float


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
