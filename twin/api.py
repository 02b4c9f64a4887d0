"""The twin from Python, for notebooks and scripts: what the command line does, by its names.

A mistake in the arguments raises `twin.errors.InputError`, a single line.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.errors import InputError
from twin.plugins import load_plugins
from twin.quantities import plain_values
from twin.runs import store as runs
from twin.runs import studies
from twin.runs.store import Run
from twin.runs.studies import Study
from twin.scenario.schema import Scenario

if TYPE_CHECKING:
    from agents.state import TwinState
    from twin.export.passes import SitePasses
    from twin.export.routes import Route

# Functions that simulate import what they need: that takes seconds, reading a run does not.

__all__ = [
    "TwinRun",
    "fork",
    "load_plugins",
    "load_scenario",
    "open_run",
    "open_study",
    "passes",
    "route",
    "run",
    "sweep",
]


def load_scenario(
    source: str | Path,
    overrides: Mapping[str, Any] | None = None,
    *,
    plugins: Sequence[str | Path] = (),
) -> Scenario:
    """Load a scenario.

    Parameters
    ----------
    source : str or Path
        Name of one that ships with the twin, or path of a TOML file.
    overrides : mapping, optional
        Values by ``table.key``: ``{"outages.availability": 0.9}``; also quantities of astropy.
    plugins : sequence of str or Path
        Plug-ins to load first: files or modules, see `twin.load_plugins`.
    """
    from twin.plugins.choices import load_scenario as load_checked

    return load_checked(source, plain_values(overrides or {}), plugins=plugins)


class TwinRun(Run):
    """A run, complete or interrupted: its tables, and its state at any step."""

    def state(self, step: int) -> "TwinState":
        """State before a step, computed again from the nearest checkpoint or the start."""
        from agents.fork import state_at

        return state_at(self, step)


def run(
    scenario: Scenario | None = None,
    *,
    runs_dir: str | Path = "runs",
    resume: str | Path | None = None,
) -> TwinRun:
    """Run a scenario, keep the run below `runs_dir` and return it.

    Parameters
    ----------
    scenario : Scenario
    runs_dir : str or Path
    resume : str or Path, optional
        Instead of a scenario: folder of an interrupted run, which goes on from its last
        checkpoint.
    """
    from agents.run import resume as resume_run
    from agents.run import run_scenario
    from twin.plugins.loading import load_kept

    load_plugins()
    if (scenario is None) == (resume is None):
        raise InputError("twin.run: give either a scenario or resume=FOLDER")
    if resume is not None:
        load_kept(Path(resume))
        return _ours(resume_run(Path(resume)))
    assert scenario is not None
    return _ours(run_scenario(scenario, runs_dir=Path(runs_dir)))


def fork(
    parent: Run | str | Path,
    step: int,
    changes: Mapping[str, Any] | None = None,
    *,
    fail: Sequence[int] = (),
    cut: Sequence[tuple[int, int]] = (),
    runs_dir: str | Path = "runs",
) -> TwinRun:
    """Ask what if: run on from a step of a run, with changes and the same random numbers.

    Parameters
    ----------
    parent : Run, or path of one
        Complete or interrupted.
    step : int
        First step of the fork.
    changes : mapping, optional
        Values by ``table.key``: ``{"placement.strategy": "joint"}``.
    fail : sequence of int
        Satellites that are lost from that step on.
    cut : sequence of pairs of int
        Links, by their two satellites, that are gone from that step on.
    runs_dir : str or Path
    """
    from agents.fork import fork as begin
    from agents.run import run_scenario
    from twin.plugins.loading import load_kept

    load_plugins()
    known = parent if isinstance(parent, Run) else runs.any_run(Path(parent))
    load_kept(known.path)
    scenario, beginning = begin(
        known, step, changes=plain_values(changes or {}), fail=fail, cut=cut
    )
    return _ours(run_scenario(scenario, runs_dir=Path(runs_dir), beginning=beginning))


def open_run(path: str | Path) -> TwinRun:
    """Open a complete run by its folder; its tables are Arrow tables, ``run.table("steps")``."""
    return _ours(runs.open_run(path))


def _ours(run: Run) -> TwinRun:
    return TwinRun(run.path, run.manifest)


def open_study(path: str | Path) -> Study:
    """Open a complete study by its folder; ``study.points()`` is an Arrow table, a row a point."""
    return studies.open_study(Path(path))


def sweep(
    study: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    resume: bool = False,
    plugins: Sequence[str | Path] = (),
    runs_dir: str | Path = "runs",
) -> Study:
    """Run a study, keep it below `runs_dir` and return it.

    Parameters
    ----------
    study : str or Path
        Name of one that ships with the twin, or path of a TOML file.
    workers : int, optional
        Processes; all processors by default.
    scheduler : str, optional
        Address of a Dask scheduler whose workers are used instead.
    resume : bool
        Continue the study if it was interrupted.
    plugins : sequence of str or Path
        Plug-ins to load beside those that the study names.
    """
    from twin.study.sweep import open_sweep
    from twin.study.sweep import sweep as sweep_points

    opened = open_sweep(
        str(study),
        resume=resume,
        runs_dir=Path(runs_dir),
        keep_runs=False,
        plugins=[str(name) for name in plugins],
    )
    with opened.writer:
        return sweep_points(opened, workers=workers, scheduler=scheduler)


def route(
    source: Scenario | Run,
    start: str,
    end: str,
    *,
    by: str = "serving",
    max_slant_km: float | None = None,
) -> "Route":
    """Follow the path between two places over all steps; see `twin.export.routes.route`.

    ``pandas.DataFrame(twin.route(scenario, "Paris", "59.9,30.3").columns)`` has a row a step.
    """
    from twin.export.routes import route as follow

    _load_plugins_of(source)
    return follow(source, start, end, by=by, max_slant_km=max_slant_km)


def passes(
    source: Scenario | Run,
    site: str,
    *,
    satellite: str | None = None,
    max_slant_km: float | None = None,
) -> "SitePasses":
    """Find when satellites rise, stand highest and set; see `twin.export.passes.site_passes`."""
    from twin.export.passes import site_passes

    _load_plugins_of(source)
    return site_passes(source, site, satellite=satellite, max_slant_km=max_slant_km)


def _load_plugins_of(source: Scenario | Run) -> None:
    from twin.plugins.loading import load_kept

    load_plugins()
    if isinstance(source, Run):
        load_kept(source.path)
