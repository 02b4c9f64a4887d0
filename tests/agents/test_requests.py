"""Requests on the twin: one alone against the closed form, steps, checkpoints, conservation."""

import copy

import numpy as np
import pytest

from agents.model import TwinModel
from twin.scenario import loader
from twin.serving.engine.draws import uniform
from twin.serving.engine.records import FREE, RUNNING
from twin.world import state as states

LONELY = {
    "serving.mode": "requests",
    "requests.prompt_tokens": 1.0,
    "requests.output_tokens": 1.0,
    "requests.rate_per_s": 0.002,
    "outages.model": "none",
    "links.acquisition_s": 0.0,
}
BUSY = {
    "serving.mode": "requests",
    "compute.accounting": "full",
    "requests.rate_per_s": 0.2,
    "requests.lengths": "lognormal",
    "requests.prompt_tokens": 20.0,
    "requests.output_tokens": 5.0,
    "serving.chunk_tokens": 8,
    "compute.gflops": 0.1,
}


def rows_of(model):
    """All requests that end in the steps that are left, times since the start of the run."""
    found = []
    while model.running:
        model.step()
        rows = model.requested.ended.copy()
        for name in ("asked_s", "came_s", "admitted_s", "first_s", "last_s"):
            rows[name] += model.snapshot.instant.t_s
        found.append(rows)
    return np.concatenate(found)


def choices(service, weight, number, layer):
    """Experts of a one-token request, by inverting the distribution once a choice."""
    seed, left, chosen = service.state.engine.core["seed"][0], weight.copy(), []
    for k in range(2):
        at = uniform(seed, number, 0, layer, k) * left.sum()
        chosen.append(int(np.searchsorted(np.cumsum(left), at, side="right")))
        left[chosen[-1]] = 0.0
    return chosen


def test_one_token_alone_takes_what_the_closed_form_says():
    """Chosen experts in parallel, shared hosts one after the other; 1e-9 s at any time of a day."""
    scenario = loader.load("paper", LONELY | {"simulation.orbits": 14.0, "simulation.steps": 1500})
    model = TwinModel(scenario)
    checked = 0
    while model.running:
        model.step()
        hosts, service = model.hosts, model.requests
        path_s, host = hosts.of_nearest(hosts.path_s), hosts.of_nearest(hosts.satellite)
        for row in model.requested.ended:
            if row["last_s"] > model.world.step_s or row["asked_s"] < 0:
                continue  # it met two topologies
            total_s = 0.0
            for layer, weight in enumerate(model.inference.probability):
                chosen = choices(service, weight, int(row["number"]), layer)
                sharing = [int((host[layer, chosen] == host[layer, e]).sum()) for e in chosen]
                total_s += (
                    path_s[layer, chosen] + np.array(sharing) * model.inference.expert_s
                ).max()
            assert row["last_s"] - row["asked_s"] == pytest.approx(total_s, rel=0, abs=1e-9)
            checked += 1
    assert checked > 50


def test_the_length_of_a_step_changes_nothing_while_the_topology_is_frozen():
    """A satellite that hosts all: nothing moves for it."""
    frozen = BUSY | {"placement.strategy": "single-satellite", "simulation.orbits": None}
    ends = []
    for step_s, steps in ((10.0, 60), (30.0, 20)):
        changes = frozen | {"simulation.step_s": step_s, "simulation.steps": steps}
        scenario = loader.load("small", changes)
        ends.append(np.sort(rows_of(TwinModel(scenario)), order="number"))
    one, other = ends
    assert len(one) > 20
    np.testing.assert_array_equal(one["number"], other["number"])
    np.testing.assert_allclose(one["last_s"], other["last_s"], rtol=0, atol=1e-9)


@pytest.fixture(scope="module")
def handed_over():
    """Requests from cities, slow links that break, gateways that fail, a controller that acts."""
    changes = BUSY | {
        "ground.users": "cities",
        "ground.minimum_elevation_deg": 10.0,
        "faults.model": "exponential",
        "faults.availability": 0.95,
        "faults.mean_down_s": 300.0,
        "links.rate_gbps": 0.0001,
        "controller.policy": "on-event",
        "controller.params": {"events": "fault"},
        "requests.rate_per_s": 0.5,
    }
    return loader.load("small", changes)


def test_a_copy_in_mid_flight_goes_on_alike_and_saves_alike(handed_over, tmp_path):
    model = TwinModel(handed_over)
    for _ in range(20):
        model.step()
    assert model.requested.running
    states.write(tmp_path / "state", model.state, note={})
    read = states.read(tmp_path / "state", type(model.state))
    assert states.equal(read, model.state)
    other = TwinModel(handed_over, state=states.copy(model.state))
    twin = copy.deepcopy(model)
    for _ in range(20):
        for each in (model, other, twin):
            each.step()
        assert states.equal(model.state, other.state)
        assert states.equal(model.state, twin.state)
        assert model.requested.ended.tobytes() == other.requested.ended.tobytes()


def test_requests_and_blocks_are_conserved(handed_over):
    model, ended, on_links = TwinModel(handed_over), 0, 0
    while model.running:
        model.step()
        ended += len(model.requested.ended)
        state = model.requests.state
        requests = state.engine.requests
        inside = requests["phase"] != FREE
        assert state.source.number == ended + inside.sum()
        instance = state.engine.instances[0]
        assert instance["all_blocks"] - instance["blocks"] == requests["blocks"][inside].sum()
        block = state.engine.core["block"][0]
        used = -(-requests["context"][requests["phase"] == RUNNING] // block)
        np.testing.assert_array_equal(used, requests["blocks"][requests["phase"] == RUNNING])
        busy_share = model.requested.busy_s / model.world.step_s / model.fleet.pace
        assert (busy_share <= 1 + 1e-9).all()
        link_share = model.requested.link_share
        assert (link_share >= -1e-9).all()
        assert (link_share <= 1 + 1e-9).all()
        on_links += (state.engine.jobs["hop"] < state.engine.jobs["last_hop"]).sum()
    assert ended > 500
    assert on_links > 0


@pytest.mark.parametrize(("chunk", "ttft_s"), [(16, 35.3), (128, 114.4)])
def test_chunks_of_a_prompt_follow_each_other_through_an_empty_ring(chunk, ttft_s):
    """1,155 tokens: worked out by others as about 35 s in chunks of 16, and 115 s of 128."""
    changes = {
        "outages.model": "none",
        "ground.users": None,
        "requests.arrivals": "poisson",
        "requests.rate_per_s": 0.02,
        "requests.lengths": "fixed",
        "requests.output_tokens": 1,
        "serving.chunk_tokens": chunk,
        "simulation.steps": 6,
        "simulation.orbits": None,
        "simulation.step_s": 60.0,
        "serving.max_running": 1,
    }
    rows = rows_of(TwinModel(loader.load("serving-study", changes)))
    assert len(rows) > 1
    alone_s = rows["first_s"] - rows["admitted_s"]
    assert alone_s == pytest.approx(ttft_s, rel=0.01)


def test_recorded_requests_are_seen_wherever_they_were_served():
    changes = BUSY | {"requests.record_every": 3, "compute.gflops": 1.0, "outages.model": "none"}
    changes |= {"simulation.steps": 10, "simulation.orbits": 0.05}
    model = TwinModel(loader.load("paper", changes))
    visits, ended, card = [], [], model.inference.card
    while model.running:
        model.step()
        start_s = model.snapshot.instant.t_s
        for rows, found, times in (
            (model.requested.visits, visits, ("came_s", "began_s", "ended_s")),
            (model.requested.ended, ended, ("asked_s", "first_s", "last_s")),
        ):
            rows = rows.copy()
            for name in times:
                rows[name] += start_s
            found.append(rows)
    visits, ended = np.concatenate(visits), np.concatenate(ended)
    assert not (visits["number"] % 3).any()
    assert (visits["came_s"] <= visits["began_s"]).all()
    assert (visits["began_s"] < visits["ended_s"]).all()
    checked = 0
    for request in ended[
        (ended["number"] % 3 == 0) & (ended["cause"] == 0) & (ended["tries"] == 0)
    ]:
        mine = visits[visits["number"] == request["number"]]
        heads, gateways = mine["layer"] == card.layers, mine["expert"] < 0
        assert heads.sum() == request["made"]
        assert mine["ended_s"][heads].max() == pytest.approx(request["last_s"], abs=1e-9)
        assert mine["ended_s"][heads].min() == pytest.approx(request["first_s"], abs=1e-9)
        passed = request["prompt"] + request["output"] - 1
        for layer in range(card.layers):
            here = mine["layer"] == layer
            assert mine["tokens"][here & gateways].sum() == passed
            # The chunks and tokens of one request keep their order.
            began = mine[here & gateways]
            assert (np.diff(began["first_token"][np.argsort(began["began_s"])]) >= 0).all()
        checked += 1
    assert checked > 5


def test_a_gateway_that_moves_brings_the_cache_of_the_requests_that_run():
    """The same plans with and without requests: what is carried more is whole caches of a layer."""
    changes = {
        "compute.board": "orin",
        "compute.accounting": "full",
        "placement.strategy": "rand-intra",
        "controller.policy": "periodic",
        "controller.params": {"every_steps": 5},
        "outages.model": "none",
        "links.acquisition_s": 0.0,
        "simulation.steps": 12,
        "simulation.orbits": None,
        "simulation.step_s": 30.0,
    }
    asked = {
        "serving.mode": "requests",
        "requests.rate_per_s": 1.0,
        "requests.prompt_tokens": 500,
        "requests.output_tokens": 100,
    }
    carried, cached = [], 0
    for more in ({}, asked):
        model = TwinModel(loader.load("paper", changes | more))
        moved = 0.0
        while model.running:
            model.step()
            moved += model.row["migrated_bytes"]
            if more:
                cached = max(cached, model.requested.cached_tokens)
        carried.append(moved)
    layer_bytes = cached * model.inference.card.kv_bytes_per_token_per_layer
    assert cached > 500
    assert 0 < carried[1] - carried[0] < 4 * model.inference.card.layers * layer_bytes
