import numpy as np
import pytest

from twin.scenario import loader
from twin.study.run import run_scenario
from twin.views import replay
from twin.views.replay import ReplayCancelledError, from_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    scenario = loader.load("small", ["simulation.record_tokens_per_step=3"])
    return run_scenario(scenario, runs_dir=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def shown(run):
    return from_run(run)


def recorded(run, name, size):
    return run.table("satellites")[name].to_numpy().reshape(-1, size)


def test_positions_and_light_are_those_the_model_saw(run, shown):
    size = shown.meta.n_satellites
    for axis, name in enumerate(("x_km", "y_km", "z_km")):
        np.testing.assert_allclose(
            shown.positions[..., axis], recorded(run, name, size), rtol=1e-6, atol=1e-3
        )
    np.testing.assert_allclose(shown.sunlit / 255, recorded(run, "sunlit", size), atol=0.5 / 255)
    np.testing.assert_allclose(shown.soc / 255, recorded(run, "soc", size), atol=0.5 / 255)


def test_links_are_those_the_model_counted(run, shown):
    up = np.unpackbits(shown.edge_up, axis=1, count=len(shown.edges), bitorder="little")
    np.testing.assert_array_equal(up.sum(axis=1), run.table("steps")["links_up"].to_numpy())
    degree = np.zeros((len(up), shown.meta.n_satellites), int)
    for end in shown.edges.T:
        for frame, links in enumerate(up):
            np.add.at(degree[frame], end, links)
    np.testing.assert_array_equal(degree, recorded(run, "degree", shown.meta.n_satellites))


def test_every_hop_follows_a_link_that_is_up(shown):
    up = np.unpackbits(shown.edge_up, axis=1, count=len(shown.edges), bitorder="little")
    number = {frozenset(edge): e for e, edge in enumerate(shown.edges.tolist())}
    hops = zip(shown.hop_step, shown.hop_source.tolist(), shown.hop_target.tolist(), strict=True)
    assert all(up[frame, number[frozenset(ends)]] for frame, *ends in hops)


def test_a_token_arrives_when_its_latency_is_over(run, shown):
    tokens = run.table("tokens").to_pylist()
    assert any(token["served"] for token in tokens)
    for token in tokens:
        mine = (shown.hop_step == token["step"]) & (shown.hop_token == token["token"])
        if token["served"]:
            assert shown.hop_end_s[mine].max() <= token["latency_s"] + 1e-5
            assert shown.hop_end_s[mine].max() > 0.8 * token["latency_s"]
        else:
            assert not mine.any()


def test_hops_are_sorted_by_frame_and_token(shown):
    order = np.lexsort((shown.hop_token, shown.hop_step))
    np.testing.assert_array_equal(order, np.arange(len(order)))


def test_roles_and_layers_are_those_of_the_placement(run, shown):
    for row in run.table("placements").to_pylist():
        role = shown.placement_role[0, row["satellite"]]
        if row["expert"] < 0:
            assert role == replay.GATEWAY
            assert shown.placement_layer[0, row["satellite"]] == row["layer"]
        else:
            assert role in (replay.EXPERT, replay.GATEWAY)
    hosts = set(run.table("placements")["satellite"].to_pylist())
    assert set(np.flatnonzero(shown.placement_role[0])) == hosts


def test_layers_add_up_to_the_mean_latency(shown):
    total_s = (shown.layer_propagation_s + shown.layer_compute_s).sum(axis=1)
    np.testing.assert_allclose(total_s, shown.latency_s, rtol=1e-9)


def test_earth_turns_once_a_sidereal_day(shown):
    turned = np.unwrap(shown.earth_rotation.astype(float))
    rate = (turned[-1] - turned[0]) / (shown.meta.step_s * (len(turned) - 1))
    assert rate == pytest.approx(7.292115e-5, rel=1e-4)


def test_noon_is_where_the_sun_is(shown):
    # At 00:00 UTC of an equinox the Sun is above 180 degrees of longitude, within the equation
    # of time (7.5 minutes, so 1.9 degrees, in March).
    sun = np.arctan2(shown.sun[0, 1], shown.sun[0, 0])
    longitude = np.degrees(sun - shown.earth_rotation[0]) % 360
    assert longitude == pytest.approx(180 + 1.9, abs=0.3)


def test_long_runs_are_thinned(run, shown, monkeypatch):
    monkeypatch.setattr(replay, "MAX_FRAMES", 25)
    thin = from_run(run)
    assert thin.meta.stride == 3
    assert len(thin.positions) == 20
    np.testing.assert_array_equal(thin.positions, shown.positions[::3])
    np.testing.assert_array_equal(thin.edge_up, shown.edge_up[::3])
    np.testing.assert_array_equal(thin.latency_s, shown.latency_s[::3])
    kept = shown.hop_step % 3 == 0
    np.testing.assert_array_equal(thin.hop_step, shown.hop_step[kept] // 3)
    np.testing.assert_array_equal(thin.hop_target, shown.hop_target[kept])


def test_many_hops_mean_fewer_tokens(run, shown, monkeypatch):
    monkeypatch.setattr(replay, "MAX_HOPS", len(shown.hop_step) * 7 // 10)
    few = from_run(run)
    assert few.meta.tokens_drawn == 2
    kept = shown.hop_token < 2
    np.testing.assert_array_equal(few.hop_start_s, shown.hop_start_s[kept])


def test_cancelling_stops_within_a_step(run):
    seen = []
    with pytest.raises(ReplayCancelledError):
        from_run(run, progress=lambda step, _: seen.append(step), cancelled=lambda: len(seen) == 3)
    assert seen == [1, 2, 3]


def test_charge_between_records_is_on_the_line_between_them(tmp_path):
    scenario = loader.load("small", ["simulation.record_satellites_every=7", "simulation.steps=20"])
    coarse = from_run(run_scenario(scenario, runs_dir=tmp_path))
    soc = coarse.soc.astype(float)
    np.testing.assert_allclose(soc[3], soc[0] + (soc[7] - soc[0]) * 3 / 7, atol=1.0)
    # Nothing is known beyond the last record.
    np.testing.assert_array_equal(soc[14:], np.broadcast_to(soc[14], (6, soc.shape[1])))
