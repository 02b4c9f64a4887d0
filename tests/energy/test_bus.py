"""Bus profiles and the scenario's own figures."""

import pytest

from twin.energy.bus import BUS_PROFILES, profile
from twin.errors import InputError
from twin.scenario.schema import Bus


@pytest.mark.parametrize("name", BUS_PROFILES)
def test_profiles_make_sense(name):
    entry = profile(Bus(profile=name))
    assert entry is not None
    assert entry == BUS_PROFILES[name]
    assert entry.name == name
    assert 0.0 <= entry.idle_w < entry.peak_w < entry.array_w
    assert entry.battery_j == 3600.0 * entry.battery_wh > 0.0
    assert (entry.eta_charge, entry.eta_discharge, entry.dod_soft_limit) == (0.95, 0.95, 0.30)


def test_every_figure_of_the_scenario_replaces_the_profile_s():
    entry = profile(Bus(profile="sbc", array_w=1.0, battery_wh=2.0, idle_w=0.0, peak_w=4.0))
    assert (entry.array_w, entry.battery_wh, entry.idle_w, entry.peak_w) == (1.0, 2.0, 0.0, 4.0)
    assert profile(Bus(profile="sbc", peak_w=30.0)).idle_w == BUS_PROFILES["sbc"].idle_w


def test_an_unknown_profile_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"bus\.profile: unknown 'cubesat'; known: sbc, sbc-oct"):
        profile(Bus(profile="cubesat"))


def test_more_idle_than_peak_is_refused():
    with pytest.raises(InputError, match=r"bus\.idle_w: .*peak_w \(257 W\), not 300 W"):
        profile(Bus(idle_w=300.0))
