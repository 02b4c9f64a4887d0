"""A small live run for tests of the page: mirrored here, looked at in between."""

import json
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta

from twin.live.plant.emit import Truth, lines
from twin.live.plant.flight import Flight
from twin.live.plant.hidden import Anomalies, Spread
from twin.live.plant.telemetry import Telemetry
from twin.live.session import mirror
from twin.runs import checkpoints
from twin.scenario import loader
from twin.views.following import Followed
from twin.views.mirrored import growing

STEPS = 60
SILENT = ("P1S3", "P4S2")
CHANGES = {
    "simulation.orbits": None,
    "simulation.step_s": 60.0,
    "simulation.steps": STEPS,
    "simulation.record_satellites_every": 5,
    "workload.tokens_per_step": 4,
}


def scenario():
    return loader.load("small", CHANGES)


def telemetry():
    """Lines of a flight of which two satellites fall silent after eight minutes."""
    flight = Flight(scenario(), spread=Spread(elements_every_s=0.0), anomalies=Anomalies(), seed=3)
    said = [line for _, line in lines(flight, Telemetry(flight, seed=3), Truth(flight))]
    first = datetime.fromisoformat(json.loads(said[0])["time_utc"])
    return [line.encode() + b"\n" for line in said if not _swallowed(json.loads(line), first)]


def _swallowed(message, first):
    late = datetime.fromisoformat(message["time_utc"]) - first > timedelta(minutes=8)
    return late and message.get("satellite") in SILENT


def mirrored(said, runs_dir, look=lambda: None, *, every=200):
    """Mirror lines, with a checkpoint after every step; `look` is called every so many lines."""
    worth, checkpoints.WORTH = checkpoints.WORTH, 0

    def read(skip):
        for number, line in enumerate(said[skip:]):
            if number % every == 0:
                look()
            yield line

    try:
        return mirror(scenario(), read, runs_dir=runs_dir)
    finally:
        checkpoints.WORTH = worth


@contextmanager
def followed_to(said, runs_dir, *, share):
    """Follow a live run that stands at a share of its telemetry, and then goes on to its end."""
    ready, go = threading.Event(), threading.Event()
    reach = int(share * len(said))

    def look():
        if not ready.is_set() and next(reached) >= reach:
            ready.set()
            go.wait()

    every = 50
    reached = iter(range(0, len(said), every))
    making = threading.Thread(target=mirrored, args=(said, runs_dir, look), kwargs={"every": every})
    making.start()
    try:
        assert ready.wait(120)
        (run_id,) = growing(runs_dir)
        live = Followed(runs_dir, run_id)
        live._look()
        yield live
    finally:
        go.set()
        making.join()
