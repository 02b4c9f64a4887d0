import itertools

import numpy as np
import pytest

from agents.model import TwinModel
from placement.strategies.table import STRATEGIES
from twin.errors import InputError
from twin.network.routing import path
from twin.scenario import loader
from twin.serving.hops import trace
from twin.study.evaluate import evaluate
from twin.vocabulary import LinkState


def model(*overrides: str, preset: str = "small") -> TwinModel:
    return TwinModel(loader.load(preset, overrides))


@pytest.fixture(scope="module")
def finished() -> TwinModel:
    twin = model("placement.strategy=rand-intra")
    twin.run()
    return twin


def test_runs_every_step_and_stops(finished):
    assert finished.steps == 60
    frame = finished.datacollector.get_model_vars_dataframe()
    assert len(frame) == 60
    assert frame["latency_mean_s"].notna().all()


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name != "exact"])
def test_every_strategy_runs(strategy):
    twin = model(f"placement.strategy={strategy}", "simulation.steps=2")
    twin.run()
    assert np.isfinite(twin.row["latency_mean_s"])


def test_sampled_tokens_agree_with_the_exact_expectation():
    twin = model("workload.tokens_per_step=4000", "simulation.steps=5")
    while twin.running:
        twin.step()
        total_s = twin.served.latency.total_s
        error = total_s.std() / np.sqrt(len(total_s))
        assert abs(total_s.mean() - twin.row["expected_latency_s"]) < 4.5 * error


def test_the_study_evaluator_sees_what_the_twin_sees():
    scenario = loader.load("small", ["placement.strategy=rand-intra"])
    twin = TwinModel(scenario)
    expected = []
    while twin.running:
        twin.step()
        expected.append(twin.row["expected_latency_s"])
    evaluation = evaluate({"it": scenario}, replicate=0)["it"]
    np.testing.assert_allclose(evaluation.latency_s, expected, rtol=1e-12)


def test_tokens_take_the_shortest_paths_and_arrive_when_their_latency_says(finished):
    twin = finished
    choices = twin.served.columns[twin.served.served]
    hops = trace(
        twin.delay_s,
        twin.predecessor,
        twin.hosts,
        choices,
        twin.compute,
        twin.inference.transfer_s,
    )
    placement = twin.controller.placement
    layers = len(placement.gateway)
    for token, total_s in enumerate(twin.served.latency.total_s):
        rows = slice(hops.offset[token], hops.offset[token + 1])
        source, target = hops.source[rows], hops.target[rows]
        layer, rank = hops.layer[rows], hops.rank[rows]
        assert hops.end_s[rows].max() == pytest.approx(total_s, rel=1e-12)
        for at in range(layers):
            for k in range(2):
                host = placement.expert[at, choices[token, at, k]]
                out = path(twin.predecessor[at], host)
                back = path(twin.predecessor[(at + 1) % layers], host)[::-1]
                expected = {*itertools.pairwise(out), *itertools.pairwise(back)}
                here = (layer == at) & (rank == k)
                assert (
                    set(zip(source[here].tolist(), target[here].tolist(), strict=True)) == expected
                )


def test_same_seed_same_run_and_another_seed_another_run():
    def latencies(seed):
        twin = model("simulation.steps=8", f"simulation.seed={seed}")
        twin.run()
        return twin.datacollector.get_model_vars_dataframe()["latency_mean_s"].to_numpy()

    np.testing.assert_array_equal(latencies(5), latencies(5))
    assert (latencies(5) != latencies(6)).any()


def test_strategies_meet_the_same_outages_and_tokens():
    a, b = (
        model("simulation.steps=3", f"placement.strategy={s}") for s in ("rand-place", "space-xnet")
    )
    while a.running:
        a.step()
        b.step()
        np.testing.assert_array_equal(a.snapshot.link_state, b.snapshot.link_state)
        fresh = [m.served.columns[-m.served.asked :] for m in (a, b)]
        np.testing.assert_array_equal(*fresh)


def test_periodic_policy_replans_and_pays_for_it():
    twin = model(
        "controller.policy=periodic",
        "controller.params={every_steps = 10}",
        "controller.horizon_steps=10",
        "placement.planning_snapshots=3",
    )
    moved, replans = 0.0, []
    while twin.running:
        version = twin.controller.version
        twin.step()
        moved += twin.row["migrated_bytes"]
        if twin.controller.version > version >= 0:
            replans.append(twin.snapshot.step)
    assert replans
    # What has moved within a step serves from the next one on.
    assert {step % 10 for step in replans} <= {0, 1}
    assert moved >= len(replans) * twin.inference.card.expert_bytes("fp16")


def test_threshold_policy_replans_only_when_the_topology_makes_it_worth():
    calm = model(
        "controller.policy=threshold",
        "outages.model=none",
        "controller.params={relative_increase = 5.0}",
    )
    calm.run()
    assert calm.controller.version == 0
    rough = model(
        "controller.policy=threshold",
        "outages.availability=0.7",
        "controller.params={relative_increase = 0.05}",
        "placement.planning_snapshots=2",
    )
    rough.run()
    assert rough.controller.version > 0


def test_lost_tokens_are_counted_and_never_averaged():
    twin = model("outages.availability=0.3", "outages.model=iid", "simulation.steps=20")
    lost = 0
    while twin.running:
        twin.step()
        served = int(twin.served.served.sum())
        lost += twin.row["tokens_lost"]
        assert twin.row["tokens_served"] == served
        if served:
            assert np.isfinite(twin.row["latency_mean_s"])
        else:
            assert np.isnan(twin.row["latency_mean_s"])
    assert lost > 0


def test_satellite_is_a_view_of_its_row(finished):
    twin = finished
    gateway = twin.satellites[int(twin.controller.placement.gateway[3])]
    assert gateway.is_gateway
    assert gateway.layer == 3
    assert gateway.soc == twin.fleet.energy.soc[gateway.row]
    host = twin.satellites[int(twin.controller.placement.expert[2, 1])]
    assert (2, 1) in host.experts
    assert host.degree == twin.fleet.degree[host.row]
    assert host.powered
    assert host.accepts_experts
    twin.fleet.rule.accepting[host.row] = False
    assert not host.accepts_experts
    twin.fleet.rule.accepting[host.row] = True
    assert len(twin.agents) == 48 + 3


def test_energy_goes_with_the_sun_and_the_work():
    dark = model("bus.initial_soc=0.75", "simulation.steps=30")
    kinds = set()
    while dark.running:
        dark.step()
        kinds |= set(dark.log.columns(0.0)["kind"])
    assert "soc-low" in kinds  # 30 % of discharge is the limit, which a pass through shadow crosses
    no_shadow = model("bus.eclipse=none", "bus.initial_soc=0.75", "simulation.steps=30")
    no_shadow.run()
    assert no_shadow.row["soc_min"] > 0.75
    assert dark.row["soc_min"] < no_shadow.row["soc_min"]


def test_unknown_names_are_told_with_what_is_known():
    with pytest.raises(InputError, match="unknown placement strategy 'best'; known: rand-place"):
        model("placement.strategy=best").step()
    with pytest.raises(InputError, match="policy 'periodic' has no parameter 'every'; it takes"):
        model("controller.policy=periodic", "controller.params={every = 3}")
    with pytest.raises(InputError, match="every_steps must be a number"):
        model("controller.policy=periodic", "controller.params={every_steps = 'often'}")


@pytest.fixture(scope="module")
def starved() -> list[dict]:
    """A day's worth of trouble in a few orbits: batteries that cannot carry the shadow."""
    twin = model(
        "simulation.orbits=3",
        "simulation.steps=240",
        "bus.profile=v2mini",
        "bus.battery_wh=1500",
        "workload.rate_per_s=0.3",
        "outages.model=none",
    )
    history = []
    while twin.running:
        powered, before = twin.fleet.energy.powered.copy(), twin.fleet.energy.soc.copy()
        twin.step()
        history.append(
            twin.row
            | {
                "before": powered,
                "soc_before": before,
                "soc": twin.fleet.energy.soc.copy(),
                "utilisation": twin.fleet.utilisation.copy(),
                "degree": twin.fleet.degree.copy(),
                "events": twin.log.columns(twin.row["t_s"]),
                "link_state": twin.snapshot.link_state.copy(),
                "edges": twin.world.skeleton.edges,
                "served": twin.served,
                "placement": twin.controller.placement,
                "speed": twin.fleet.rule.speed.copy(),
            }
        )
    return history


def test_shadow_takes_power_and_with_it_links_and_tokens(starved):
    kinds = {kind for row in starved for kind in row["events"]["kind"]}
    assert {"umbra-in", "umbra-out", "soc-low", "brown-out", "power-recovered"} <= kinds
    assert sum(row["lost_dead"] for row in starved) > 0
    assert sum(row["tokens_retried"] for row in starved) > 0
    for row in starved:
        dark = np.flatnonzero(~row["before"])
        assert (row["degree"][dark] == 0).all()
        touches = np.isin(row["edges"], dark).any(axis=1)
        assert (row["link_state"][touches] != LinkState.UP).all()


def test_no_token_is_served_by_a_dead_host(starved):
    for row in starved:
        assert (row["utilisation"][~row["before"]] == 0).all()
        served, placement = row["served"], row["placement"]
        choices = served.columns[served.served]
        hosts = placement.expert[np.arange(len(placement.gateway))[:, None], choices]
        assert row["before"][hosts].all()
        if len(choices):
            assert row["before"][placement.gateway].all()


def test_tokens_are_accounted_for(starved):
    asked = sum(row["tokens_asked"] for row in starved)
    served = sum(row["tokens_served"] for row in starved)
    lost = sum(row["tokens_lost"] for row in starved)
    last = starved[-1]["served"]
    waiting = len(last.cause) - last.served.sum() - last.lost.sum()
    assert asked == served + lost + waiting
    for row in starved:
        assert row["tokens_lost"] == sum(
            row[f"lost_{c}"] for c in ("dead", "unreachable", "refused", "unserved")
        )


def test_state_of_charge_stays_in_range_and_work_within_speed(starved):
    for before, row in zip([None, *starved], starved, strict=False):
        assert ((row["soc"] >= 0) & (row["soc"] <= 1)).all()
        limit = np.ones(48) if before is None else before["speed"]
        assert (row["utilisation"] <= limit + 1e-12).all()


def test_turning_the_shadow_off_removes_exactly_its_losses():
    lit = model(
        "simulation.orbits=3",
        "simulation.steps=240",
        "bus.profile=v2mini",
        "bus.battery_wh=1500",
        "bus.eclipse=none",
        "workload.rate_per_s=0.3",
        "outages.model=none",
    )
    while lit.running:
        lit.step()
        assert lit.row["tokens_lost"] == lit.row["tokens_retried"] == 0
        assert lit.row["compute_deficit_flop"] == 0


def test_shadow_events_carry_their_own_instants(starved):
    step_s = starved[1]["t_s"] - starved[0]["t_s"]
    inside = 0
    for row in starved:
        for kind, t_s in zip(row["events"]["kind"], row["events"]["t_s"], strict=True):
            if kind.startswith(("umbra", "penumbra")):
                assert -1e-6 <= t_s - row["t_s"] <= step_s + 1e-6
                inside += 0.01 < (t_s - row["t_s"]) / step_s < 0.99
    assert inside > 50


def test_the_controller_learns_late_and_keeps_a_plan_it_cannot_better():
    prompt, late = (
        model(
            "simulation.orbits=3",
            "simulation.steps=240",
            "bus.profile=v2mini",
            "bus.battery_wh=1500",
            "workload.rate_per_s=0.3",
            "outages.model=none",
            "controller.policy=threshold",
            "controller.params={hold_steps = 0}",
            "placement.planning_snapshots=1",
            f"controller.telemetry_delay_s={delay}",
        )
        for delay in (0.0, 600.0)
    )
    first = {}
    for twin in (prompt, late):
        while twin.running and twin not in first:
            twin.step()
            kinds = twin.log.columns(0.0)["kind"]
            if twin.snapshot.step and ("replan" in kinds or "replan-failed" in kinds):
                first[twin] = twin.snapshot.step
    step_s = prompt.world.step_s
    assert (first[late] - first[prompt]) * step_s == pytest.approx(600.0, abs=step_s)


def test_users_enter_through_the_satellite_that_serves_them():
    twin = model("ground.users=cities", "simulation.steps=30", "workload.tokens_per_step=200")
    unserved = 0
    while twin.running:
        twin.step()
        service = twin.ground.service
        site = twin.ground.agents[0]
        assert site.satellite is None or site.satellite == service.satellite[0]
        if np.isfinite(twin.row["ttft_p50_s"]):
            assert twin.row["ttft_p50_s"] > twin.row["latency_p50_s"]
        unserved += twin.row["lost_unserved"]
    assert unserved > 0  # 48 satellites leave gaps
    assert 0.5 < twin.row["ground_availability"] < 1.0
