"""The command that finds how much load a constellation carries."""

import json

import pytest

SMALL = [
    "--set", "serving.mode=requests",
    "--set", "requests.prompt_tokens=20", "--set", "requests.output_tokens=10",
    "--set", "requests.rate_per_s=0.05", "--set", "requests.drain_s=2000",
    "--set", "compute.gflops=0.02", "--set", "simulation.steps=24",
]  # fmt: skip
QUICK = ["--replicates", "2", "--most-replicates", "2", "--within", "1.0", "--workers", "1"]


def test_it_prints_what_each_number_of_copies_carries(twin, tmp_path):
    code, out, err = twin(
        "capacity", "small", *SMALL, *QUICK, "--instances", "1,2", "--strategies", "joint",
        "--dispatch", "least-loaded", "--json", "found.json",
    )  # fmt: skip
    assert code == 0, err
    cases = json.loads((tmp_path / "found.json").read_text())["cases"]
    one, two = cases["joint, 1 copies, least-loaded"], cases["joint, 2 copies, least-loaded"]
    assert 0 < one["carried_per_s"] <= two["carried_per_s"] <= one["bound_per_s"]
    for case in (one, two):
        assert (
            case["carried_load"] < case["refused_load"] <= 2.0 * case["carried_load"] * (1 + 1e-9)
        )
    assert "Capacity of small" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["paper"], "serving.mode"),
        (["serving-study", "--deadlines", "60"], "--deadlines"),
        (["serving-study", "--dispatch", "nobody"], "serving.dispatch"),
        (["serving-study", "--instances", "0"], "placement.instances"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(twin, arguments, said):
    code, _, err = twin("capacity", *arguments)
    assert code == 2
    assert said in err
    assert len(err.strip().splitlines()) == 1
