"""Nothing is accepted that cannot be computed: bounds of fields, of products, and of plain data."""

import datetime
import time

import numpy as np
import pytest

from twin.errors import InputError
from twin.moe.inference import inference
from twin.plugins.choices import check, load_scenario, schema
from twin.scenario import loader, plain
from twin.world.world import World

WALKER = {
    "kind": "walker",
    "planes": 4,
    "satellites_per_plane": 8,
    "altitude_km": 1200.0,
    "inclination_deg": 60.0,
}
JOINT = {"placement.strategy": "joint"}


def fields():
    """Every number and list of the schema, by table and key."""
    for table, node in schema()["$defs"].items():
        for key, found in node["properties"].items():
            for one in (found, *found.get("anyOf", [])):
                if one.get("type") in ("number", "integer", "array"):
                    yield pytest.param(one, id=f"{table}.{key}")


@pytest.mark.parametrize("node", list(fields()))
def test_every_field_has_bounds(node):
    if node["type"] == "array":
        assert "maxItems" in node
    elif node["type"] in ("number", "integer"):
        assert {"minimum", "exclusiveMinimum"} & node.keys()
        assert {"maximum", "exclusiveMaximum"} & node.keys()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"simulation.start_utc": "0001-01-01T00:00:00+14:00"},
            "simulation.start_utc: must be an ISO 8601 date and time, e.g. 2026-03-20T00:00:00Z "
            "(got '0001-01-01T00:00:00+14:00')",
        ),
        (
            {"simulation.start_utc": "0001-01-01"},
            "simulation.start_utc: must be from 1900 to 2099 (got '0001-01-01')",
        ),
        ({"simulation.start_utc": "9999-12-31T23:59:59-14:00"}, "simulation.start_utc: must be an"),
        ({"simulation.start_utc": "2100-01-01"}, "simulation.start_utc: must be from 1900 to 2099"),
        (
            {"simulation.step_s": 1e9, "simulation.orbits": None},
            "simulation.step_s: input should be less than or equal to 100000 (got 1000000000.0)",
        ),
        ({"controller.telemetry_delay_s": 1e100}, "controller.telemetry_delay_s: input should be"),
        ({"compute.gflops": 5e-324}, "compute.gflops: input should be greater than or equal to"),
        ({"simulation.orbits": 1e5, "simulation.steps": 1}, "simulation.orbits: 100000 orbits in"),
        ({"simulation.seed": 2**63}, "simulation.seed: must be an integer of 64 bits (got 922"),
        ({"simulation.seed": 10**5000}, "must be an integer of 64 bits (got an integer of 16610 b"),
        ({"description": "x" * 20_000}, "description: 20,000 characters are more than the 10,000"),
        ({"name": "x" * 101}, "name: string should have at most 100 characters"),
        ({"placement.params": {"refine": float("nan")}}, "refine must be a finite number"),
        ({"placement.params": {"refine": datetime.date(2026, 1, 1)}}, "refine must be a number, a"),
        ({"placement.params": {"x": [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}}, "nested deeper than 16"),
    ],
)
def test_values_out_of_bounds_are_refused_by_name(changes, said):
    with pytest.raises(InputError) as caught:
        loader.load("small", changes)
    assert str(caught.value).startswith("preset small: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"constellation.planes": 1000, "constellation.satellites_per_plane": 1000},
            "constellation.planes: 1,000,000 satellites are more than the 30,000 allowed",
        ),
        (
            {
                "constellation.planes": 100,
                "constellation.satellites_per_plane": 100,
                "propagation.chunk_steps": 10_000,
                "simulation.steps": 10_000,
            },
            "propagation.chunk_steps: 100,000,000 positions held at a time are more than the 30,",
        ),
        (
            {
                "constellation.planes": 100,
                "placement.planning_snapshots": 100_000,
                "simulation.steps": 100_000,
            },
            "placement.planning_snapshots: 80,000,000 positions planned on are more than the 30,",
        ),
        (
            {"controller.telemetry_delay_s": 1e9, "simulation.steps": 1_000_000},
            "controller.telemetry_delay_s: 32,000,000 reports of satellites kept are more than",
        ),
        (
            {
                "simulation.steps": 1_000_000,
                "simulation.record_satellites_every": 1000,
                "simulation.record_tokens_per_step": 1000,
            },
            "simulation.record_tokens_per_step: 64,000,000 tokens with their hops are more than",
        ),
        (
            {
                "constellation.planes": 1000,
                "constellation.satellites_per_plane": 20,
                "simulation.steps": 1_000_000,
            },
            "simulation.record_satellites_every: 20,000,000,000 rows of satellites are more than",
        ),
        (
            {"ground.users": "cities", "simulation.step_s": 1e5, "ground.scheduling_epoch_s": 1.0},
            "ground.scheduling_epoch_s: 100,000 choices within a step are more than the 10,000",
        ),
    ],
)
def test_products_of_fields_are_refused_at_once(changes, said):
    data = {"constellation": WALKER, "simulation.orbits": None, "simulation.step_s": 60.0}
    began = time.perf_counter()
    with pytest.raises(InputError) as caught:
        loader.load("small", data | changes)
    assert time.perf_counter() - began < 1.0
    assert f"preset small: {said}" in str(caught.value)


def test_tokens_that_choose_more_experts_than_memory_holds_are_refused():
    scenario = loader.load(
        "small", {"model.card": "deepseek-v3", "workload.tokens_per_step": 60_000}
    )
    for refuses in (check, inference):
        with pytest.raises(InputError, match=r"^workload\.tokens_per_step: 55,680,000 experts cho"):
            refuses(scenario)


def test_a_constellation_of_a_file_is_counted_when_it_is_read(monkeypatch):
    scenario = loader.load("small", {"constellation": WALKER})
    monkeypatch.setattr("twin.scenario.limits.MAX_SATELLITES", 31)
    with pytest.raises(InputError, match=r"constellation\.planes: 32 satellites are more than"):
        World(scenario)


def test_the_largest_that_is_allowed_is_not_refused():
    large = {"planes": 100, "satellites_per_plane": 200}
    loader.load("small", {"constellation": WALKER | large, "simulation.steps": 10_000})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + "[" * 100_000, "case.toml: nested deeper than 16 tables and lists"),
        ("a = " + "[" * 20 + "]" * 20, "case.toml: a"),
        ("a." * 5000 + "b = 1", "nested deeper than 16 tables and lists"),
        ("a = " + "9" * 5000, "case.toml: not valid TOML: "),
        ("a = 0x" + "f" * 5000, "case.toml: a: must be an integer of 64 bits (got an integer of 2"),
        ("a = '" + "x" * 20_000 + "'", "case.toml: a: 20,000 characters are more than the 10,000"),
        ("x" * 20_000 + " = 1", "20,000 characters are more than the 10,000 allowed"),
        ("#" * 2_000_001, "case.toml: 2,000,001 characters are more than 2,000,000"),
        ("a = \x00", "case.toml: not valid TOML: "),
    ],
)
def test_toml_that_no_one_means_is_refused_in_a_line(text, said):
    with pytest.raises(InputError) as caught:
        plain.parse(text, "case.toml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_what_is_given_is_not_changed():
    given = {"constellation": dict(WALKER), "constellation.planes": 2}
    assert loader.load("small", given).constellation.planes == 2
    assert given["constellation"] == WALKER


def test_files_are_read_no_further_than_they_may_be_long(tmp_path):
    file = tmp_path / "case.toml"
    with file.open("wb") as sparse:
        sparse.truncate(10**12)
    with pytest.raises(InputError, match=r"case\.toml: is larger than 2,000,000 bytes"):
        loader.load(file)
    with pytest.raises(InputError, match=r"is no path of a file"):
        loader.load("a\0b.toml")


def test_many_mistakes_are_not_all_told():
    with pytest.raises(InputError, match=r"; and 94 more mistakes$") as caught:
        loader.from_data({f"x{i}": 1 for i in range(99)}, "case.toml")
    assert str(caught.value).count(";") == 8


def test_a_date_of_toml_is_a_day():
    scenario = loader.load("small", {"simulation.start_utc": datetime.date(2026, 3, 20)})
    assert scenario.simulation.start_utc == "2026-03-20T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"placement.strategy": "joint", "placement.params": {"refine": 10**9}},
            "refine must be an",
        ),
        ({"placement.strategy": "joint", "placement.params": {"refine": 1.5}}, "an integer from 0"),
        (
            {"placement.strategy": "joint", "placement.params": {"busy_margin": 0}},
            "busy_margin mus",
        ),
        ({"placement.strategy": "joint", "placement.params": {"spread": 1}}, "must be true or fal"),
        ({"controller.policy": "periodic", "controller.params": {"every_steps": 0}}, "from 1 to"),
        ({"controller.policy": "on-event", "controller.params": {"events": 3}}, "must be a text"),
        ({"satellites.rule": "guardian", "satellites.params": {"lead_s": -1}}, "lead_s must be"),
        ({"ground.handover_params": {"hysteresis_deg": -1.0}}, "hysteresis_deg must be a number"),
    ],
)
def test_parameters_have_bounds_too(changes, said):
    with pytest.raises(InputError) as caught:
        load_scenario("small", changes)
    assert said in str(caught.value)


@pytest.mark.parametrize(("day", "steps"), [("1900-01-01", 2), ("2099-12-31", 1400)])
def test_the_first_and_the_last_day_have_a_sun(day, steps):
    changes = {"simulation.start_utc": day, "simulation.steps": steps}
    scenario = loader.load("small", changes | {"simulation.orbits": None, "simulation.step_s": 60})
    light = World(scenario).ephemeris.light(steps - 1)
    assert np.isfinite(light.sunlit).all()


@pytest.mark.parametrize("seam", ["open", "dynamic"])
def test_the_ends_of_what_is_allowed_stay_finite(seam):
    scenario = loader.load(
        "small",
        {
            "links.seam": seam,
            "constellation.raan_spread_deg": 1e-9,
            "compute.gflops": 1e-6,
            "links.rate_gbps": 1e-6,
            "simulation.steps": 2,
        },
    )
    network = World(scenario).network(0)
    assert not np.isnan(network.advance().weight_s).any()
