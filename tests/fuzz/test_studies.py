"""Studies drawn from their schema: each is refused at once, or all of its points are valid."""

from generate import WRONG, Generator, written
from oracle import Verdict

from twin.study.points import base_scenario, make_points
from twin.study.study_file import StudyFile, parse_study, to_toml

FIELDS = (
    "constellation.altitude_km", "outages.availability", "simulation.steps", "compute.gflops",
    "bus.battery_wh", "simulation.seed", "simulation.replicate", "placement.strategy", "x.y", "x",
    "placement.params.refine", "strategy_params.joint.refine", "", ".", "a..b", "links.seam",
)  # fmt: skip
BASE = {
    "name": "fuzz",
    "scenario": "small",
    "replicates": 2,
    "strategies": ["space-xnet"],
    "set": ["simulation.steps=1"],
}
SETS = (
    "simulation.steps=2", "outages.availability=1e999", "x", "=", "a=",
    "workload.retries=" + "9" * 5000, "links.seam=" + "[" * 5000, "links=3",
    "name=\x00", "constellation.planes=1\nname='x'",
)  # fmt: skip


def axis(rng):
    """An axis of one or two fields: lists, ranges, or neither."""
    return {
        rng.choice(FIELDS): rng.choice(
            (
                [rng.choice(WRONG) for _ in range(rng.randrange(3))],
                [rng.uniform(0.1, 1.0) for _ in range(2)],
                {
                    "from": rng.choice((0, 0.0, 1e-300)),
                    "to": 10 ** rng.uniform(-2, 308),
                    "step": 10 ** rng.uniform(-300, 3),
                },
                {"from": 500, "to": 600, "count": rng.choice((2, 3, 10**5, 10**6))},
                rng.choice(WRONG),
            )
        )
        for _ in range(rng.choice((1, 1, 2)))
    }


def test_studies(budget, rng):
    generator, verdict = Generator(StudyFile.model_json_schema(), rng), Verdict()
    for number in range(budget(2000)):
        data = dict(BASE)
        for _ in range(rng.choice((1, 2))):
            key = rng.choice(list(generator.schema["properties"]))
            data[key] = generator.value(generator.schema["properties"][key])
        if rng.random() < 0.5:
            data["axes"] = [axis(rng) for _ in range(rng.choice((1, 2)))]
        if rng.random() < 0.2:
            data["set"] = [rng.choice(SETS) for _ in range(2)]
        data["plugins"] = []
        with verdict.case((number, data)):
            study = parse_study(written(data), "study.toml")
            if study.size <= 200:
                points = make_points(study, base_scenario(study, "study.toml"), "study.toml")
                assert len(points) == study.size
                assert parse_study(to_toml(study), "again") == study
            verdict.count("done")
    verdict.check("refused", "done")
