"""The plant: its books balance, its sensors are as bad as they are said to be, and it repeats."""

import json
from datetime import datetime

import numpy as np
import pytest
from sgp4.api import SatrecArray

from twin.errors import InputError
from twin.live.plant import hidden, power
from twin.live.plant.emit import Truth, lines, paced
from twin.live.plant.flight import Flight, design_of
from twin.live.plant.hidden import Anomalies, Spread
from twin.live.plant.settings import settings
from twin.live.plant.telemetry import Telemetry
from twin.space import eclipse
from twin.space.frames import DAY_S, teme_to_gcrs, utc_jd
from twin.space.sun import sun_gcrs_km

EXACT = Spread(lost=0.0, late=0.0, gaps_a_day=0.0, soc_noise=0.0, soc_bias=0.0, power_noise=0.0)


def flight(scenario, seed=1, spread=EXACT, **anomalies):
    return Flight(scenario, spread=spread, anomalies=Anomalies(**anomalies), seed=seed)


def said(mine, seed=1):
    telemetry, truth = Telemetry(mine, seed=seed), Truth(mine)
    return [json.loads(line) for _, line in lines(mine, telemetry, truth)], truth, telemetry


def test_the_same_seed_flies_the_same(scenario):
    texts = []
    for seed in (3, 3, 4):
        mine = flight(scenario, seed, Spread(), lost_string=3)
        texts.append([line for _, line in lines(mine, Telemetry(mine, seed=seed))])
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


def test_light_is_that_of_the_shadows_cone(scenario):
    """Seconds in shadow over two hours against the twin's own eclipse, which shares no code."""
    mine = flight(scenario)
    chunks = [mine.fly() for _ in range(12)]
    t_s = np.arange(0.0, 7200.0, 10.0)
    r_km, _ = mine.orbits.states(t_s)
    lit = eclipse.illumination(r_km, sun_gcrs_km(mine.body.epoch_utc, t_s)[:, None])
    seen = np.concatenate([c.sunlit for c in chunks])
    dark = (lit < 0.5).mean(axis=0)
    assert dark.max() > 0.2
    assert np.abs((seen < 0.5).mean(axis=0) - dark).max() < 0.02


def test_orbits_are_those_of_sgp4(scenario):
    mine = flight(scenario)
    t_s = np.array([0.0, 5000.0])
    day, part = utc_jd(mine.body.epoch_utc)
    error, r_km, _ = SatrecArray(mine.orbits.satrecs).sgp4(np.full(2, day), part + t_s / DAY_S)
    assert not error.any()
    turned = np.einsum("tij,ntj->tni", teme_to_gcrs(mine.body.epoch_utc, t_s), r_km)
    np.testing.assert_allclose(mine.orbits.states(t_s)[0], turned, atol=1e-6)


def test_what_flows_in_is_what_the_charge_gains(scenario):
    """Charge by the messages' own currents, with the battery's efficiencies, over an hour."""
    mine = flight(scenario)
    design, n = mine.design, mine.body.size
    state, truth = mine.power, mine.hidden
    before = state.stored_j.copy()
    flown = np.zeros(n)
    sky_t = np.arange(0.0, 601.0, 10.0)
    sky = (*mine.orbits.states(sky_t), sun_gcrs_km(mine.body.epoch_utc, sky_t))
    constant = np.ones((10, n)), np.full((10, n), 0.3), np.full((10, n), 4.0)
    second = np.zeros((10, n), np.int64)
    body_k = state.body_k.copy()
    for s in range(60):  # the power of every second, from as many flights
        again = power.PowerState(
            stored_j=before.copy(), panel_k=np.full(n, power.PANEL_REFERENCE_K),
            body_k=body_k.copy(), powered=np.ones(n, bool),
        )  # fmt: skip
        out = power.fly(again, design, truth, sky, constant, second + s, 10.0)
        eta = np.where(out[1] > 0, design.eta_charge, 1 / design.eta_discharge)
        flown += (out[1] * eta).sum(axis=0)
    gained = again.stored_j - before
    # Efficiency follows the temperature a little: 3e-4 a kelvin.
    np.testing.assert_allclose(gained, flown, rtol=0.02, atol=300.0)


def test_cold_panels_give_more(scenario):
    mine = flight(scenario)
    chunks = [mine.fly() for _ in range(14)]
    lit, net = (np.concatenate([getattr(c, k) for c in chunks]) for k in ("sunlit", "power_w"))
    out_of_dark = (lit[:-1] < 0.01) & (lit[1:] > 0.99)
    rows = np.flatnonzero(out_of_dark.any(axis=0))
    first = np.array([net[1 + np.argmax(out_of_dark[:, i]), i] for i in rows])
    load = np.array([net[np.argmax(out_of_dark[:, i]), i] for i in rows])
    made = (first - load) / (mine.hidden.array[rows] * mine.design.array_w)
    assert 1.03 < np.median(made) < 1.35


def test_hidden_differences_are_as_wide_as_asked(scenario):
    found = hidden.draw(4_000, 10, 86_400.0, Spread(), Anomalies(silent=30, lost_string=40), seed=2)
    for values, width in ((found.capacity, 0.2), (found.array, 0.05), (found.load, 0.1)):
        assert np.abs(values - 1).max() <= width
        assert values.std() == pytest.approx(width / np.sqrt(3), rel=0.05)
    assert (np.isfinite(found.silent_s).sum(), np.isfinite(found.string_s).sum()) == (30, 40)
    assert not (np.isfinite(found.silent_s) & np.isfinite(found.string_s)).any()
    times = found.silent_s[np.isfinite(found.silent_s)]
    assert times.min() > 86_400 / 4
    assert times.max() < 86_400 * 3 / 4


def test_sensors_are_as_bad_as_they_are_said_to_be(scenario):
    clean = said(flight(scenario))[0]
    noisy = said(flight(scenario, spread=Spread(lost=0.0, late=0.0, gaps_a_day=0.0)))[0]
    by = {(m["satellite"], m["sequence"]): m for m in clean}
    pairs = [(m, by[m["satellite"], m["sequence"]]) for m in noisy]
    soc = np.array([a["soc"] - b["soc"] for a, b in pairs])
    watts = np.array(
        [a["bus_voltage_v"] * a["battery_current_a"] - b["bus_voltage_v"] * b["battery_current_a"]
         for a, b in pairs]
    )  # fmt: skip
    assert soc.std() == pytest.approx(np.hypot(0.02, 0.01), rel=0.1)
    assert watts.std() == pytest.approx(0.02 * design_of(scenario).array_w, rel=0.05)


def test_losses_gaps_and_silence(scenario):
    mine = flight(scenario, spread=Spread(gaps_a_day=0.0), silent=5)
    found, _, _ = said(mine)
    speaking = np.isinf(mine.hidden.silent_s)
    names = {mine.body.names[i] for i in np.flatnonzero(speaking)}
    kept = sum(m["satellite"] in names for m in found) / (150 * speaking.sum())
    assert kept == pytest.approx(0.95, abs=0.01)
    epoch = datetime.fromisoformat(mine.body.epoch_utc)
    for i in np.flatnonzero(~speaking):
        mine_s = [
            (datetime.fromisoformat(m["time_utc"]) - epoch).total_seconds()
            for m in found
            if m["satellite"] == mine.body.names[i]
        ]
        assert max(mine_s) <= mine.hidden.silent_s[i] + 1.0


def test_a_lost_string_costs_an_eighth_in_light(scenario):
    whole, less = flight(scenario), flight(scenario, lost_string=48)
    np.testing.assert_array_equal(whole.hidden.capacity, less.hidden.capacity)
    while whole.now_s < 0.9 * whole.length_s:
        one, other = whole.fly(), less.fly()
    both = (one.sunlit > 0.99) & (one.power_w > 50) & (other.power_w > 50)
    lost = (one.power_w - other.power_w)[both]
    made = (whole.hidden.array * whole.design.array_w * np.ones_like(one.power_w))[both]
    assert both.sum() > 5
    assert np.median(lost / made) == pytest.approx(1 / 8, abs=0.02)


def test_the_pace(monkeypatch):
    slept, now = [], [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])

    def sleep(s):
        slept.append(s)
        now[0] += s

    monkeypatch.setattr("time.sleep", sleep)
    assert list(paced(iter([(0.0, "a"), (60.0, "b"), (90.0, "c")]), 60.0)) == ["a", "b", "c"]
    assert slept == pytest.approx([1.0, 0.5])


@pytest.mark.parametrize("text", ["x=1", "lost", "lost=1.5", "strings=0", "silent=-1", "lost=nan"])
def test_settings_that_cannot_be_are_refused(text):
    with pytest.raises(InputError, match=f"--plant {text}: must be"):
        settings([text])


def test_settings():
    spread, anomalies = settings(["lost=0.1", "strings=6", "silent=3"])
    assert (spread.lost, spread.strings, anomalies.silent) == (0.1, 6, 3)
