"""A run on disk, played into a feed."""

from collections.abc import Iterator

from twin.plugins.loading import load_kept
from twin.runs.store import Run
from twin.views import replay, trace
from twin.views.stream import Feed
from twin.vocabulary.live import KIND
from twin.world.world import World


def play(run: Run, feed: Feed) -> Iterator[int]:
    """Feed a run frame by frame; after each gives how many there are in all."""
    load_kept(run.path)
    world = World(run.scenario)
    planned = trace.plan(world, run.first_step)
    live = run.manifest.get("kind") == KIND
    feed.begin(trace.head(world, planned, run_id=run.path.name, live=live))
    for frame in replay.frames(run, world, planned):
        feed.show(frame)
        yield planned.frames
    feed.end(whole=True)
