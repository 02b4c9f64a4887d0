"""Run a study's points over processes or a cluster, and put together what they found."""

import shutil
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from twin.errors import BusyError, InputError
from twin.plugins import load_plugins
from twin.plugins.loading import load_kept, load_text
from twin.registry import PLUGIN_TEXTS
from twin.runs.figures import FIGURES, REQUEST_METRICS
from twin.runs.files import PARTIAL
from twin.runs.lock import Lock
from twin.runs.store import Run, open_run
from twin.runs.studies import Study, interrupted
from twin.runs.study_writer import Result, StudyWriter
from twin.runs.summary import summarise
from twin.scenario import attachments, loader
from twin.scenario.attachments import Attachment
from twin.scenario.schema import Scenario
from twin.study.points import Point, base_scenario, make_points
from twin.study.pool import run_jobs
from twin.study.profiles import PROFILES, profiles
from twin.study.study_file import StudyFile, parse_study, read_study, to_toml

_PATIENCE_S = 20.0
"""Time that workers of a sweep that was killed may take to end."""


@dataclass(frozen=True)
class OpenSweep:
    """A study that is ready to run: its place on disk, its file, all of its points."""

    writer: StudyWriter
    study: StudyFile
    points: list[Point]
    goes_on: bool = False  # whether it was interrupted before


def open_sweep(
    source: str,
    *,
    resume: bool,
    runs_dir: Path,
    keep_runs: bool,
    plugins: Sequence[str] = (),
) -> OpenSweep:
    """Prepare a study, new or interrupted; every point is validated.

    Parameters
    ----------
    source : str
        A preset's name or a file's path; with `resume` also the folder of an interrupted study,
        whose own scenario is taken, whatever has become of the file that it came from.
    resume : bool
        Go on with the study if it was interrupted; one that has not begun begins.
    runs_dir : Path
        Where studies are.
    keep_runs : bool
        Whether a new study keeps the runs of its points.
    plugins : sequence of str
        Plug-ins to load in addition to the study's own; they are kept with it.

    Raises
    ------
    InputError
        If there is no such study, or something is wrong with it.
    """
    if source.rstrip("/").endswith(PARTIAL):
        if not resume:
            raise InputError(f"{source}: an interrupted study; go on with it by --resume")
        return _go_on(Path(source))
    load_plugins(plugins)
    study = read_study(source)
    study = study.model_copy(update={"plugins": tuple(dict.fromkeys([*study.plugins, *plugins]))})
    base = base_scenario(study, source)
    points = make_points(study, base, source)
    modes = {point.case.scenario.serving.mode for point in points}
    if "metrics" not in study.model_fields_set and "requests" in modes:
        study = study.model_copy(update={"metrics": REQUEST_METRICS})
    study_toml, scenario_toml = to_toml(study), loader.to_toml(base)
    found = interrupted(runs_dir, study.name) if resume else None
    if found is not None:
        earlier = StudyWriter.resumed(found)
        began_with = (earlier.study_toml, earlier.scenario_toml)
        if [*map(tomllib.loads, began_with)] != [*map(tomllib.loads, (study_toml, scenario_toml))]:
            raise InputError(
                f"{source}: has changed since {found} began; finish that as it was "
                f"(twin sweep --resume {found}), or leave --resume out to start over"
            )
        return OpenSweep(earlier, study, points, goes_on=True)
    scenarios = {id(point.case): point.case.scenario for point in points}.values()
    files = {each.path: each for scenario in scenarios for each in attachments.collect(scenario)}
    writer = StudyWriter.new(
        runs_dir,
        study.name,
        study_toml=study_toml,
        scenario_toml=scenario_toml,
        points=len(points),
        keep_runs=keep_runs,
    )
    writer.files = list(files.values())
    return OpenSweep(writer, study, points)


def _go_on(folder: Path) -> OpenSweep:
    writer, label = StudyWriter.resumed(folder), str(folder / "study.toml")
    load_kept(folder, "study_id")
    study = parse_study(writer.study_toml, label)
    base = loader.from_data(tomllib.loads(writer.scenario_toml), str(folder / "scenario.toml"))
    return OpenSweep(writer, study, make_points(study, base, label), goes_on=True)


def sweep(
    opened: OpenSweep,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> Study:
    """Run all points that have not yet ended, and complete the study.

    In a replicate all points draw from the same random streams. A point that fails is recorded
    with its error and does not stop the others.

    Parameters
    ----------
    opened : OpenSweep
        Its writer in its block.
    workers : int, optional
        Processes; all processors by default, none but this one for 1.
    scheduler : str, optional
        Address of a Dask scheduler whose workers are used instead.
    progress : callable
        Called with (points that ended, points in all).
    """
    writer, points = opened.writer, opened.points
    missing = [point for point in points if point.number not in writer.done]
    progress(len(writer.done), len(points))
    # Workers elsewhere share no folder; ours go on with a point that was interrupted.
    place = writer.runs_dir if writer.keep_runs else writer.work_dir
    folder = None if scheduler is not None else str(place.absolute())
    # The text is the same object in all replicates of a case.
    texts: dict[int, str] = {}
    files = _files_of(points, writer.files)
    texts_of_plugins = dict(PLUGIN_TEXTS)
    jobs = [
        (
            texts.setdefault(id(point.case), loader.to_toml(point.case.scenario)),
            point.replicate,
            opened.study.plugins,
            None if folder is None else (folder, f"point-{point.number:07d}"),
            writer.keep_runs,
            files[id(point.case)],
            texts_of_plugins,
        )
        for point in missing
    ]
    with closing(run_jobs(run_point, jobs, workers=workers, scheduler=scheduler)) as ended:
        for i, result in ended:
            if isinstance(result, OSError | BusyError):
                raise result  # the machine's fault, not the point's: it is tried again by --resume
            if isinstance(result, Exception):
                result = _failed(result)
            writer.record(missing[i].number, result)
            progress(len(writer.done), len(points))
    return writer.complete(_table(points, writer.done))


def run_point(
    scenario_toml: str,
    replicate: int,
    plugins: Sequence[str] = (),
    place: tuple[str, str] | None = None,
    keep: bool = False,
    files: Sequence[Attachment] = (),
    texts: Mapping[str, str] = MappingProxyType({}),
) -> Result:
    """Run one point to its end and return its figures and curves, or why there are none.

    Parameters
    ----------
    scenario_toml : str
    replicate : int
    plugins : sequence of str
        Plug-ins for this process to load: files or modules.
    place : tuple of str, optional
        Folder of the run and its name there; a run that was interrupted there goes on. In a
        temporary folder by default.
    keep : bool
        Whether the run stays there when it is summarised.
    files : sequence of Attachment
        What the scenario refers to, for a worker that does not have it.
    texts : mapping of str to str
        Text of the plug-in files, by name.
    """
    try:
        for name, text in texts.items():
            load_text(text, name)
        load_plugins(plugins)
        data = tomllib.loads(scenario_toml)
        data["simulation"]["replicate"] = replicate
        scenario = loader.from_data(data)
        with tempfile.TemporaryDirectory() as temporary:
            folder, run_id = place or (temporary, "point")
            run = _run(scenario, Path(folder), run_id, files)
            figures, curves = summarise(run), profiles(run)
        if place is not None and not keep:
            shutil.rmtree(run.path)
    except (OSError, BusyError):
        raise
    except Exception as error:
        return _failed(error)
    return {
        "status": "ok",
        "error": None,
        "figures": {name: figures.get(name) for name in FIGURES},
        "profiles": curves,
    }


def _files_of(points: Sequence[Point], files: Sequence[Attachment]) -> dict[int, list[Attachment]]:
    """Files that the scenario of each point's case refers to."""
    by_path = {each.path: each for each in files}
    return {
        id(point.case): [by_path[path] for path in attachments.paths(point.case.scenario)]
        for point in points
    }


def _run(scenario: Scenario, folder: Path, run_id: str, files: Sequence[Attachment]) -> Run:
    # A process that ended between a kept run's end and the study's note of it left it there.
    if (folder / run_id).is_dir():
        try:
            return open_run(folder / run_id)
        except InputError:  # what is left of one that was being removed: begin again
            shutil.rmtree(folder / run_id, ignore_errors=True)
    # Here, for a process whose workers run the points can do without Mesa.
    from agents.fork import Beginning
    from agents.run import finished, last_checkpoint, run_scenario

    beginning = Beginning(files=files)
    partial = folder / (run_id + PARTIAL)
    if partial.is_dir():
        with Lock.take(partial, patience_s=_PATIENCE_S) as lock:
            try:
                done = finished(partial, lock)
                beginning = last_checkpoint(partial, lock) if done is None else beginning
            except InputError:
                lock.release()  # damaged, or of other versions: begin again
                done = None
            return done or run_scenario(
                scenario, runs_dir=folder, run_id=run_id, beginning=beginning
            )
    return run_scenario(scenario, runs_dir=folder, run_id=run_id, beginning=beginning)


def _failed(error: Exception) -> Result:
    text = f"{type(error).__name__}: {error}"
    nothing = {"figures": dict.fromkeys(FIGURES), "profiles": dict.fromkeys(PROFILES)}
    return {"status": "failed", "error": text, **nothing}


def _table(points: Sequence[Point], results: dict[int, Result]) -> pa.Table:
    """One row a point: its place on the axes, its strategy and policy, its results."""
    ended = [results[point.number] for point in points]
    columns: dict[str, pa.Array] = {"point": pa.array([p.number for p in points], pa.int32())}
    for field in points[0].settings:
        columns[field] = _values([point.settings[field] for point in points])
    columns["strategy"] = pa.array([point.case.strategy for point in points])
    columns["policy"] = pa.array([point.case.policy for point in points])
    columns["replicate"] = pa.array([point.replicate for point in points], pa.int32())
    seeds = [point.case.scenario.simulation.seed for point in points]
    columns["seed"] = pa.array(seeds, pa.int64())
    for name in ("status", "error"):
        columns[name] = pa.array([result[name] for result in ended], pa.string())
    for name in FIGURES:
        columns[name] = pa.array([result["figures"][name] for result in ended], pa.float64())
    curve = pa.list_(pa.float64())
    for name in PROFILES:
        columns[name] = pa.array([result["profiles"][name] for result in ended], curve)
    return pa.table(columns)


def _values(values: list[Any]) -> pa.Array:
    """An axis as a column: of its own type where it is a simple one, else as its text in TOML."""
    kinds = {type(value) for value in values}
    if kinds <= {int, float}:
        return pa.array(values, pa.int64() if kinds == {int} else pa.float64())
    if kinds in ({str}, {bool}):
        return pa.array(values)
    return pa.array([loader.literal(value) for value in values])
