"""Scenarios drawn from the schema: each is refused, done with finite figures, or at work."""

import shutil

import pytest
from generate import Generator
from oracle import Verdict, run_to_its_end

from agents.run import run_scenario
from twin.plugins.choices import check, schema
from twin.scenario import loader

SMALL = {
    "constellation": {"planes": 12, "satellites_per_plane": 12},
    "workload": {"tokens_per_step": 32, "retries": 3},
    "placement": {"planning_snapshots": 8},
    "simulation": {"steps": 6, "record_tokens_per_step": 8},
}
"""Greater values of these within their bounds cost time, and no more than that."""

BASES = (
    {"simulation": {"steps": 3, "orbits": 1.0}},
    {"simulation": {"steps": 4, "step_s": 60.0}, "ground": {"users": "cities"}},
    {
        "simulation": {"steps": 3, "step_s": 300.0},
        "links": {"seam": "dynamic"},
        "faults": {"model": "exponential"},
        "controller": {"policy": "receding-horizon"},
    },
)
STRATEGIES = ("joint", "single-satellite", "rand-place", "packed")


def base(rng):
    """A valid scenario of a few satellites."""
    data = {
        "name": "fuzz",
        "constellation": {
            "kind": "walker",
            "planes": rng.choice((1, 2, 4)),
            "satellites_per_plane": rng.choice((1, 4, 8)),
            "altitude_km": rng.choice((150.0, 550.0, 1200.0, 40_000.0)),
            "inclination_deg": rng.choice((0.0, 53.0, 90.0, 180.0)),
        },
        "model": {"card": "toy-8x4"},
        "workload": {"tokens_per_step": rng.choice((1, 4))},
        "placement": {"strategy": rng.choice(STRATEGIES)},
    }
    return data | rng.choice(BASES)


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory):
    """Run each base once: what is compiled on first use takes its time, and no signal."""
    for number, more in enumerate(BASES):
        data = loader.load("small").model_dump(mode="json", exclude_none=True)
        data["simulation"] = more["simulation"]
        scenario = loader.from_data(data | more)
        run_scenario(scenario, runs_dir=tmp_path_factory.mktemp("compiled"), run_id=str(number))


def kept_small(data):
    """The same with a few satellites and tokens, if it is within bounds at all."""
    for table, most in SMALL.items():
        for key, limit in most.items():
            value = data.get(table)
            if isinstance(value, dict) and type(value.get(key)) is int and value[key] > limit:
                value[key] = limit if value[key] <= 1000 else value[key] + 10**7
    placement = data.get("placement")
    if isinstance(placement, dict) and placement.get("strategy") == "exact":  # takes two minutes
        placement["params"] = {"time_limit_s": 0.5}
    return data


def test_scenarios(budget, rng, tmp_path):
    generator, verdict = Generator(schema(), rng), Verdict()
    for number in range(budget(10_000)):
        data = kept_small(generator.mutated(base(rng), rng.choice((1, 1, 2, 3, 5))))
        with verdict.case((number, data)):
            scenario = loader.from_data(data, "case.toml")
            check(scenario)
            verdict.count(run_to_its_end(scenario, tmp_path))
        for name in ("run.partial", "run"):
            shutil.rmtree(tmp_path / name, ignore_errors=True)
    verdict.check("refused", "done")
