"""A run on several shells, as those who look at runs see it."""

import json
import shlex

import pytest

from agents.run import run_scenario
from twin.errors import InputError
from twin.export.omm import omm
from twin.report.rerun import commands
from twin.report.scenario import scenario_table
from twin.runs.repeats import make_cases
from twin.scenario import loader
from twin.views import form, limits

SHELLS = """[
    {planes = 9, satellites_per_plane = 12, altitude_km = 550.0, inclination_deg = 70.0},
    {planes = 10, satellites_per_plane = 12, altitude_km = 600.0, inclination_deg = 53.0},
]"""
OVERRIDES = [
    f'constellation={{kind = "shells", host_shell = 1, shells = {SHELLS}}}',
    "links.cross_shell_every=3",
    "simulation.steps=3",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept") / "runs"
    return run_scenario(loader.load("small", OVERRIDES), runs_dir=folder)


def test_a_report_tells_the_shells_and_their_bridges(run):
    (case,) = make_cases([run])
    rows = {row[0]: row[1] for row in scenario_table([run.scenario], ["case"]).rows}
    told = [rows[f"constellation.shells.0.{key}"] for key in ("planes", "satellites_per_plane")]
    assert told == ["9", "12"]
    assert rows["constellation.shells.0.altitude_km"] == "550"
    assert rows["constellation.shells.0.inclination_deg"] == "70"
    assert rows["constellation.shells.1.planes"] == "10"
    assert rows["constellation.host_shell"] == "1"
    assert rows["links.cross_shell_every"] == "3"
    (line,) = commands(case)
    assert shlex.split(line)[:2] == ["twin", "run"]


def test_all_shells_are_exported_as_element_sets(run):
    sets = json.loads(omm(run, ".json"))
    assert len({fields["NORAD_CAT_ID"] for fields in sets}) == 228
    assert [sets[k]["OBJECT_NAME"] for k in (0, -1)] == ["S0P0S00", "S1P9S11"]
    assert {round(fields["INCLINATION"]) for fields in sets} == {70, 53}  # of date, not of GCRS


def test_the_network_is_exported_with_links_between_shells(twin, run, tmp_path):
    code, _, _ = twin("export", str(run.path), "--graphml", "g.graphml", "--step", "1")
    assert code == 0
    assert "cross-shell" in (tmp_path / "g.graphml").read_text()


def test_the_page_counts_the_satellites_of_all_shells():
    assert "shells-study" in form.runnable_presets()
    table = loader.load("shells-study").constellation.model_dump(mode="json")
    twice = loader.load("shells-study", {"constellation": table | {"shells": table["shells"] * 2}})
    with pytest.raises(InputError, match=r"constellation\.shells: 21,096 satellites are more"):
        limits.check(twice)
