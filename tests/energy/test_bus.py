"""Bus profiles and the scenario's own figures."""

from dataclasses import fields

import pytest
from pydantic import ValidationError

from twin.energy.bus import BUS_PROFILES, BusProfile, profile
from twin.errors import InputError
from twin.scenario.spacecraft import Bus

TOTALS_W = {
    "sbc": (18.0, 25.0, 96.0),
    "sbc-oct": (250.0, 257.0, 728.0),
    "v2mini": (3000.0, 11_000.0, 25_000.0),
    "suncatcher": (1500.0, 5000.0, 7300.0),
}


@pytest.mark.parametrize("name", BUS_PROFILES)
def test_profiles_make_sense(name):
    entry = profile(Bus(profile=name))
    assert entry == BUS_PROFILES[name]
    assert entry.name == name
    assert (entry.idle_w, entry.peak_w, entry.array_w) == TOTALS_W[name]
    assert 0.15 < entry.array_efficiency < 0.35
    assert entry.battery_j == 3600.0 * entry.battery_wh > 0.0
    assert (entry.eta_charge, entry.eta_discharge, entry.dod_soft_limit) == (0.95, 0.95, 0.30)
    assert 0.0 <= entry.brownout_soc < entry.recovery_soc < entry.reserve_soc
    assert entry.throttle_k - entry.throttle_c == pytest.approx(273.15)


@pytest.mark.parametrize("name", ["sbc-oct", "v2mini", "suncatcher"])
def test_optical_terminals_draw_50_to_60_w_each(name):
    assert 50.0 <= BUS_PROFILES[name].terminal_w <= 60.0


def test_every_figure_of_a_profile_can_be_given():
    base = BUS_PROFILES["v2mini"]
    for field in fields(BusProfile):
        if field.name in ("name", "array_m2"):
            continue
        value = getattr(base, field.name)
        other = "one-axis" if field.name == "pointing" else value * 0.99
        assert other != value
        entry = profile(Bus(profile="v2mini", **{field.name: other}))
        assert getattr(entry, field.name) == other
        same = [f.name for f in fields(BusProfile) if f.name != field.name]
        assert [getattr(entry, f) for f in same] == [getattr(base, f) for f in same]


def test_the_array_may_be_given_by_area_and_efficiency():
    entry = profile(Bus(profile="sbc", array_m2=2.0, array_efficiency=0.30))
    assert entry.array_w == pytest.approx(816.6)
    wider = profile(Bus(profile="sbc", array_m2=0.72))
    assert wider.array_w == pytest.approx(2 * 96.0)
    assert wider.array_efficiency == pytest.approx(BUS_PROFILES["sbc"].array_efficiency)


def test_totals_replace_the_profile_s():
    entry = profile(Bus(profile="sbc", array_w=1.0, battery_wh=2.0, idle_w=0.0, peak_w=4.0))
    assert (entry.array_w, entry.battery_wh, entry.idle_w, entry.peak_w) == (1.0, 2.0, 0.0, 4.0)
    assert profile(Bus(profile="sbc", peak_w=30.0)).idle_w == BUS_PROFILES["sbc"].idle_w
    halved = profile(Bus(profile="sbc-oct", idle_w=125.0))
    assert halved.peak_w == pytest.approx(257.0)
    assert (halved.platform_w, halved.terminal_w, halved.compute_idle_w) == (6.5, 29.0, 2.5)


def test_parts_of_the_load_add_up():
    entry = profile(Bus(platform_w=100.0, terminal_w=50.0))
    assert entry.idle_w == 100.0 + 4 * 50.0 + 5.0
    assert entry.peak_w == entry.idle_w + 7.0


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ({"profile": "cubesat"}, r"bus\.profile: unknown bus profile 'cubesat'; known: sbc,"),
        ({"idle_w": 300.0}, r"bus\.idle_w: .*peak_w \(257 W\), not 300 W"),
        ({"idle_w": 30.0, "platform_w": 5.0}, r"bus\.idle_w: .*got idle_w, platform_w"),
        ({"array_w": 30.0, "array_m2": 5.0}, r"bus\.array_w: .*not both .*30 W"),
        ({"compute_idle_w": 13.0}, r"bus\.compute_idle_w: must not exceed .*\(12\), not 13"),
        (
            {"brownout_soc": 0.2},
            r"bus\.brownout_soc: .* below recovery_soc \(0\.2\), not 0\.2",
        ),
        ({"dod_soft_limit": 0.97}, r"bus\.brownout_soc: must be below reserve_soc \(0\.03\)"),
        ({"throttle_c": 50.0}, r"bus\.resume_c: must be below throttle_c \(50\), not 60"),
    ],
)
def test_contradictions_are_refused_in_one_line(figures, message):
    with pytest.raises(InputError, match=message) as caught:
        profile(Bus(**figures))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "figures",
    [
        {"eta_charge": 0.0},
        {"eta_discharge": 1.1},
        {"array_efficiency": 1.5},
        {"brownout_soc": -0.1},
        {"throttle_c": -300.0},
        {"radiator_m2": 0.0},
        {"pointing": "ram"},
        {"cells": 4},
    ],
)
def test_impossible_figures_are_refused(figures):
    with pytest.raises(ValidationError, match=next(iter(figures))):
        Bus(**figures)
