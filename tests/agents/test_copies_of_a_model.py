import copy
import pickle

import mesa
import numpy as np
import pytest

from agents.model import TwinModel
from twin.scenario import loader
from twin.world import state as states

MOVING = [
    "simulation.steps=24",
    "controller.policy=on-event",
    "controller.horizon_steps=6",
    "faults.model=exponential",
    "workload.tokens_per_step=16",
]


def halfway(*overrides: str) -> TwinModel:
    model = TwinModel(loader.load("handover-study", [*MOVING, *overrides]))
    for _ in range(10):
        model.step()
    return model


@pytest.mark.parametrize("how", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_share_nothing_and_go_on_equal(how):
    model = halfway()
    model.recorder = print
    twin = how(model)
    assert twin.recorder is None
    assert states.equal(twin.state, model.state)
    model.recorder = None
    before = states.copy(model.state)
    twin.run_model()
    assert states.equal(before, model.state)
    model.run_model()
    assert states.equal(twin.state, model.state)
    assert twin.datacollector.model_vars == model.datacollector.model_vars


def test_mesas_conventions_hold():
    model = halfway()
    assert model.time == pytest.approx(10 * model.world.step_s)
    assert model.steps == 10
    lit = []
    satellites = model.agents.select(lambda a: hasattr(a, "sunlit"))
    satellites.do(lambda satellite: lit.append(satellite.sunlit))
    assert len(lit) == model.fleet.size
    model.run_model()
    assert not model.running
    table = model.datacollector.get_model_vars_dataframe()
    assert len(table) == 24


class Short(TwinModel):
    """As `batch_run` calls a model: with its parameters by name."""

    def __init__(self, *, availability, seed=0, rng=None):
        changes = {"outages.availability": availability, "simulation.seed": int(rng or seed)}
        super().__init__(loader.load("small", changes | {"simulation.steps": 3}))


def test_batch_run_takes_the_model():
    results = mesa.batch_run(
        Short,
        {"availability": [0.8, 1.0]},
        rng=[1],
        display_progress=False,
        data_collection_period=1,
    )
    up = {row["availability"]: row["links_up"] for row in results}
    assert up[0.8] < up[1.0]


def test_a_charge_that_is_set_from_outside_is_no_cycle():
    model = TwinModel(loader.load("small"))
    model.step()
    used, drawn = (model.fleet.energy.wear()[i].copy() for i in (1, 0))
    model.fleet.energy.soc[:5] = 0.5
    around = model.fleet.energy.soc.copy()
    model.step()
    wear = model.fleet.energy.wear()
    # What one step takes out of a battery, and not the half of it that was set.
    assert (wear.full_cycles - drawn)[:5].max() < 0.05
    assert (wear.life_used - used)[:5].max() < 1e-4
    assert np.abs(model.fleet.energy.soc - around).max() < 0.05


def test_a_removed_satellite_takes_links_compute_and_hosts_with_it():
    model = halfway("controller.telemetry_delay_s=60.0", "workload.retries=0")
    gateway = int(model.controller.placement.gateway[1])
    model.satellites[gateway].remove()
    assert model.satellites[gateway] not in model.agents
    model.step()
    assert model.log.columns(0.0)["kind"].count("satellite-lost") == 1
    assert model.fleet.degree[gateway] == 0
    assert model.fleet.speed[gateway] == 0
    assert model.row["tokens_served"] == 0
    # One in a hundred asks during a hand-over.
    assert model.row["lost_dead"] + model.row["lost_unserved"] == 16
    assert model.row["lost_dead"] >= 14
    # Telemetry brings it to the controller, which lays the layer elsewhere.
    model.run_model()
    assert gateway not in model.controller.placement.gateways
    assert model.row["tokens_served"] > 0
