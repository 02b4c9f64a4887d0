import dataclasses

import numpy as np
import pytest

from agents.model import TwinModel
from agents.run import run_scenario
from twin.scenario import loader
from twin.views import trace
from twin.views.block import FIGURES
from twin.views.live import Tap
from twin.views.load import LOAD
from twin.vocabulary import Cause


def recorded(run, name, size):
    return run.table("satellites")[name].to_numpy().reshape(-1, size)


def test_positions_and_light_are_those_the_model_saw(run, shown):
    size = len(shown[0].soc)
    for axis, name in enumerate(("x_km", "y_km", "z_km")):
        np.testing.assert_array_equal(
            np.stack([f.positions[:, axis] for f in shown]), recorded(run, name, size)
        )
    np.testing.assert_allclose(
        np.stack([f.sunlit for f in shown]), recorded(run, "sunlit", size), atol=1e-6
    )
    np.testing.assert_array_equal(np.stack([f.soc for f in shown]), recorded(run, "soc", size))


def test_links_are_those_the_model_counted(run, shown):
    up = np.stack([f.link_state == 0 for f in shown])
    np.testing.assert_array_equal(up.sum(axis=1), run.table("steps")["links_up"].to_numpy())


def test_every_hop_follows_a_link_that_is_up(shown, head, unpack):
    edges = unpack(head)[1]["edges"].reshape(-1, 2)
    number = {frozenset(edge): e for e, edge in enumerate(edges.tolist())}
    for frame in shown:
        ends = zip(frame.tokens["hop_source"], frame.tokens["hop_target"], strict=True)
        assert all(frame.link_state[number[frozenset(pair)]] == 0 for pair in ends)


def test_a_token_arrives_when_its_latency_is_over(shown):
    for frame in shown:
        tokens = frame.tokens
        for token, latency_s, cause in zip(
            tokens["token"], tokens["latency_s"], tokens["cause"], strict=True
        ):
            mine = tokens["hop_token"] == token
            if cause == Cause.NONE:
                assert tokens["hop_end_s"][mine].max() <= latency_s + 1e-5
                assert tokens["hop_end_s"][mine].max() > 0.8 * latency_s
            else:
                assert not mine.any()


def test_layers_add_up_to_the_mean_latency(run, shown):
    total_s = [(f.layer_propagation_s + f.layer_compute_s).sum() for f in shown]
    np.testing.assert_allclose(total_s, run.table("steps")["latency_mean_s"].to_numpy(), rtol=1e-9)


def test_quantiles_enclose_the_recorded_median(run, shown):
    median_s = run.table("steps")["latency_p50_s"].to_numpy()
    np.testing.assert_allclose([f.quantiles_s[10] for f in shown], median_s, rtol=1e-6)
    assert all((np.diff(f.quantiles_s) >= 0).all() for f in shown)


def test_charge_between_records_is_on_the_line_between_them(tmp_path, replayed):
    scenario = loader.load("small", ["simulation.record_satellites_every=7", "simulation.steps=20"])
    frames = replayed(run_scenario(scenario, runs_dir=tmp_path))
    soc = np.stack([f.soc for f in frames])
    np.testing.assert_allclose(soc[3], soc[0] + (soc[7] - soc[0]) * 3 / 7, rtol=1e-12)
    # Nothing is known beyond the last record.
    np.testing.assert_array_equal(soc[14:], np.broadcast_to(soc[14], (6, soc.shape[1])))


REQUESTS = [
    "simulation.steps=40",
    "serving.mode=requests",
    "requests.rate_per_s=0.05",
    "requests.prompt_tokens=32",
    "requests.output_tokens=8",
]
CASES = {
    "small": ("small", ["simulation.record_tokens_per_step=3"]),
    "faults and migration": (
        "small",
        [
            "faults.model=exponential",
            "faults.availability=0.9",
            "faults.mean_down_s=300",
            "controller.policy=on-event",
            'controller.params={events="fault"}',
            "simulation.steps=40",
        ],
    ),
    "brown-outs": (
        "small",
        ["bus.battery_wh=4.0", "bus.initial_soc=0.5", "simulation.steps=50"],
    ),
    "sites": ("small", ["ground.users=cities", "ground.minimum_elevation_deg=10.0"]),
    "acquisition and a dynamic seam": (
        "small",
        ["links.acquisition_s=60.0", "links.seam=dynamic", "links.seam_hold_s=200.0"],
    ),
    "thinned": ("small", ["simulation.steps=50"]),
    "requests": ("small", REQUESTS),
    "thinned requests": ("small", REQUESTS),
    "copies": ("small", [*REQUESTS, "placement.instances=2", "placement.strategy=joint"]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_running_model_and_its_record_show_the_same(case, tmp_path, replayed, monkeypatch):
    if case.startswith("thinned"):
        monkeypatch.setattr(trace, "MAX_FRAMES", 20)
    preset, overrides = CASES[case]
    scenario = loader.load(preset, ["simulation.record_satellites_every=1", *overrides])
    live = []
    run = run_scenario(
        scenario, runs_dir=tmp_path, watch=Tap(lambda model, plan: None, live.append)
    )
    frames = replayed(run)
    assert len(frames) == len(live) == trace.plan(TwinModel(scenario).world).frames
    for k, (mine, theirs) in enumerate(zip(frames, live, strict=True)):
        last = k == len(live) - 1
        assert trace.chunk([mine], first=k, last=last) == trace.chunk([theirs], first=k, last=last)
    if case == "faults and migration":
        kinds = {event["kind"] for frame in frames for event in frame.events}
        assert {"fault", "migration-end"} <= kinds
        assert any(frame.placement is not None for frame in frames[1:])
    if case == "brown-outs":
        assert max(frame.state.max() for frame in frames) == 4
    if case == "requests":
        served = sum(
            frame.figures[len(FIGURES) + list(LOAD).index("requests_served")] for frame in frames
        )
        assert served == run.table("requests")["cause"].null_count > 0
    if case == "copies":
        assert all(len(frame.copies["instance_running"]) == 2 for frame in frames)
        assert set(frames[0].placement["instance"]) == {0, 1}
    if case == "sites":
        assert dataclasses.asdict(frames[-1])["serving"].max() >= 0
