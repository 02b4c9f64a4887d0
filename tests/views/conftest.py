"""Read what a page is sent, by the format as documented, without the code that wrote it."""

import json
import struct

import live_runs
import numpy as np
import pytest

from agents.run import run_scenario
from twin.scenario import loader
from twin.views import replay, trace
from twin.world.world import World


@pytest.fixture(scope="session")
def unpack():
    """Header and arrays of a message."""
    return _unpack


def _unpack(message):
    (length,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + length])
    arrays = {
        entry["name"]: np.frombuffer(
            message,
            dtype=np.dtype(entry["type"]).newbyteorder("<"),
            count=entry["size"],
            offset=entry["offset"],
        )
        for entry in header["arrays"]
    }
    return header, arrays


@pytest.fixture(scope="session")
def replayed():
    """Frames of a run on disk."""

    def frames(run):
        world = World(run.scenario)
        return list(replay.frames(run, world, trace.plan(world)))

    return frames


@pytest.fixture(scope="session")
def head(run):
    world = World(run.scenario)
    return trace.head(world, trace.plan(world), run_id=run.manifest["run_id"])


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A short run with links that come and go, and three tokens a step to follow."""
    scenario = loader.load("small", ["simulation.record_tokens_per_step=3"])
    return run_scenario(scenario, runs_dir=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def shown(run, replayed):
    return replayed(run)


@pytest.fixture(scope="session")
def live_lines():
    """Telemetry of a small flight of which two satellites fall silent."""
    return live_runs.telemetry()


@pytest.fixture(scope="session")
def live_run(live_lines, tmp_path_factory):
    """The run that their mirror makes."""
    return live_runs.mirrored(live_lines, tmp_path_factory.mktemp("live"))
