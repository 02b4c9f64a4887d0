"""Where inference should live, asked of a small constellation."""

import json
from types import SimpleNamespace

import pytest

from twin.errors import InputError
from twin.report.page import words
from twin.scenario import loader
from twin.study.places import PLACES, placed
from twin.study.where import cases_of

SMALL = {
    "constellation.planes": 6,
    "constellation.satellites_per_plane": 8,
    "constellation.phasing": 1,
    "constellation.altitude_km": 1200.0,
    "constellation.inclination_deg": 80.0,
    "ground.minimum_elevation_deg": 5.0,
    "model.card": "toy-8x4",
    "model.precision": "fp16",
    "simulation.steps": 40,
    "requests.rate_per_s": 0.1,
    "requests.prompt_tokens": 40,
    "requests.output_tokens": 10,
    "requests.drain_s": 600.0,
    "outages.model": "none",
    "compute.gflops": 0.01,
}


def small(**changes):
    return loader.load("where-study", SMALL | changes)


@pytest.mark.parametrize("place", PLACES)
def test_every_place_is_a_scenario_whose_file_gives_it_again(place, tmp_path):
    found = placed(small(), place)
    file = tmp_path / "s.toml"
    file.write_text(loader.to_toml(found))
    assert loader.load(file) == found


def test_places_differ_in_what_hosts_the_model():
    found = {place: placed(small(), place) for place in PLACES}
    assert found["one satellite"].placement.strategy == "single-satellite"
    assert found["tiled rings"].placement.instances > 1
    assert found["ground"].ground.data_centre.boards == 1
    assert found["relayed cluster"].constellation.host_shell == 1


def test_a_data_centre_has_as_few_boards_as_hold_the_model():
    found = placed(small(**{"compute.memory_gb": 0.001}), "ground")
    boards = found.ground.data_centre.boards
    assert boards > 1
    with pytest.raises(InputError):
        placed(small(**{"compute.memory_gb": 1e-6}), "ground")


def test_a_spread_ring_has_room_in_its_smallest_subnet():
    """Two experts a satellite hold the model on average, but not in subnets of two satellites."""
    few = {"constellation.planes": 5, "constellation.satellites_per_plane": 5}
    found = placed(small(**few), "spread ring")
    assert found.placement.experts_per_satellite == 4


def test_a_place_that_is_not_known_is_refused():
    with pytest.raises(InputError, match="--places: 'moon' is none of spread ring"):
        cases_of(small(), places=["moon"], boards=["orin"], models=["toy-8x4"])


@pytest.mark.parametrize("name", ["board", "model"])
def test_a_board_or_a_model_that_is_not_known_is_refused(name):
    names = {"boards": ["orin"], "models": ["toy-8x4"]} | {f"{name}s": ["nosuch"]}
    with pytest.raises(InputError, match=f"unknown .*{name}.* 'nosuch'; known: "):
        cases_of(small(), places=["ground"], **names)


def test_the_command_prints_a_table_and_goes_on_from_what_is_kept(twin, tmp_path):
    settings = [part for name, value in SMALL.items() for part in ("--set", f"{name}={value}")]
    told = [
        "where", "where-study", *settings, "--models", "toy-8x4", "--boards", "orin",
        "--places", "one satellite,ground", "--replicates", "1", "--workers", "1", "--share", "0.2",
        "--json", "found.json", "--figure", "found.png",
    ]  # fmt: skip
    code, _, err = twin(*told)
    assert code == 0, err
    above, below = json.loads((tmp_path / "found.json").read_text())["cases"]
    assert above["error"] is None
    assert above["machines"] == below["machines"] == 1
    assert above["day"]["requests_counted"] == below["day"]["requests_counted"] > 0
    assert above["power_w"] > 0 < below["power_w"]
    assert (tmp_path / "found.png").stat().st_size > 1000
    kept = (tmp_path / "runs" / "where-where-study.jsonl").read_bytes()
    code, again, err = twin(*told)
    assert code == 0, err
    assert (tmp_path / "runs" / "where-where-study.jsonl").read_bytes() == kept
    assert "one satellite" in again


@pytest.mark.parametrize(
    ("carried_per_s", "said"),
    [
        ((0.2, 0.1), "m is best served by a on x, which carries 0.2000 requests/s within the "
         "deadlines; next comes b on x with 0.1000 requests/s."),
        ((0.1, 0.1), "No place serves m best: a on x and b on x carry 0.1000 requests/s each "
         "within the deadlines."),
        ((), "m is served within the deadlines nowhere."),
    ],
)  # fmt: skip
def test_places_that_carry_as_much_are_not_put_in_order(carried_per_s, said):
    found = [
        SimpleNamespace(place=place, board="x", carried=lambda _, per_s=per_s: per_s)
        for place, per_s in zip("ab", carried_per_s, strict=False)
    ]
    assert words("where", best={"m": found}).replace("\N{NO-BREAK SPACE}", " ") == said
