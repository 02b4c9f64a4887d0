"""The placement laboratory from the command line."""

import json

import pytest


def test_place_tells_cost_and_gap_of_every_strategy_and_floor(twin, tmp_path):
    code, _, _ = twin(
        "place", "small", "--strategies", "space-xnet,joint,single-satellite", "--floors", "0,50",
        "--replicates", "2", "--workers", "1", "--json", "p.json", "--figure", "p.png",
        "--set", "workload.rate_per_s=0.001",
    )  # fmt: skip
    assert code == 0
    placements = json.loads((tmp_path / "p.json").read_text())["placements"]
    names = {"space-xnet", "joint", "joint at 50/s", "single-satellite"}
    assert set(placements) == names
    for entry in placements.values():
        assert entry["gap"]["mean"] > -1e-9
        assert entry["latency_s"]["mean"] >= entry["bound_s"]["mean"] * (1 - 1e-9)
    assert placements["joint at 50/s"]["throughput_per_s"]["mean"] >= 50
    free, floored = placements["joint"], placements["joint at 50/s"]
    assert free["latency_s"]["mean"] < floored["latency_s"]["mean"]
    assert floored["latency_s"]["mean"] < placements["space-xnet"]["latency_s"]["mean"]
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_strategy_without_room_is_told_and_does_not_stop_the_others(twin):
    code, out, _ = twin(
        "place", "small", "--strategies", "space-xnet,single-satellite", "--replicates", "2",
        "--workers", "1", "--set", "compute.memory_gb=0.0002",
    )  # fmt: skip
    assert code == 0
    assert "single-satellite finds no placement" in out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--floors", "fast"], "--floors fast: must be numbers of tokens/s"),
        (["--floors", "-1"], "must be numbers of tokens/s, 0 or more"),
        (["--instances", "0"], "--instances 0: must be integers from 1 to 10,000, or 'fill'"),
        (["--instances", "some"], "--instances some: must be"),
        (["--strategies", "best"], "unknown placement strategy 'best'; known"),
    ],
)
def test_mistakes(twin, args, said):
    code, _, err = twin("place", "small", "--workers", "1", *args)
    assert code == 2
    assert said in err


def test_place_tells_what_several_instances_carry_together(twin, tmp_path):
    code, out, _ = twin(
        "place", "small", "--strategies", "tiled,space-xnet,single-satellite", "--floors", "50",
        "--instances", "1,3,fill,60", "--replicates", "2", "--workers", "1", "--json", "p.json",
        "--figure", "p.png", "--set", "workload.rate_per_s=0.001",
    )  # fmt: skip
    assert code == 0
    placements = json.loads((tmp_path / "p.json").read_text())["placements"]
    one, three, filled = (placements[f"tiled at 50/s{n}"] for n in ("", " x 3", ", filled"))
    for entry, number in ((one, 1), (three, 3), (filled, filled["instances"]["mean"])):
        assert entry["instances"]["mean"] == number
        assert entry["least_per_s"]["mean"] >= 50
        assert number * 50 <= entry["throughput_per_s"]["mean"] <= entry["bound_per_s"]["mean"]
        assert entry["bound_s"]["mean"] <= entry["latency_s"]["mean"] <= entry["worst_s"]["mean"]
    assert filled["instances"]["mean"] > 3
    assert "tiled at 50/s x 60 finds no placement" in out
    assert placements["single-satellite x 3"]["satellites"] == 3
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
