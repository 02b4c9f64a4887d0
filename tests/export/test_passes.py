"""Passes over a place, as a user asks for them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import twin as api
from twin.export import passes as site
from twin.network.ground import look, sites
from twin.scenario import loader
from twin.scenario.ground import Site
from twin.space import constellation as constellations
from twin.space.frames import gcrs_to_itrs
from twin.space.propagation import propagate

HOURS = ["simulation.step_s=60", "simulation.steps=600"]


@pytest.fixture(scope="module")
def scenario():
    return loader.load("small", HOURS)


@pytest.mark.parametrize("limit_km", [None, 1600.0])
def test_passes_are_those_of_dense_sampling(scenario, limit_km):
    found = site.site_passes(scenario, "52.5,13.4", max_slant_km=limit_km)
    body = constellations.build(scenario)
    t_s = np.arange(5.0, 36_000.0, 10.0)
    r_km, _ = propagate(body, scenario.propagation.model, t_s)
    r_km = r_km @ np.swapaxes(gcrs_to_itrs(body.epoch_utc, t_s), -1, -2)
    here = Site(name="x", latitude_deg=52.5, longitude_deg=13.4)
    places = sites(scenario.ground.model_copy(update={"sites": (here,)}))
    sine, slant_km = (np.array(x)[:, 0] for x in zip(*(look(places, r) for r in r_km), strict=True))
    above = (sine >= np.sin(np.radians(25.0))) & (slant_km <= (limit_km or np.inf))
    seen = np.zeros(above.shape, bool)
    for j, rise_s, set_s in zip(found.satellite, found.rise_s, found.set_s, strict=True):
        seen[(rise_s <= t_s) & (t_s <= set_s), j] = True
    assert len(found.satellite) > 20
    assert (seen != above).sum() == 0
    elevation_deg = np.degrees(np.arcsin(sine))
    for j, top_s, top_deg in zip(found.satellite, found.top_s, found.elevation_deg, strict=True):
        row = int(np.argmin(np.abs(t_s - top_s)))
        # At most 5 s from a sample: 1.7 degrees at 7.3 km/s 1200 km overhead.
        assert top_deg == pytest.approx(elevation_deg[row, j], abs=1.8)
        assert top_deg > elevation_deg[[max(row - 2, 0), min(row + 2, len(t_s) - 1)], j].min()


def test_windows_of_time_leave_no_trace(scenario, monkeypatch):
    whole = site.site_passes(scenario, "Moscow")
    monkeypatch.setattr(site, "_SAMPLES", 1)
    cut = site.site_passes(scenario, "Moscow")
    np.testing.assert_array_equal(cut.satellite, whole.satellite)
    for name in ("rise_s", "top_s", "set_s", "elevation_deg", "slant_km"):
        np.testing.assert_allclose(getattr(cut, name), getattr(whole, name), atol=0.02)


def test_what_lies_outside_the_time_searched_is_not_known(scenario):
    columns = site.site_passes(scenario, "Moscow").columns
    for name in ("rise", "set"):
        unknown = [k for k, t_s in enumerate(columns[f"{name}_s"]) if t_s is None]
        assert unknown
        assert all(columns[f"{name}_utc"][k] is None for k in unknown)
        assert len(unknown) < 8
    assert None not in columns["top_s"]


def test_one_satellite_by_number_and_by_name(scenario):
    every = site.site_passes(scenario, "Moscow")
    for wanted in ("17", "P2S1"):
        mine = site.site_passes(scenario, "Moscow", satellite=wanted)
        assert set(mine.satellite) == {17}
        np.testing.assert_allclose(mine.rise_s, every.rise_s[every.satellite == 17], atol=1e-3)


def test_command_line(twin):
    arguments = [a for change in HOURS for a in ("--set", change)]
    code, out, err = twin(
        "passes", "small", "--site", "Moscow", *arguments, "--csv", "p.csv", "--json", "p.json"
    )
    assert code == 0, err
    data = json.loads(Path("p.json").read_text())
    rows = list(csv.DictReader(Path("p.csv").read_text().splitlines()))
    assert data["site"]["name"] == "Moscow"
    assert data["passes"].keys() == rows[0].keys()
    for name in ("rise_s", "set_s"):
        theirs = ["" if t is None else repr(t) for t in data["passes"][name]]
        assert [row[name] for row in rows] == theirs
    assert f"20 of {len(rows)} passes over Moscow" in out
    code, _, err = twin("passes", "small", "--site", "Atlantis")
    assert (code, len(err.strip().splitlines())) == (2, 1)


def test_of_a_run_in_python(plain):
    found = api.passes(plain, "London")
    assert found.from_s == 0.0
    assert found.to_s == pytest.approx(6565.3, abs=1)  # an orbit at 1200 km
    assert all(name.startswith("P") for name in found.names)
