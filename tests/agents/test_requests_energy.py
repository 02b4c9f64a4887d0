"""The energy of requests: they are charged what batteries gave, whatever becomes of them."""

import numpy as np
import pytest

from agents.model import TwinModel
from agents.request_rows import load_row, request_rows, unfinished_rows
from twin.scenario import loader

TROUBLED = {
    "simulation.orbits": None,
    "simulation.step_s": 20.0,
    "simulation.steps": 150,
    "serving.mode": "requests",
    "serving.chunk_tokens": 8,
    "compute.accounting": "full",
    "compute.gflops": 0.1,
    "compute.hub_every": 3,
    "compute.hub_gflops": 0.25,
    "requests.rate_per_s": 1.0,
    "requests.lengths": "lognormal",
    "requests.prompt_tokens": 20.0,
    "requests.output_tokens": 5.0,
    "requests.patience_s": 60.0,
    "workload.retries": 0,
    "links.rate_gbps": 0.0001,
    "links.bit_nj": 3e3,
    "faults.model": "exponential",
    "faults.availability": 0.9,
    "faults.mean_down_s": 100.0,
    "controller.policy": "on-event",
    "controller.params": {"events": "fault"},
}


@pytest.mark.parametrize("batching", ["continuous", "micro-batch"])
def test_requests_are_charged_what_batteries_gave_for_them(batching):
    model = TwinModel(loader.load("small", TROUBLED | {"serving.batching": batching}))
    energy, step_s = model.fleet.energy, model.world.step_s
    charged_j = unwanted_j = computed_j = sent_j = drawn_j = terminals_j = 0.0
    told = dict.fromkeys(("drawn_j", "idle_drawn_j", "network_drawn_j", "deficit_j"), 0.0)
    causes = set()
    while model.running:
        model.step()
        step = model.snapshot.step
        load = load_row(model, step, model.requested)
        ended = [request_rows(model, step, model.requested)]
        for rows in (*ended, *([] if model.running else [unfinished_rows(model)])):
            charged_j += rows["energy_j"].sum()
            causes |= set(rows["cause"])
        unwanted_j += load["unwanted_j"]
        sent_j += load["network_j"]
        computed_j += model.row["compute_j"]
        idle_w = energy.load_w(model.fleet.degree, np.zeros(model.fleet.size), np.ones(1))
        drawn_j += (energy.drawn_w - idle_w).sum() * step_s
        terminals_j += energy.bus.terminal_w * model.fleet.degree.sum() * step_s
        told = {name: total + model.row[name] for name, total in told.items()}
    assert causes >= {None, "dead", "impatient", "unfinished"}
    # Each of the four is a share that matters.
    for part in (charged_j, unwanted_j, sent_j, computed_j):
        assert part > 1e-3 * drawn_j
    assert load["under_way_j"] > 0.0
    assert charged_j + unwanted_j + load["under_way_j"] == pytest.approx(drawn_j, rel=1e-9)
    assert computed_j + sent_j == pytest.approx(drawn_j, rel=1e-9)
    # All that is drawn is for the network, for computing, or idle.
    assert told["deficit_j"] == 0.0
    assert terminals_j > 0.0
    assert told["network_drawn_j"] == pytest.approx(terminals_j + sent_j, rel=1e-9)
    bus, satellites = energy.bus, model.fleet.size * (step + 1)
    idle_j = (bus.platform_w + bus.compute_idle_w) * satellites * step_s
    assert told["idle_drawn_j"] == pytest.approx(idle_j, rel=1e-9)
    assert told["drawn_j"] == pytest.approx(idle_j + terminals_j + sent_j + computed_j, rel=1e-9)
