"""Runs that are exported."""

import pytest

from agents.run import run_scenario
from twin.scenario import loader

RUNS = {
    "plain": ["ground.users=cities"],
    "faults": [
        "faults.model=exponential", "faults.availability=0.8", "faults.mean_down_s=600",
        "placement.strategy=replicated",
    ],
    "brown-outs": ["bus.battery_wh=40", "bus.initial_soc=0.6"],
    "dark at first": ["bus.initial_soc=0.0"],
    "both, and a seam that changes": [
        "bus.battery_wh=40", "faults.model=exponential", "faults.availability=0.9",
        "links.seam=dynamic", "links.acquisition_s=10.0", "constellation.raan_spread_deg=180",
    ],
}  # fmt: skip


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return {
        name: run_scenario(
            loader.load("small", [*overrides, "simulation.record_satellites_every=3"]),
            runs_dir=folder,
        )
        for name, overrides in RUNS.items()
    }


@pytest.fixture(scope="session")
def plain(runs):
    return runs["plain"]
