"""Runs with a damaged file before five readers: each refuses, or finds what it found before."""

import shutil

import pytest
from generate import damaged
from oracle import Verdict

from agents.run import resume, run_scenario
from twin.export.czml import czml
from twin.export.events import select
from twin.export.graphml import graphml
from twin.report.document import report
from twin.report.page import html
from twin.runs.store import open_run
from twin.runs.summary import summarise
from twin.scenario import loader
from twin.views import replay, shelf, trace
from twin.world.world import World

CHANGES = [
    "simulation.steps=8",
    "simulation.record_tokens_per_step=2",
    "ground.users=cities",
    "outages.availability=0.9",
]


def figures(run):
    """What `twin run` prints, and the rows of the tables it comes from."""
    return summarise(run), run.table("steps").to_pylist()


def exported(run):
    """What `twin export` writes."""
    return czml(run), graphml(run, 3)


def events(run):
    """What `twin events` prints."""
    chosen = select(run)
    return chosen.rows(10**6), chosen.counts()


def reported(run):
    """The page of `twin report`, without its figures' curves and the folder's path."""
    page = html(report((run.path,)), lambda picture: picture.title)
    return page.replace(str(run.path), "").replace(str(run.path.parent), "")


def replayed(run):
    """What a page is sent."""
    world = World(run.scenario)
    plan = trace.plan(world)
    frames = list(replay.frames(run, world, plan))
    return trace.head(world, plan, run_id="run"), trace.chunk(frames, first=0, last=True)


READERS = (figures, exported, events, reported, replayed)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run, and what every reader finds in it."""
    scenario = loader.load("small", CHANGES)
    run = run_scenario(scenario, runs_dir=tmp_path_factory.mktemp("runs"), run_id="run")
    return run, {reader: reader(run) for reader in READERS}


def test_damaged_runs(budget, rng, tmp_path, whole):
    run, known = whole
    if "sha256" not in run.manifest:
        pytest.skip("without sums of its files a run cannot tell one number from another")
    verdict, folder = Verdict(), tmp_path / "run"
    files = sorted(file.name for file in run.path.iterdir() if file.is_file())
    for number in range(budget(1000)):
        shutil.copytree(run.path, folder)
        name = rng.choice(files)
        file = folder / name
        if number % 50:  # now and then it is whole
            file.write_bytes(damaged(file.read_bytes(), rng))
        shelf.look(tmp_path)
        for reader in READERS:
            with verdict.case((number, name, reader.__name__)):
                assert reader(open_run(folder)) == known[reader], "other numbers"
                verdict.count("same")
        shutil.rmtree(folder)
    verdict.check("refused", "same")


def test_damaged_interrupted_runs(budget, rng, tmp_path):
    """A checkpoint, part or manifest of an interrupted run is damaged: refused, or the same end."""
    scenario = loader.load("small", CHANGES)
    plain = run_scenario(scenario, runs_dir=tmp_path, run_id="plain")
    partial = interrupted(scenario, tmp_path)
    files = sorted(file.relative_to(partial) for file in partial.rglob("*") if file.is_file())
    verdict = Verdict()
    for number in range(budget(100)):
        copy = tmp_path / f"n{number}.partial"
        shutil.copytree(partial, copy)
        name = rng.choice(files)
        (copy / name).write_bytes(damaged((copy / name).read_bytes(), rng))
        with verdict.case((number, str(name))):
            found = resume(copy)
            same = found.table("steps").equals(plain.table("steps"))
            verdict.count("same" if same else "other")
    verdict.check()


def interrupted(scenario, folder):
    """A run that was stopped half way."""
    from agents.run import RunCancelledError

    steps = []
    with pytest.raises(RunCancelledError):
        run_scenario(
            scenario,
            runs_dir=folder,
            run_id="half",
            cancelled=lambda: len(steps) >= 5,
            progress=lambda done, _: steps.append(done),
        )
    return folder / "half.partial"
