"""A small constellation that is mirrored once for all tests."""

import pytest

from twin.live.plant.emit import Truth, lines
from twin.live.plant.flight import Flight
from twin.live.plant.hidden import Anomalies, Spread
from twin.live.plant.telemetry import Telemetry
from twin.live.session import mirror
from twin.scenario import loader

STEPS = 150
CHANGES = {
    "simulation.orbits": None,
    "simulation.step_s": 60.0,
    "simulation.steps": STEPS,
    "simulation.record_satellites_every": 5,
    "bus.battery_wh": 450.0,
    "workload.tokens_per_step": 4,
}


@pytest.fixture(scope="session")
def scenario():
    return loader.load("small", CHANGES)


@pytest.fixture(scope="session")
def flown(scenario, tmp_path_factory):
    """Lines of a flight, and the file of its truth."""
    flight = Flight(
        scenario,
        spread=Spread(elements_every_s=3600.0),
        anomalies=Anomalies(lost_string=2, silent=2),
        seed=5,
    )
    telemetry, truth = Telemetry(flight, seed=5), Truth(flight)
    said = [line.encode() + b"\n" for _, line in lines(flight, telemetry, truth)]
    file = tmp_path_factory.mktemp("truth") / "truth.npz"
    truth.write(file, telemetry)
    return said, file


@pytest.fixture(scope="session")
def live_run(scenario, flown, tmp_path_factory):
    said, _ = flown
    return mirror(scenario, lambda skip: said[skip:], runs_dir=tmp_path_factory.mktemp("runs"))
