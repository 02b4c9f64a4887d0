"""What a report says of several copies of the model."""

import numpy as np

from agents.fork import fork
from agents.run import run_scenario
from twin.report.document import report
from twin.scenario import loader
from twin.vocabulary import EVENTS, EventKind

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


def test_the_loss_of_a_first_gateway_is_told_in_order(tmp_path):
    changes = CHANGES | {"controller.policy": "on-event", "workload.retries": 3}
    parent = run_scenario(loader.load("small", changes), runs_dir=tmp_path, run_id="p")
    placed = parent.placements().to_pylist()
    gateway = next(
        row["satellite"] for row in placed if row["instance"] == 1 and row["expert"] == -1
    )
    scenario, beginning = fork(parent, 8, fail=[gateway])
    child = run_scenario(scenario, runs_dir=tmp_path, run_id="c", beginning=beginning)
    table = next(t for t in report([child.path]).tables() if t.name == "story")
    times_s = [row[0] for row in table.rows]
    assert times_s == sorted(times_s)
    told = [row[1] for row in table.rows]
    lost, shut, again = (
        told.index(EVENTS[kind].sentence)
        for kind in (EventKind.SATELLITE_LOST, EventKind.INSTANCE_SHUT, EventKind.INSTANCE_OPEN)
    )
    assert lost < shut < again
    assert table.rows[lost][3] == gateway
    assert table.rows[shut][4] == 1
    cause = child.table("requests")["cause"].to_pylist()
    assert set(cause) <= {None, "unfinished"}
