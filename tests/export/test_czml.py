"""CZML of real runs, held against the tables that the runs recorded."""

import json

import numpy as np
import pytest
from czml3 import Document

from twin.errors import InputError
from twin.export import czml as export
from twin.export.czml import czml
from twin.scenario import loader
from twin.space import propagation
from twin.world.world import World

ONE_METRE_KM = 1e-3


def recorded_km(run):
    """Steps with a record, and positions then, (K, N, 3)."""
    table = run.table("satellites")
    step = np.unique(table["step"].to_numpy())
    r_km = np.stack([table[f"{axis}_km"].to_numpy() for axis in "xyz"], axis=1)
    return step, r_km.reshape(len(step), -1, 3)


def packets(text):
    return {packet["id"]: packet for packet in json.loads(text)}


def sampled(text, size):
    """Times in s, (T,), and positions in km, (T, N, 3), of a document's satellites."""
    found = packets(text)
    table = [
        np.reshape(found[f"satellite-{i}"]["position"]["cartesian"], (-1, 4)) for i in range(size)
    ]
    t_s, r_m = table[0][:, 0], np.stack([rows[:, 1:] for rows in table], axis=1)
    assert all(np.array_equal(rows[:, 0], t_s) for rows in table)
    return t_s, r_m / 1000


def lagrange(t_s, r_km, at_s, degree):
    """The polynomial through the samples around one time, at that time."""
    first = np.searchsorted(t_s, at_s) - (degree + 1) // 2
    first = np.clip(first, 0, max(len(t_s) - degree - 1, 0))
    t, r = t_s[first : first + degree + 1], r_km[first : first + degree + 1]
    basis = [
        np.prod([(at_s - t[j]) / (t[i] - t[j]) for j in range(len(t)) if j != i])
        for i in range(len(t))
    ]
    return np.tensordot(basis, r, axes=1)


def worst_km(run, text, at_s):
    """How far interpolated positions are from propagated ones, at the worst."""
    world = World(run.scenario)
    t_s, r_km = sampled(text, world.constellation.size)
    true_km, _ = propagation.propagate(world.constellation, run.scenario.propagation.model, at_s)
    found_km = np.stack([lagrange(t_s, r_km, t, export.DEGREE) for t in at_s])
    return np.linalg.norm(found_km - true_km, axis=-1).max()


def test_czml_is_a_document_with_the_clock_of_the_run(plain):
    text = czml(plain)
    document = Document.model_validate_json(text)
    assert document.packets[0].version == "1.0"
    clock = packets(text)["document"]["clock"]
    assert clock["interval"] == "2026-03-20T00:00:00.000000Z/2026-03-20T01:49:25.301Z"
    assert clock["currentTime"] == "2026-03-20T00:00:00.000000Z"
    assert clock["multiplier"] == pytest.approx(6565.301 / 60)
    assert len(document.packets) == 1 + 48 + 50


def test_positions_are_those_the_run_recorded(plain):
    found = packets(czml(plain))
    assert {found[f"satellite-{i}"]["position"]["referenceFrame"] for i in range(48)} == {
        "INERTIAL"
    }
    t_s, r_km = sampled(czml(plain), 48)
    np.testing.assert_allclose(t_s, np.arange(61) * World(plain.scenario).step_s, atol=1e-6)
    step, expected_km = recorded_km(plain)
    assert len(step) == 20
    assert np.linalg.norm(r_km[step] - expected_km, axis=-1).max() < ONE_METRE_KM


def test_between_samples_cesium_finds_the_orbit(plain):
    text = czml(plain)
    position = packets(text)["satellite-7"]["position"]
    assert position["interpolationAlgorithm"] == "LAGRANGE"
    assert position["interpolationDegree"] == export.DEGREE
    half_s = (np.arange(60) + 0.5) * World(plain.scenario).step_s
    assert worst_km(plain, text, half_s) < ONE_METRE_KM


def test_the_coarsest_sampling_of_a_long_run_still_follows_the_orbit(plain):
    world = World(plain.scenario)
    text = czml(plain, every_s=world.period_s / export.SAMPLES_PER_ORBIT)
    t_s, _ = sampled(text, 48)
    np.testing.assert_allclose(np.diff(t_s), 4 * world.step_s, atol=1e-5)
    assert worst_km(plain, text, np.linspace(0, t_s[-1], 200)) < 0.1


@pytest.mark.parametrize(
    ("steps", "orbits", "samples"),
    [(60, 1.0, 61), (400, 1.0, 201), (401, 1.0, 135), (5, 1.0, 6), (2400, 40.0, 601)],
)
def test_long_runs_are_thinned_but_not_below_what_an_orbit_needs(steps, orbits, samples):
    overrides = [f"simulation.steps={steps}", f"simulation.orbits={orbits}"]
    world = World(loader.load("small", overrides))
    t_s = export._sample_times_s(world, None)
    assert len(t_s) == samples
    assert t_s[0] == 0
    assert t_s[-1] == steps * world.step_s
    assert np.all(np.diff(t_s) > 0)


@pytest.mark.parametrize(("in_steps", "samples"), [(0.1, 61), (3, 21), (3.9, 21), (1e9, 2)])
def test_the_caller_may_set_the_sampling(plain, in_steps, samples):
    world = World(plain.scenario)
    assert len(export._sample_times_s(world, in_steps * world.step_s)) == samples


@pytest.mark.parametrize("every_s", [0.0, -3.0, float("nan")])
def test_no_sampling_backwards(plain, every_s):
    with pytest.raises(InputError, match="must be above 0 s"):
        czml(plain, every_s=every_s)


@pytest.mark.parametrize("name", ["plain", "faults"])
def test_colour_and_description_tell_the_first_placement(runs, name):
    found = packets(czml(runs[name]))
    rows = [r for r in runs[name].table("placements").to_pylist() if r["placement"] == 0]
    gateways = {r["satellite"]: r["layer"] for r in rows if r["expert"] < 0 and r["copy"] == 0}
    standby = {r["satellite"] for r in rows if r["expert"] < 0 and r["copy"] > 0}
    experts = {r["satellite"] for r in rows if r["expert"] >= 0}
    assert gateways
    assert bool(standby) == (name == "faults")
    for i in range(48):
        packet = found[f"satellite-{i}"]
        colour = packet["point"]["color"]["rgba"]
        place, hosted = packet["description"].split("<br>")
        assert packet["name"] == f"P{i // 8}S{i % 8}"
        assert packet["path"]["width"] == 1
        assert place == f"plane {i // 8}, slot {i % 8}"
        if i in gateways:
            assert hosted.startswith(f"layer {gateways[i]}: gateway")
        if i in gateways or i in standby:
            assert colour == export.GATEWAY_RGBA
        elif i in experts:
            count = sum(r["satellite"] == i and r["expert"] >= 0 for r in rows)
            assert f": {count} expert" in hosted
            assert colour == export.EXPERT_RGBA
        else:
            assert (colour, hosted) == (export.IDLE_RGBA, "hosts nothing")


def test_sites_stand_on_the_ground(plain):
    sites = [p for p in packets(czml(plain)).values() if p["id"].startswith("site-")]
    assert len({site["name"] for site in sites}) == 50
    assert all("referenceFrame" not in site["position"] for site in sites)  # Earth-fixed
    tokyo = next(site for site in sites if site["name"] == "Tokyo")
    x, y, z = tokyo["position"]["cartesian"]
    assert np.degrees(np.arctan2(y, x)) == pytest.approx(139.7, abs=0.3)
    assert np.hypot(np.hypot(x, y), z) == pytest.approx(6_371_000, abs=10_000)
