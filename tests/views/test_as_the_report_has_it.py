"""Numbers that the page has of whole runs, against those of `twin report`.

Of runs whose frames are steps, and of runs whose frames stand for several.
"""

import numpy as np
import pytest

from agents.run import run_scenario
from twin.report.document import report
from twin.runs.cells import text
from twin.runs.figures import FIGURES
from twin.scenario import loader
from twin.views import block, comparison, replay, trace
from twin.views.questions import answer
from twin.vocabulary import Cause
from twin.world.world import World

STEPS = 22
TOKENS = {
    "bus.battery_wh": 4.0,
    "bus.initial_soc": 0.5,
    "controller.policy": "on-event",
    "controller.params": {"events": "brown-out"},
}
REQUESTS = {
    "serving.mode": "requests",
    "serving.chunk_tokens": 8,
    "placement.instances": 2,
    "placement.strategy": "joint",
    "ground.users": "cities",
    "ground.minimum_elevation_deg": 10.0,
    "requests.rate_per_s": 0.2,
    "requests.prompt_tokens": 40,
    "requests.output_tokens": 12,
    "requests.patience_s": 60.0,
}
WHOLE = {
    "tokens_asked": "tokens_asked",
    "tokens_served_share": "tokens_served_share",
    "soc_min": "soc_min",
    "sunlit_mean": "sunlit_share",
    "temperature_max_c": "temperature_max_c",
    "latency_mean_s": "latency_mean_s",
}
"""Figures of frames, and what the report calls them."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of tokens, and two of requests."""
    folder = tmp_path_factory.mktemp("runs")
    return {
        f"{kind}-{seed}": run_scenario(
            loader.load("small", fields | {"simulation.steps": STEPS, "simulation.seed": seed}),
            runs_dir=folder,
            run_id=f"{kind}-{seed}",
        )
        for kind, fields in (("tokens", TOKENS), ("requests", REQUESTS))
        for seed in (0, 1)
    }


def tables(run):
    """Tables of the report on a run, by name."""
    return {table.name: table for table in report([run.path]).tables()}


@pytest.mark.parametrize(
    ("kind", "names"), [("tokens", comparison.COMPARED), ("requests", comparison.OF_REQUESTS)]
)
def test_every_cell_of_the_table_of_runs_side_by_side(runs, kind, names):
    both = [runs[f"{kind}-{seed}"] for seed in (0, 1)]
    cells = comparison.compare(both, both)["cells"]
    for run in both:
        reported = {row[0]: text(row[1]) for row in tables(run)["figures"].rows}
        shown = [cell["value"] for cell in cells[run.path.name]]
        assert shown == [reported.get(FIGURES[name].header, text(0.0)) for name in names]
        assert len(set(shown)) > 2


@pytest.fixture(params=[STEPS, 8], ids=["stepwise", "strided"])
def frames_of(request, monkeypatch):
    """Frames of a run on disk, each of one step or of several."""
    monkeypatch.setattr(trace, "MAX_FRAMES", request.param)

    def frames(run):
        world = World(run.scenario)
        planned = trace.plan(world)
        assert (planned.stride > 1) == (request.param < STEPS)
        return list(replay.frames(run, world, planned))

    return frames


def merged(frames, name):
    """A figure of all frames, by the rule that the page is given for it."""
    (rule,) = [each for each in block.described() if each["name"] == name]
    if rule["merge"] == "ratio":
        part, whole = (sum(merged(frames, n) for n in rule[side]) for side in ("part", "whole"))
        return part / whole
    names = [each["name"] for each in block.described()]
    values = np.array([frame.figures[names.index(name)] for frame in frames])
    match rule["merge"]:
        case "first":
            return values[0]
        case "last":
            return values[-1]
        case "mean":
            of = rule["weight"]
            weights = np.array(
                [frame.figures[names.index(of)] if of else frame.steps for frame in frames]
            )
            known = np.isfinite(values) & (weights > 0)
            return np.average(values[known], weights=weights[known])
    return {"sum": np.nansum, "least": np.nanmin, "most": np.nanmax}[rule["merge"]](values)


@pytest.mark.parametrize("kind", ["tokens", "requests"])
def test_figures_of_all_frames(runs, frames_of, kind):
    run = runs[f"{kind}-0"]
    reported = {row[0]: row[1] for row in tables(run)["figures"].rows}
    frames = frames_of(run)
    for name, theirs in WHOLE.items():
        figure = FIGURES[theirs]
        cell = reported[figure.header]
        wanted = getattr(cell, "mean", cell)
        assert figure.scale * merged(frames, name) == pytest.approx(wanted, rel=1e-9), name
    moved = reported.get(FIGURES["migrated_gb"].header, 0.0)
    assert merged(frames, "migrated_bytes") / 1e9 == pytest.approx(moved, rel=1e-9)


def test_requests_of_all_frames_by_cause_and_by_copy(runs, frames_of):
    run = runs["requests-0"]
    reported = tables(run)
    found = answer(run, {"what": "requests"})
    frames = frames_of(run)
    lost = {row[0]: row[2] for row in reported["requests-not-served"].rows}
    labels = {cause.word: cause.meaning.label for cause in Cause}
    counts = {labels[cause]: n for cause, n in found["causes"] if cause is not None}
    assert counts == lost
    ended = {row[1]: row[2] for row in reported["instances"].rows}
    assert {copy: n for copy, n in found["instances"] if copy in ended} == ended
    unfinished = lost.get(Cause.UNFINISHED.meaning.label, 0)
    assert merged(frames, "requests_ended") == found["total"] - unfinished
    assert merged(frames, "requests_served") == found["total"] - sum(lost.values())
