"""Satellites that decide: their rules, and subclasses with decisions of their own."""

import numpy as np
import pytest

from agents.model import TwinModel
from agents.rules.view import OwnDecision
from agents.run import run_scenario
from agents.satellite import Satellite
from twin.errors import InputError
from twin.runs.replay import snapshots
from twin.scenario import loader
from twin.vocabulary import LinkState

GUARDIAN = {"satellites.rule": "guardian"}
DARK = {
    "simulation.steps": 300,
    "bus.battery_wh": 2500.0,
    "bus.initial_soc": 0.9,
    "controller.policy": "static",
}


def study(**more):
    return loader.load("eclipse-study", DARK | more)


@pytest.fixture(scope="module")
def both():
    """Rows and final state of the same hours under the two rules."""
    found = {}
    for rule in ("reserve", "guardian"):
        model = TwinModel(study(**{"satellites.rule": rule}))
        rows, kinds = [], []
        while model.running:
            model.step()
            rows.append(model.row)
            kinds += model.log.columns(0.0)["kind"]
        found[rule] = model, rows, kinds
    return found


def test_a_guardian_spares_batteries_and_hands_experts_over_before_the_dark(both):
    drawn = {rule: sum(row["drawn_j"] for row in rows) for rule, (_, rows, _) in both.items()}
    assert drawn["guardian"] < drawn["reserve"]
    charge = {rule: rows[-1]["soc_mean"] for rule, (_, rows, _) in both.items()}
    assert charge["guardian"] > charge["reserve"]
    kinds = both["guardian"][2]
    assert kinds.count("terminals-off") > 100
    assert kinds.count("take-over") > 0
    assert kinds.count("migration-end") > 0
    assert not {"terminals-off", "take-over", "migration-end"} & set(both["reserve"][2])
    moved = both["guardian"][0].controller.placement.expert
    assert (moved != both["reserve"][0].controller.placement.expert).any()
    # The limits of placement hold: one expert a satellite, none on a gateway.
    fleet = both["guardian"][0].fleet
    assert fleet.experts.max() == 1
    assert not (fleet.gateway & (fleet.experts > 0)).any()
    # The gateways stay: only the controller moves these.
    np.testing.assert_array_equal(
        both["guardian"][0].controller.placement.gateway,
        both["reserve"][0].controller.placement.gateway,
    )


def test_terminals_are_off_in_shadow_only_and_where_nothing_needs_them(both):
    model = both["guardian"][0]
    off = ~model.fleet.rule.terminals_on
    assert off.any()
    assert not (off & model.fleet.hosting).any()
    assert (model.fleet.sunlit[off] <= 0.0).all()
    model = TwinModel(study(**GUARDIAN))
    for _ in range(200):
        model.step()
    off = ~model.fleet.rule.terminals_on
    model.step() if model.running else None
    assert (model.fleet.degree[off] == 0).all()


def test_a_run_under_guardian_is_replayed_link_by_link(tmp_path):
    seen = []
    run = run_scenario(
        study(**GUARDIAN | {"simulation.steps": 120}),
        runs_dir=tmp_path,
        watch=lambda model: seen.append(model.snapshot.link_state.copy()),
    )
    again = [snapshot.link_state for snapshot, _ in snapshots(run)]
    np.testing.assert_array_equal(again, seen)
    assert (np.stack(seen) == LinkState.POWER).any()


class Shy(Satellite):
    """Computes at half speed in shadow, and lets the rule decide all else."""

    def decide(self, view):
        return OwnDecision(speed=0.5) if view.sunlit < 0.5 else None


def test_a_subclass_decides_for_itself():
    model = TwinModel(loader.load("small"), satellite=Shy)
    plain = TwinModel(loader.load("small"))
    for _ in range(20):
        model.step()
        plain.step()
    dark = model.fleet.sunlit < 0.5
    assert dark.any()
    np.testing.assert_array_equal(model.fleet.rule.speed[dark], 0.5)
    np.testing.assert_array_equal(model.fleet.rule.speed[~dark], plain.fleet.rule.speed[~dark])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"satellites.rule": "brave"}, "unknown satellite rule 'brave'; known: reserve, guardian"),
        ({"satellites.params": {"lead_s": 5.0}}, "has no parameter 'lead_s'"),
    ],
)
def test_unknown_rules_and_parameters_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        TwinModel(loader.load("small", changes))


def test_a_gateway_that_is_up_but_stands_still_serves_nothing():
    model = TwinModel(loader.load("small", ["workload.retries=0"]))
    model.step()
    gateway = int(model.controller.placement.gateway[2])
    model.fleet.rule.speed[gateway] = 0.0
    model.step()
    assert model.fleet.up[gateway]
    assert model.row["tokens_served"] == 0
    assert model.row["lost_refused"] == model.config.workload.tokens_per_step
