"""Questions to a scenario from Python: what is better, what it carries, where it should be served.

Each answers with the data that the command of the same name prints.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twin.plugins import load_plugins
from twin.scenario.schema import Scenario

if TYPE_CHECKING:
    from placement.deployment import Count
    from twin.study.capacity import Found
    from twin.study.compare import Comparison
    from twin.study.place import Placed
    from twin.study.pool import Pool
    from twin.study.where import WhereCase

# Functions import what they need, as those of `twin.api` do.

__all__ = ["capacity", "compare", "place", "where"]


def compare(
    scenario: Scenario,
    strategies: Sequence[str],
    *,
    policies: Sequence[str] | None = None,
    replicates: int = 4,
    plugins: Sequence[str | Path] = (),
    workers: int | None = None,
) -> "Comparison":
    """Run every pair of the strategies and policies on common random numbers.

    Parameters
    ----------
    scenario : Scenario
    strategies : sequence of str
        The others are compared with the first.
    policies : sequence of str, optional
        The scenario's own by default.
    replicates : int
        Independent repetitions, at least 2.
    plugins : sequence of str or Path
        Plug-ins to load, here and in every worker process.
    workers : int, optional
        Processes; all processors by default.
    """
    from twin.study.cases import make_cases
    from twin.study.compare import compare as compare_cases

    load_plugins(plugins)
    cases = make_cases(
        scenario,
        strategies,
        policies or [scenario.controller.policy],
        strategy_params={},
        policy_params={},
    )
    return compare_cases(cases, replicates=replicates, pool=_pool(plugins, workers))


def place(
    scenario: Scenario,
    strategies: Sequence[str],
    *,
    floors_per_s: Sequence[float] = (0.0,),
    instances: "Sequence[Count] | None" = None,
    replicates: int = 4,
    plugins: Sequence[str | Path] = (),
    workers: int | None = None,
) -> "list[Placed]":
    """Plan once with each strategy; see `twin.study.place.place`."""
    from twin.study.place import place as plan_all

    load_plugins(plugins)
    return plan_all(
        scenario,
        strategies,
        floors_per_s=floors_per_s,
        instances=instances,
        replicates=replicates,
        pool=_pool(plugins, workers),
    )


def capacity(
    cases: Mapping[str, Scenario],
    *,
    share: float = 0.95,
    within: float = 0.05,
    replicates: int = 3,
    most_replicates: int = 9,
    plugins: Sequence[str | Path] = (),
    workers: int | None = None,
    runs_dir: str | Path = "runs",
) -> "list[Found]":
    """Find the most load that each case serves within its deadlines; an interrupted search goes on.

    Parameters
    ----------
    cases : mapping of str to Scenario
        By names for them; they serve requests.
    share : float
        Of requests that must be within both targets.
    within : float
        Width of the bracket, as a share, at which a search ends.
    replicates, most_replicates : int
        Runs of a load to begin with, and at most where these do not decide.
    plugins : sequence of str or Path
        Plug-ins to load, here and in every worker process.
    workers : int, optional
        Processes; all processors by default.
    runs_dir : str or Path
        Where figures of runs are kept as they end.
    """
    from twin.study.capacity import capacity as find
    from twin.study.capacity import check
    from twin.study.cases import Case
    from twin.study.kept import open_kept

    load_plugins(plugins)
    for scenario in cases.values():
        check(scenario)
    return find(
        [Case(name=name, scenario=scenario) for name, scenario in cases.items()],
        share=share,
        within=within,
        replicates=replicates,
        most_replicates=most_replicates,
        kept=open_kept(Path(runs_dir) / "capacity.jsonl"),
        pool=_pool(plugins, workers),
    )


def where(
    scenario: Scenario,
    *,
    places: Sequence[str] | None = None,
    boards: Sequence[str],
    models: Sequence[str],
    share: float = 0.9,
    replicates: int = 2,
    plugins: Sequence[str | Path] = (),
    workers: int | None = None,
    runs_dir: str | Path = "runs",
) -> "list[WhereCase]":
    """Serve models on boards of some kinds in several places; see `twin.study.where`.

    Parameters
    ----------
    scenario : Scenario
        What all cases have in common; it serves requests.
    places : sequence of str, optional
        Names in `twin.study.places.PLACES`; all by default.
    boards, models : sequence of str
    share : float
        Of requests that must meet the deadlines.
    replicates : int
        Of each day.
    plugins : sequence of str or Path
        Plug-ins to load, here and in every worker process.
    workers : int, optional
        Processes; all processors by default.
    runs_dir : str or Path
        Where figures of runs are kept as they end.
    """
    from twin.study.capacity import check
    from twin.study.kept import open_kept
    from twin.study.places import PLACES
    from twin.study.where import cases_of
    from twin.study.where import where as find

    load_plugins(plugins)
    check(scenario)
    cases = cases_of(scenario, places=places or list(PLACES), boards=boards, models=models)
    find(
        cases,
        replicates=replicates,
        share=share,
        kept=open_kept(Path(runs_dir) / "where.jsonl"),
        pool=_pool(plugins, workers),
    )
    return cases


def _pool(plugins: Sequence[str | Path], workers: int | None) -> "Pool":
    from twin.study.pool import Pool

    return Pool(plugins=[str(name) for name in plugins], workers=workers)
