"""A small live run for tests of the page: mirrored here, looked at in between."""

from twin.live.plant.emit import Truth, lines
from twin.live.plant.flight import Flight
from twin.live.plant.hidden import Anomalies, Spread
from twin.live.plant.telemetry import Telemetry
from twin.live.session import mirror
from twin.runs import checkpoints
from twin.scenario import loader

STEPS = 60
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
    """Lines of a flight of which two satellites fall silent."""
    flight = Flight(
        scenario(), spread=Spread(elements_every_s=0.0), anomalies=Anomalies(silent=2), seed=3
    )
    said = lines(flight, Telemetry(flight, seed=3), Truth(flight))
    return [line.encode() + b"\n" for _, line in said]


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
