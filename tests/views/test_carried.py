"""What the page draws of load by satellite and link, and of dispatch, against the run's tables."""

import base64
import shutil

import numpy as np
import pytest

from agents.data_centre import model_of
from agents.run import run_scenario
from twin.runs.store import open_run
from twin.scenario import loader
from twin.views import carried, shelf
from twin.views.growing import Growing
from twin.views.questions import NOT_YET, answer

COPIES = [
    "serving.mode=requests",
    "placement.instances=2",
    "placement.strategy=joint",
    "serving.dispatch=least-loaded",
    "ground.users=cities",
    "ground.minimum_elevation_deg=10.0",
    "requests.rate_per_s=0.2",
    "requests.prompt_tokens=40",
    "requests.output_tokens=12",
    "serving.chunk_tokens=8",
    "simulation.steps=22",
    "simulation.record_satellites_every=4",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("carried")
    return run_scenario(loader.load("small", COPIES), runs_dir=folder, run_id="copies")


def numbers(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


@pytest.mark.parametrize("kind", carried.KINDS)
def test_a_heat_map_has_the_values_of_the_table(run, kind):
    satellites = [47, *range(12)]
    found = answer(run, {"what": "heat", "kind": kind, "satellites": satellites})
    assert found["steps"] == [0, 4, 8, 12, 16, 20]
    values = numbers(found["values"], "<f4").reshape(len(satellites), -1)
    table = run.table("queues").to_pandas().set_index(["satellite", "step"])[kind]
    nothing = np.nan if kind == "cache_share" else 0.0
    wanted = [[table.get((s, t), nothing) for t in found["steps"]] for s in satellites]
    wanted = np.nan_to_num(wanted, nan=nothing)
    np.testing.assert_allclose(values, wanted.astype(np.float32))
    assert found["most"] == np.nanmax(values)
    assert found["most"] > 0 or kind == "waiting_tokens"


def test_many_records_share_columns_by_their_most(run, monkeypatch):
    everything = list(range(48))
    asked = {"what": "heat", "kind": "batch_mean", "satellites": everything}
    each = numbers(answer(run, asked)["values"], "<f4").reshape(48, 6)
    monkeypatch.setattr(carried, "MOST_COLUMNS", 3)
    found = answer(run, asked)
    assert found["steps"] == [0, 8, 16]
    pairs = numbers(found["values"], "<f4").reshape(48, 3)
    np.testing.assert_array_equal(pairs, np.fmax(each[:, ::2], each[:, 1::2]))


def test_traffic_is_that_of_the_table(run):
    found = answer(run, {"what": "traffic"})
    table = run.table("traffic").to_pandas()
    assert found["steps"] == [0, 4, 8, 12, 16, 20]
    assert found["offset"] == [int((table["step"] < step).sum()) for step in (*found["steps"], 99)]
    np.testing.assert_array_equal(numbers(found["source"], "<i4"), table["source"])
    np.testing.assert_array_equal(numbers(found["target"], "<i4"), table["target"])
    share = numbers(found["share"], "u1") / 255 * found["most"]
    np.testing.assert_allclose(share, table["share"], atol=found["most"] / 500)


def test_requests_are_counted_where_they_were_sent(run):
    rows = numbers(answer(run, {"what": "dispatch", "stride": 3})["rows"], "<i4").reshape(-1, 4)
    table = run.table("requests").to_pandas()
    step_s = run.table("steps")["t_s"][1].as_py()
    table["frame"] = (table["asked_s"] // (3 * step_s)).astype(int)
    sent = table[table["instance"] >= 0].groupby(["frame", "site", "instance"]).size()
    assert {tuple(row[:3]): row[3] for row in rows.tolist()} == sent.to_dict()
    assert len(set(rows[:, 2])) == 2


@pytest.mark.parametrize(
    "asked",
    [
        {"what": "heat", "kind": "colour", "satellites": [0]},
        {"what": "heat", "kind": "batch_mean", "satellites": [-1]},
        {"what": "heat", "kind": "batch_mean", "satellites": "all"},
        {"what": "heat", "kind": "batch_mean", "satellites": list(range(300))},
        {"what": "dispatch", "stride": "3"},
    ],
)
def test_what_makes_no_sense_is_refused(run, asked):
    assert set(answer(run, asked)) == {"wrong"}


def test_a_run_from_before_these_tables_is_shown_without_them(run, tmp_path):
    """Its manifest knows of none, as an older version wrote it."""
    from twin.runs.files import read_manifest, write_manifest

    old = tmp_path / "old"
    shutil.copytree(run.path, old)
    manifest = read_manifest(old)
    for name in ("queues", "traffic"):
        (old / f"{name}.parquet").unlink()
        del manifest["sha256"][f"{name}.parquet"]
    write_manifest(old, manifest)
    assert [each.path.name for each in shelf.look(tmp_path).runs] == ["old"]
    found = answer(open_run(old), {"what": "traffic"})
    assert "a new run has it" in found["wrong"]


@pytest.mark.parametrize("first", [0, 6])
def test_a_heat_map_grows_while_a_run_is_computed_into_that_of_the_table(run, first):
    model = model_of(run.scenario)
    asked = {"what": "heat", "satellites": list(range(48))}
    growing = None
    for step in range(22):
        model.step()
        if step < first:
            continue
        growing = growing or Growing(model)
        growing.add(model)
        if step != 13:
            continue
        found = answer(None, asked | {"kind": "cache_share"}, growing=growing)
        later = numbers(found["values"], "<f4").reshape(48, -1)[:, [s > 13 for s in found["steps"]]]
        assert np.isnan(later).all()
    for kind in carried.KINDS:
        found = answer(None, asked | {"kind": kind}, growing=growing)
        whole = answer(run, asked | {"kind": kind})
        steps = [step for step in whole["steps"] if step >= first]
        assert found["steps"] == steps
        values = numbers(whole["values"], "<f4").reshape(48, -1)[:, -len(steps) :]
        np.testing.assert_array_equal(numbers(found["values"], "<f4").reshape(48, -1), values)
    assert set(
        answer(None, {"what": "heat", "kind": kind, "satellites": [48]}, growing=growing)
    ) == {"wrong"}
    assert answer(None, {"what": "traffic"}, growing=growing) == {"wrong": NOT_YET}
