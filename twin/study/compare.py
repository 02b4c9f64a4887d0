"""Strategies and policies side by side on common random numbers: one run a case and replicate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError
from twin.runs.figures import FIGURES
from twin.runs.statistics import Estimate, estimate
from twin.runs.summary import summarise
from twin.scenario.schema import Scenario
from twin.study.cases import Case
from twin.study.kept import Kept, keys_of
from twin.study.pool import Pool
from twin.study.trials import Replicated, ran

CLAIRVOYANT = "clairvoyant"
"""The policy that regret is measured against."""


@dataclass(frozen=True, kw_only=True)
class Trade:
    """A time, its tail, and what is held against it."""

    time: str
    tail: str
    objectives: tuple[str, ...]


TOKENS = Trade(
    time="latency_mean_s",
    tail="latency_p99_s",
    objectives=("throughput_per_s", "energy_per_token_j", "tokens_served_share"),
)
REQUESTS = Trade(
    time="request_e2e_mean_s",
    tail="request_e2e_p99_s",
    objectives=("goodput_per_s", "request_energy_per_token_j", "requests_served_share"),
)

_ADVICE = "start it again, or make it a study, which keeps every run that has ended (twin sweep)"
"""For whoever interrupts a comparison: it leaves nothing on disk but its answer."""

type Figures = dict[str, float | None]
"""Of a run, by the names in `twin.runs.figures.FIGURES`; None where there is none."""


@dataclass(frozen=True, kw_only=True)
class Outcome(Replicated):
    """Figures of a case's runs, one each replicate; or why it cannot be run."""

    case: Case
    runs: list[Figures]
    infeasible: str | None = None


@dataclass(frozen=True, kw_only=True)
class Regret:
    """How much worse than with a plan that knew what would come, replicate by replicate."""

    against: str
    latency_s: Estimate
    lost: Estimate


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What became of every case; at least one of them could be run."""

    scenario: str
    seed: int
    replicates: int
    outcomes: list[Outcome]

    @property
    def feasible(self) -> list[Outcome]:
        """Those that could be run."""
        return [outcome for outcome in self.outcomes if outcome.infeasible is None]

    @property
    def reference(self) -> Outcome:
        """The first that could be run: what the others are held against."""
        return self.feasible[0]

    @property
    def requests(self) -> bool:
        """Whether requests are served, beside single tokens."""
        return self.outcomes[0].case.scenario.serving.mode == "requests"

    def has(self, name: str) -> bool:
        """Whether a figure is known of any run."""
        return any(np.isfinite(outcome.values(name)).any() for outcome in self.feasible)

    @property
    def trade(self) -> Trade:
        """What is weighed: of requests where these are served, else of tokens."""
        return REQUESTS if self.requests else TOKENS

    def ratio(self, outcome: Outcome, name: str = TOKENS.time) -> Estimate:
        """A figure, mean latency by default, relative to the reference's in each replicate."""
        return estimate(outcome.values(name) / self.reference.values(name))

    def difference(self, outcome: Outcome, name: str, reference: Outcome | None = None) -> Estimate:
        """A figure less the reference's, replicate by replicate."""
        return estimate(outcome.values(name) - (reference or self.reference).values(name))

    def regret(self, outcome: Outcome) -> Regret | None:
        """Against the clairvoyant case of the same strategy, else the first; None without one."""
        known = [other for other in self.feasible if other.case.policy == CLAIRVOYANT]
        if not known:
            return None
        same = [other for other in known if other.case.strategy == outcome.case.strategy]
        best = (same or known)[0]
        return Regret(
            against=best.case.name,
            latency_s=self.difference(outcome, "latency_mean_s", best),
            lost=self.difference(outcome, "tokens_lost_share", best),
        )

    def non_dominated(self, objective: str, time: str = TOKENS.time) -> list[Outcome]:
        """Those that no other beats in `time` and `objective` alike, by their means."""
        better = FIGURES[objective].better
        points = [
            (o.estimate(time).mean, better * o.estimate(objective).mean) for o in self.feasible
        ]
        best = non_dominated(np.array(points))
        return [outcome for outcome, good in zip(self.feasible, best, strict=True) if good]

    def as_json(self) -> dict[str, Any]:
        """Every run's figures, means with 95 % intervals, and paired comparisons."""
        return {
            "scenario": self.scenario,
            "seed": self.seed,
            "replicates": self.replicates,
            "reference": self.reference.case.name,
            "cases": {outcome.case.name: self._entry(outcome) for outcome in self.outcomes},
            "non_dominated": {
                name: [outcome.case.name for outcome in self.non_dominated(name, trade.time)]
                for trade in (TOKENS, *([REQUESTS] if self.requests else []))
                for name in trade.objectives
            },
        }

    def _entry(self, outcome: Outcome) -> dict[str, Any]:
        case = outcome.case
        entry: dict[str, Any] = {
            "strategy": case.strategy,
            "strategy_params": case.scenario.placement.params,
            "policy": case.policy,
            "policy_params": case.scenario.controller.params,
            "infeasible": outcome.infeasible,
        }
        if outcome.infeasible is not None:
            return entry
        entry |= {name: outcome.estimate(name)._asdict() for name in outcome.runs[0]}
        entry["ratio"] = self.ratio(outcome)._asdict()
        entry["served_difference"] = self.difference(outcome, "tokens_served_share")._asdict()
        if self.requests:
            entry["request_differences"] = {
                name: self.difference(outcome, name)._asdict()
                for name in outcome.runs[0]
                if FIGURES[name].of_requests
            }
        regret = self.regret(outcome)
        entry["regret"] = regret and {
            "against": regret.against,
            "latency_s": regret.latency_s._asdict(),
            "lost": regret.lost._asdict(),
        }
        return entry | {"replicates": outcome.runs}


def compare(
    cases: Sequence[Case],
    *,
    replicates: int,
    kept: Kept | None = None,
    pool: Pool,
) -> Comparison:
    """Run every case on replicates 0, 1, ...

    In a replicate all cases meet the same orbits, outages, activations and tokens. A case that
    finds no placement in one of them does not stop the others.

    Parameters
    ----------
    cases : sequence of Case
        The first is what the others are held against.
    replicates : int
        At least 2 for an interval.
    kept : Kept, optional
        What an interrupted comparison has kept, and where runs are kept as they end.
    pool : Pool

    Raises
    ------
    InputError
        If no case can be run.
    """
    found = pool.map(
        _run,
        [(case.scenario, r) for case in cases for r in range(replicates)],
        keys=keys_of([case.scenario for case in cases], replicates),
        kept=kept,
        advice=_ADVICE if kept is None else "the same command with --resume goes on",
    )
    outcomes = []
    for i, case in enumerate(cases):
        mine = found[i * replicates : (i + 1) * replicates]
        refused = next((result for result in mine if isinstance(result, str)), None)
        runs = [] if refused else [result for result in mine if not isinstance(result, str)]
        outcomes.append(Outcome(case=case, runs=runs, infeasible=refused))
    if all(outcome.infeasible for outcome in outcomes):
        first = outcomes[0]
        raise InputError(f"no case can be run; {first.case.name}: {first.infeasible}")
    simulation = cases[0].scenario.simulation
    return Comparison(
        scenario=cases[0].scenario.name,
        seed=simulation.seed,
        replicates=replicates,
        outcomes=outcomes,
    )


def non_dominated(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points no other one beats: nowhere greater, and smaller somewhere.

    Parameters
    ----------
    points : (P, D) float64
        Less is better in every column. A point with a NaN counts for nothing.

    Returns
    -------
    best : (P,) bool
    """
    other, point = points[:, None], points[None]
    beaten = ((other <= point).all(axis=2) & (other < point).any(axis=2)).any(axis=0)
    return np.asarray(~beaten & ~np.isnan(points).any(axis=1))


def _run(scenario: Scenario, replicate: int) -> Figures | str:
    """One run's figures, drawn from its tables as for any run; or why there is none."""
    # Figures do not depend on these rows, which take the time of most others to write.
    unread = {"record_satellites_every": scenario.simulation.steps, "record_tokens_per_step": 0}
    try:
        with ran(scenario, replicate, **unread) as run:
            return {name: value for name, value in summarise(run).items() if name in FIGURES}
    except InputError as error:
        return str(error)
