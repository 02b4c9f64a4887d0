"""What a report says of several copies of the model."""

import numpy as np

from agents.run import run_scenario
from twin.report.document import report
from twin.scenario import loader

CHANGES = {
    "placement.strategy": "joint",
    "placement.instances": 2,
    "serving.mode": "requests",
    "serving.dispatch": "least-loaded",
    "requests.rate_per_s": 0.1,
    "requests.prompt_tokens": 20,
    "requests.output_tokens": 10,
    "requests.drain_s": 600.0,
    "controller.telemetry_delay_s": 120.0,
    "simulation.steps": 20,
}


def test_each_copy_has_a_row_of_what_its_requests_and_steps_say(tmp_path):
    run = run_scenario(loader.load("small", CHANGES), runs_dir=tmp_path)
    document = report([run.path])
    tables = {table.name: table for table in document.tables()}
    table = tables["instances"]
    requests, steps = run.table("requests"), run.table("instances")
    copy = requests["instance"].to_numpy()
    assert set(copy.tolist()) == {0, 1}
    for i, row in enumerate(table.rows):
        first_s = requests["ttft_s"].to_numpy()[copy == i]
        made = steps["tokens_out"].to_numpy()[steps["instance"].to_numpy() == i]
        assert row[1:3] == [i, int((copy == i).sum())]
        assert row[4] == np.median(first_s[np.isfinite(first_s)])
        assert row[5] == made.sum() > 0
    set_by = {row[0]: row[1:] for row in tables["scenario"].rows}
    assert set_by["placement.instances"][0] == "2"
    assert set_by["serving.dispatch"][0] == "least-loaded"
    assert set_by["controller.telemetry_delay_s"][0] == "120"
    assert run.placements()["instance"].to_numpy().max() == 1
