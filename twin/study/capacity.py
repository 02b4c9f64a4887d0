"""The most load that a constellation carries within deadlines, by bisection on the serving engine.

A load is a multiple of what the scenario asks. It is carried if the share of requests within both
targets reaches what is wanted: the interval of its mean over replicates decides, which meet the
same requests at every load and in every case. Where no number of replicates that is allowed
decides, a load counts as not carried, and the bracket says so.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Final

import numpy as np

from agents.fleet import hardware
from twin.errors import InputError
from twin.moe.inference import inference
from twin.scenario.schema import Scenario
from twin.serving import traces
from twin.serving.demand import request_work_s
from twin.study.cases import Case
from twin.study.kept import AGAIN, Kept, key_of
from twin.study.pool import Pool
from twin.study.trials import KEPT, Replicated, Targets, run_trial, targets_of, under
from twin.world.world import World

SHARE: Final = "goodput_share"
_FARTHEST: Final = 2.0**12
"""How many times more, or less, than a scenario asks is looked at."""
_FEWEST: Final = 2
"""Requests of a run below which no lower load is tried: they have met no other already."""


@dataclass(kw_only=True)
class Trial(Replicated):
    """One load of one case.

    Attributes
    ----------
    load : float
        Times what the scenario asks.
    runs : list of dict
        Figures of each replicate.
    carried : bool or None
        Whether it is; None while that is not decided.
    """

    load: float
    runs: list[dict[str, float | None]] = field(default_factory=list)
    carried: bool | None = None

    def decide(self, share: float) -> None:
        """Decide by the interval of the mean share; several runs that are all alike decide too."""
        mean, half = self.estimate(SHARE)
        if mean - half >= share:
            self.carried = True
        elif mean + half < share:
            self.carried = False


@dataclass(kw_only=True)
class Found:
    """What a case carries.

    Attributes
    ----------
    case : Case
    trials : list of Trial
        In the order in which they were run.
    error : str or None
        Why there is none.
    """

    case: Case
    trials: list[Trial] = field(default_factory=list)
    error: str | None = None

    @property
    def carried(self) -> Trial | None:
        """The highest load that is carried, and below all that are not; None if none is."""
        lowest = min((t.load for t in self.trials if t.carried is False), default=np.inf)
        found = [t for t in self.trials if t.carried and t.load < lowest]
        return max(found, key=lambda t: t.load, default=None)

    @property
    def refused(self) -> Trial | None:
        """The lowest load above that which is not; None if all are carried."""
        floor = 0.0 if self.carried is None else self.carried.load
        found = [t for t in self.trials if t.carried is False and t.load > floor]
        return min(found, key=lambda t: t.load, default=None)

    @property
    def by_load(self) -> list[Trial]:
        """In the order of loads."""
        return sorted(self.trials, key=lambda trial: trial.load)

    def offered_per_s(self, trial: Trial) -> float:
        """Requests a second that are asked at a load; in a closed loop those that are answered."""
        table = self.case.scenario.requests
        if table.arrivals == "closed":
            return trial.estimate("goodput_per_s").mean
        if table.arrivals == "trace":
            at_s = traces.read(table).at_s
            return float(len(at_s) / at_s[-1] * table.trace_speed * trial.load)
        return table.rate_per_s * trial.load

    @property
    def carried_per_s(self) -> float:
        """Requests a second at the highest load that is carried; NaN if none is."""
        return np.nan if self.carried is None else self.offered_per_s(self.carried)

    @cached_property
    def bound_per_s(self) -> float:
        """Requests a second that all satellites together could compute if none ever waited."""
        return bound_per_s(self.case.scenario)

    def next_load(self, within: float) -> float | None:
        """The load to try next; None where the bracket is as narrow as wanted."""
        low, high = self.carried, self.refused
        if low is None and high is None:
            return 1.0
        if low is None and high and np.nanmax(high.values("requests_counted")) < _FEWEST:
            return None
        if low is None or high is None:
            load = (high.load / 2.0 if high else 0.0) if low is None else low.load * 2.0
            return load if 1.0 / _FARTHEST <= load <= _FARTHEST else None
        return (
            None if high.load <= low.load * (1.0 + within) else float(np.sqrt(low.load * high.load))
        )


def loaded(scenario: Scenario, load: float) -> Scenario:
    """Return a scenario that asks so many times as much."""
    table = scenario.requests
    if table.arrivals == "closed":
        change: dict[str, Any] = {"users": max(round(table.users * load), 1)}
    elif table.arrivals == "trace":
        change = {"trace_speed": table.trace_speed * load}
    else:
        change = {"rate_per_s": table.rate_per_s * load}
    return scenario.model_copy(update={"requests": table.model_copy(update=change)})


def capacity(
    cases: Sequence[Case],
    *,
    share: float,
    replicates: int,
    most_replicates: int,
    within: float,
    kept: Kept,
    pool: Pool,
) -> list[Found]:
    """Find what each case carries.

    Parameters
    ----------
    cases : sequence of Case
    share : float
        Of requests that must be served within both targets.
    replicates, most_replicates : int
        Runs of a load to begin with, and at most where these do not decide.
    within : float
        Width of the bracket, as a share, at which the search ends.
    kept : Kept
    pool : Pool
        Its progress counts runs, and expects those of the round.
    """
    found = [Found(case=case) for case in cases]
    targets = tuple(sorted({targets_of(case.scenario) for case in cases}))
    done = 0
    while wanted := list(_wanted(found, replicates, most_replicates, within)):
        keyed = [_job(loaded(f.case.scenario, t.load), r, targets) for f, t, r in wanted]
        jobs = dict(keyed)
        results = replace(pool, progress=partial(_count, pool.progress, done)).map(
            run_trial, [*jobs.values()], keys=[*jobs], kept=kept, advice=AGAIN
        )
        done += len(jobs)
        by_key = dict(zip(jobs, results, strict=True))
        mine = [
            by_key[key]["figures"][shared.index(targets_of(f.case.scenario))]
            | {"error": by_key[key]["error"]}
            for (f, _, _), (key, (_, _, shared)) in zip(wanted, keyed, strict=True)
        ]
        _take(wanted, mine, share, most_replicates)
    return found


def _count(progress: Callable[[int, int], None], before: int, done: int, total: int) -> None:
    progress(before + done, before + total)


def _job(
    scenario: Scenario, replicate: int, targets: Sequence[Targets]
) -> tuple[str, tuple[Scenario, int, Sequence[Targets]]]:
    """A key and arguments of `run_trial`, which serve all targets unless these change the run."""
    under_all = [targets_of(scenario)] if scenario.serving.drop_late else targets
    chosen = under(scenario, under_all[0])
    return key_of(chosen, replicate, under_all), (chosen, replicate, under_all)


def _wanted(
    found: Sequence[Found], replicates: int, most: int, within: float
) -> Iterator[tuple[Found, Trial, int]]:
    """Runs of the next round: of each case its next load, or further replicates of its last."""
    for one in found:
        if one.error is not None:
            continue
        trial = next((t for t in one.trials if t.carried is None), None)
        if trial is None:
            load = one.next_load(within)
            if load is None:
                continue
            trial = Trial(load=load)
            one.trials.append(trial)
        first = len(trial.runs)
        for r in range(first, min(first + replicates, most)):
            yield one, trial, r


def _take(
    wanted: Sequence[tuple[Found, Trial, int]],
    results: Sequence[Mapping[str, Any]],
    share: float,
    most: int,
) -> None:
    for (one, trial, _), result in zip(wanted, results, strict=True):
        if result["error"] is not None:
            one.error = result["error"]
        trial.runs.append({name: result[name] for name in KEPT})
    for _, trial, _ in {id(t): (f, t, r) for f, t, r in wanted}.values():
        trial.decide(share)
        if trial.carried is None and len(trial.runs) >= most:
            trial.carried = False


def check(scenario: Scenario) -> None:
    """Raise unless a scenario serves requests."""
    if scenario.serving.mode != "requests":
        raise InputError(
            f"serving.mode: capacity is of requests (got {scenario.serving.mode!r}); "
            "try: twin capacity serving-study"
        )


def bound_per_s(scenario: Scenario) -> float:
    """Requests a second that all satellites together could compute if none ever waited."""
    world, model = World(scenario), inference(scenario)
    pace, _ = hardware(world.constellation, scenario)
    return float(pace.sum() / request_work_s(scenario, model))
