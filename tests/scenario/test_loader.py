import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.errors import InputError
from twin.moe.boards import computer
from twin.scenario import loader

COMPLETE = [n for n in loader.preset_names() if n not in ("oneweb", "starlink-shell")]


@pytest.mark.parametrize("name", COMPLETE)
def test_presets_survive_a_round_trip_through_toml(name):
    scenario = loader.load(name)
    again = loader.from_data(tomllib.loads(loader.to_toml(scenario)))
    assert again.model_dump() == scenario.model_dump()
    assert loader.scenario_hash(again) == loader.scenario_hash(scenario)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.floats(0, 1))
def test_any_text_and_number_survives_the_round_trip(text, fraction):
    data = loader.load("small").model_dump(mode="json", exclude_none=True)
    data["description"] = text
    data["outages"]["availability"] = fraction
    data["placement"]["params"] = {text: [fraction, {"a b": text}]}
    scenario = loader.from_data(data)
    assert (
        loader.from_data(tomllib.loads(loader.to_toml(scenario))).model_dump()
        == scenario.model_dump()
    )


def test_paper_is_the_published_experiment():
    paper = loader.load("paper")
    shell = paper.constellation
    assert (shell.planes, shell.satellites_per_plane) == (33, 32)
    assert (shell.altitude_km, shell.inclination_deg) == (550.0, 87.0)
    assert (paper.simulation.steps, paper.simulation.orbits) == (200, 1.0)
    assert (paper.outages.model, paper.outages.availability) == ("iid", 0.95)
    assert paper.links.max_angular_rate_rad_s == 0.12
    on = computer(paper.compute, paper.model.precision)
    assert on.flops_per_s == pytest.approx(0.7 * 10.4e9)
    assert math.isinf(on.bytes_per_s)
    assert paper.placement.experts_per_satellite == 1


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "links.seam=half",
            "links.seam: input should be 'open', 'closed', 'fixed' or 'dynamic' (got 'half')",
        ),
        ("links.colour=1", "links.colour: unknown key (got 1)"),
        ("constellation.phasing=33", "phasing must be below planes (33), not 33"),
        ("simulation.steps=1.5", "simulation.steps: input should be a valid integer (got 1.5)"),
        ("simulation.steps='9'", "simulation.steps: input should be a valid integer (got '9')"),
        ("simulation.start_utc=noon", "simulation.start_utc: must be an ISO 8601 date and time"),
        ("outages.availability=nan", "outages.availability: input should be a finite number"),
        ("constellation.kind=cloud", "constellation: input tag 'cloud'"),
        ("constellation.tle=x", "constellation.tle: unknown key"),
        ("propagation.model=sgp4", "propagation.model 'sgp4' needs constellation.kind 'tle'"),
        ("activations.kind=counts", "activations: kind 'counts' needs file"),
        ("nonsense", "--set nonsense: must look like table.key=value"),
        ("name.a=1", "--set name.a=1: name is a value, not a table"),
        ("name=../../x", "name: string should match pattern"),
    ],
)
def test_errors_are_one_line_and_say_field_value_and_what_is_allowed(override, said):
    with pytest.raises(InputError) as caught:
        loader.load("paper", [override])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


SHELL = {"planes": 3, "satellites_per_plane": 4, "altitude_km": 525.0, "inclination_deg": 53.0}


def shells(*changes, **table):
    return {"kind": "shells", "shells": [SHELL | change for change in changes]} | table


def test_shells_survive_a_round_trip_and_take_overrides(tmp_path):
    scenario = loader.load("small", {"constellation": shells({}, {"altitude_km": 530.0})})
    assert scenario.constellation.size == 24
    path = tmp_path / "two.toml"
    path.write_text(loader.to_toml(scenario))
    assert loader.load(path) == scenario
    changed = loader.load(path, ["constellation.host_shell=1", "links.cross_shell_every=3"])
    assert (changed.constellation.host_shell, changed.links.cross_shell_every) == (1, 3)


@pytest.mark.parametrize(
    ("constellation", "every", "said"),
    [
        (shells({}), 0, "constellation: shells must be two or more, not 1"),
        (
            shells({}, {"planes": 0}), 0,
            "constellation.shells.1.planes: input should be greater than or equal to 1 (got 0)",
        ),
        (
            shells({}, {"phasing": 5}), 0,
            "constellation.shells.1: phasing must be below planes (3), not 5",
        ),
        (shells({"kind": "walker"}, {}), 0, "constellation.shells.0.kind: unknown key"),
        (
            shells({}, {}, host_shell=2), 0,
            "constellation: host_shell must be below the number of shells (2), not 2",
        ),
        (
            SHELL | {"kind": "walker"}, 2,
            "links.cross_shell_every needs constellation.kind 'shells' or 'tle', not 'walker'",
        ),
        (
            shells({"planes": 150}, {"planes": 900}), 1,
            "links.cross_shell_every must be larger than 1, which leaves 2,160,000 pairs",
        ),
        (shells({}, {}), -1, "links.cross_shell_every: input should be greater than or equal to 0"),
    ],
)  # fmt: skip
def test_errors_of_shells_name_shell_and_field(constellation, every, said):
    changes = {"constellation": constellation, "links.cross_shell_every": every}
    with pytest.raises(InputError) as caught:
        loader.load("small", changes)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files(tmp_path):
    path = tmp_path / "mine.toml"
    with pytest.raises(InputError, match=r"mine\.toml: cannot be read: No such file"):
        loader.load(path)
    path.write_text("name = ")
    with pytest.raises(InputError, match=r"mine\.toml: not valid TOML"):
        loader.load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text file"):
        loader.load(path)
    path.write_text(loader.preset_text("small"))
    assert loader.load(str(path)).name == "small"
    with pytest.raises(
        InputError, match="unknown scenario 'papr'; presets: drift-study, eclipse-study"
    ):
        loader.load("papr")


def test_overrides_take_toml_and_plain_text(tmp_path):
    scenario = loader.load("oneweb", ["constellation.tle=/a b/c.tle", "links.max_range_km=4000"])
    assert scenario.constellation.tle == "/a b/c.tle"
    assert scenario.links.max_range_km == 4000
    started = loader.load("small", ["simulation.start_utc=2022-10-27T22:57:00Z"])
    assert started.simulation.start_utc == "2022-10-27T22:57:00.000000Z"
    assert scenario.simulation.start_utc is None
    assert loader.load("small").simulation.start_utc == "2026-03-20T00:00:00.000000Z"
    with pytest.raises(InputError, match=r"preset oneweb: constellation\.tle: field required"):
        loader.load("oneweb")


SOMEWHERE = {"name": "x", "latitude_deg": 1.0, "longitude_deg": 0.0}


@pytest.mark.parametrize(
    ("name", "field", "value", "other"),
    [
        *((name, "simulation.step_s", 3.0, "simulation.orbits") for name in COMPLETE),
        *((name, "simulation.orbits", 2.0, "simulation.step_s") for name in COMPLETE),
        ("small", "ground.users", "cities", "ground.sites"),
        ("handover-study", "ground.sites", [SOMEWHERE], "ground.users"),
        ("suncatcher", "activations.topics", ["math"], "activations.topic"),
    ],
)
def test_an_override_takes_the_place_of_its_alternative(name, field, value, other):
    for overrides in ({field: value}, [f"{field} = {loader.literal(value)}"]):
        scenario = loader.load(name, overrides).model_dump(mode="json")
        for path, expected in ((field, value), (other, None)):
            table, key = path.split(".")
            found = scenario[table][key]
            if key == "sites":
                found, expected = [s["name"] for s in found], [s["name"] for s in expected or []]
            assert found == expected


@pytest.mark.parametrize("name", ["small", "eclipse-study"])
def test_alternatives_that_are_both_set_are_refused(name):
    with pytest.raises(InputError, match="give exactly one of step_s and orbits"):
        loader.load(name, ["simulation.step_s=3.0", "simulation.orbits=2.0"])


def test_the_hash_follows_the_content():
    plain = loader.scenario_hash(loader.load("small"))
    assert loader.scenario_hash(loader.load("small", ["links.seam=closed"])) == plain
    assert loader.scenario_hash(loader.load("small", ["links.seam=open"])) != plain
