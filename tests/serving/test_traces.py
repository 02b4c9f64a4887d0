"""Traces of requests: three formats, one line on what is wrong, thinning that is nested."""

import json
import time

import numpy as np
import pytest

from agents.model import TwinModel
from agents.run import run_scenario
from twin import seeding
from twin.errors import InputError
from twin.report.document import report
from twin.runs.store import open_run
from twin.scenario import loader
from twin.scenario.serving import Requests
from twin.serving import traces
from twin.serving.requests import SourceState, Traced

AZURE = """TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.6805900,374,44
2023-11-16 18:15:50.9951690,396,109
2023-11-16 18:16:40.0000000,12,1
"""
MOONCAKE = """{"timestamp": 3000, "input_length": 6758, "output_length": 500, "hash_ids": [0, 1, 9]}
{"timestamp": 3500, "input_length": 40, "output_length": 3, "hash_ids": []}
{"timestamp": 3500, "input_length": 733, "output_length": 30, "hash_ids": [0, 7]}
"""
VLLM = """{"request_id": "0", "input_toks": 2358, "output_toks": 531, "arrival_time": 1777142838.25}
{"request_id": "1", "input_toks": 1034, "output_toks": 769, "arrival_time": 1777142838.75}
"""
HASHES = [[0, 1, 9], [], [0, 7]]


@pytest.fixture
def trace_of(tmp_path):
    def read(content, **fields):
        file = tmp_path / "trace"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return traces.read(Requests(arrivals="trace", trace=str(file), **fields))

    return read


@pytest.mark.parametrize(
    ("content", "kind", "at_s", "prompt", "output", "hashes"),
    [
        (AZURE, "Azure", [0, 4.314579, 53.31941], [374, 396, 12], [44, 109, 1], [[], [], []]),
        (MOONCAKE, "Mooncake", [0, 0.5, 0.5], [6758, 40, 733], [500, 3, 30], HASHES),
        (VLLM, "vLLM", [0, 0.5], [2358, 1034], [531, 769], [[], []]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_the_format_shows_in_the_content(
    trace_of, content, kind, at_s, prompt, output, hashes, ending
):
    trace = trace_of("\ufeff" + content.strip().replace("\n", ending or "\n") + ending)
    assert trace.kind == kind
    np.testing.assert_allclose(trace.at_s, at_s, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(trace.prompt, prompt)
    np.testing.assert_array_equal(trace.output, output)
    pieces = np.split(trace.hashes, trace.hash_offset[1:-1])
    assert [piece.tolist() for piece in pieces] == hashes


BEFORE = AZURE.replace("18:16:40", "18:15:49")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty; must be a CSV file with the columns TIMESTAMP, ContextTokens"),
        ("\n \n", "is empty"),
        (AZURE.splitlines()[0], "has no requests"),
        (b"\x00\xff\x1f\x8b", "not a text file in UTF-8"),
        ("TIME,In,Out\n1,2,3\n", "line 1: must be a CSV file .* or with arrival_time, input_toks"),
        ('{"time": 3}', "line 1: must be a CSV file"),
        (AZURE.replace("396", "nan"), r"line 3: ContextTokens: .* from 1 to 262,144 \(got 'nan'\)"),
        (AZURE.replace("396", "-5"), r"line 3: ContextTokens: .*\(got '-5'\)"),
        (AZURE.replace(",109", ",0"), r"line 3: GeneratedTokens: .*\(got '0'\)"),
        (AZURE.replace("396", "1_0"), r"line 3: ContextTokens: .*\(got '1_0'\)"),
        (AZURE.replace(",109", ""), "line 3: must have 3 columns"),
        (AZURE.replace("2023-11-16 18:15:50.9951690", "NaN"), "line 3: TIMESTAMP: must be a date"),
        (BEFORE, r"line 4: TIMESTAMP: must not be before .* \(got one 1.99\d* s earlier\)"),
        (
            AZURE.replace("396", "1000000"),
            "line 3: prompt of 1000000 tokens; .*prompt_most",
        ),
        (AZURE.replace("109", "9" * 40), "line 3: GeneratedTokens: must be a whole number"),
        (MOONCAKE.replace("3500", "NaN"), r"line 2: timestamp: must be a number .*\(got nan\)"),
        (MOONCAKE.replace("3500", "-1"), r"line 2: timestamp: .*\(got -1\)"),
        (MOONCAKE.replace("3500", "true"), r"line 2: timestamp: .*\(got True\)"),
        (MOONCAKE.replace("3500", "1000"), "line 2: timestamp: must not be before"),
        (MOONCAKE.replace("6758", "1048576"), "line 1: prompt of 1048576 tokens"),
        (MOONCAKE.replace(" 40,", " 40.5,"), r"line 2: input_length: .*\(got 40.5\)"),
        (MOONCAKE.replace("7]", "-7]"), r"line 3: hash_ids: .*\(got \[0, -7\]\)"),
        (MOONCAKE + '{"timestamp": 4', "line 4: is no JSON object"),
        (MOONCAKE + "[1]", "line 4: is no JSON object"),
        (VLLM.replace('"output_toks": 769', '"x": 1'), r"line 2: output_toks: .*\(got None\)"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(trace_of, content, said):
    with pytest.raises(InputError, match=rf"^requests\.trace .*/trace: {said}") as told:
        trace_of(content)
    assert "\n" not in str(told.value)


def test_lengths_are_capped_only_where_the_scenario_says_so(trace_of):
    huge = AZURE.replace("396", "1000000")
    trace = trace_of(huge, prompt_most=380, output_most=2_000)
    np.testing.assert_array_equal(trace.prompt, [374, 380, 12])
    np.testing.assert_array_equal(trace.output, [44, 109, 1])


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match=r"requests\.trace .*nowhere: cannot be read"):
        traces.read(Requests(arrivals="trace", trace=str(tmp_path / "nowhere")))
    with pytest.raises(InputError, match="arrivals 'trace' needs trace"):
        loader.load("small", {"requests.arrivals": "trace"})


def test_ten_times_the_requests_take_no_more_than_some_ten_times_as_long(trace_of):
    lines = [
        f"2023-11-16 {i // 3600:02}:{i // 60 % 60:02}:{i % 60:02},{i + 1},7" for i in range(20_000)
    ]
    took_s = []
    for number in (2_000, 20_000):
        content = AZURE.splitlines()[0] + "\n" + "\n".join(lines[:number])
        began = time.process_time()
        trace = trace_of(content)
        took_s.append(time.process_time() - began)
        np.testing.assert_array_equal(trace.at_s, np.arange(number))
    assert took_s[1] < 40 * took_s[0]  # the square of ten is a hundred


def test_a_smaller_share_keeps_some_of_a_larger_one_whatever_else_changes(trace_of):
    lines = [
        json.dumps({"timestamp": i, "input_length": 1, "output_length": 1}) for i in range(5000)
    ]
    content = "\n".join(lines)
    kept = {}
    for share, speed, sites, ends in (
        (0.5, 1.0, 1, (6.0,)),
        (0.3, 7.0, 4, (0.1, 0.1001, 0.4, 2.0)),
    ):
        table = Requests(arrivals="trace", trace="x", trace_share=share, trace_speed=speed)
        source = Traced(
            table, trace_of(content), seeding.stream(1, 0, "requests"),
            share=np.full(sites, 1 / sites), begin_s=0.0, state=SourceState(),
        )  # fmt: skip
        found = [source.until(end_s) for end_s in ends]
        numbers = np.concatenate([f["number"] for f in found])
        at_s = np.concatenate([f["asked_s"] for f in found])
        np.testing.assert_allclose(at_s, numbers / 1000 / speed, rtol=0, atol=1e-12)
        assert len(set(numbers)) == len(numbers) == pytest.approx(5000 * share, rel=0.06)
        kept[share] = set(numbers)
    assert kept[0.3] < kept[0.5]


def test_a_request_finds_its_prefix_hashes_by_its_number(trace_of):
    source = Traced(
        Requests(arrivals="trace", trace="x", trace_share=0.7), trace_of(MOONCAKE),
        seeding.stream(6, 0, "requests"), share=np.ones(1), begin_s=0.0, state=SourceState(),
    )  # fmt: skip
    found = source.until(100.0)
    assert 0 < len(found["number"]) < 3
    for number, prompt in zip(found["number"], found["prompt"], strict=True):
        first, end = source.trace.hash_offset[number : number + 2]
        assert source.trace.hashes[first:end].tolist() == HASHES[number]
        assert source.trace.prompt[number] == prompt


@pytest.fixture
def scenario_file(tmp_path):
    """A scenario beside its trace, in a folder that is not the working directory."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "trace.csv").write_text(AZURE)
    file = tmp_path / "mine" / "case.toml"
    changes = {
        "serving.mode": "requests",
        "requests.arrivals": "trace",
        "requests.trace_speed": 2.0,
        "requests.prompt_most": 20,
        "requests.output_most": 3,
        "simulation.steps": 6,
        "compute.gflops": 50.0,
    }
    written = loader.to_toml(loader.load("small", changes | {"requests.trace": "trace.csv"}))
    file.write_text(written)
    return file


def test_a_run_keeps_its_trace_and_says_how_it_was_used(scenario_file, tmp_path):
    run = run_scenario(loader.load(scenario_file), runs_dir=tmp_path / "runs", run_id="a")
    (scenario_file.parent / "trace.csv").unlink()
    rows = open_run(run.path).table("requests")
    asked_s = np.sort(rows["asked_s"].to_numpy())
    np.testing.assert_allclose(asked_s, [0, 4.314579 / 2, 53.31941 / 2], atol=1e-6)
    assert sorted(rows["prompt_tokens"].to_pylist()) == [12, 20, 20]
    again = run_scenario(open_run(run.path).scenario, runs_dir=tmp_path / "runs", run_id="b")
    assert again.table("requests").equals(rows)
    assert again.manifest["scenario_hash"] == run.manifest["scenario_hash"]
    text = str(report([run.path]))
    assert "requests.trace_speed = 2.0" in text
    assert "requests.prompt_most = 20" in text
    assert "'requests.trace', 'trace.csv'" in text
    assert "'requests.trace_speed', '2'" in text


def test_a_trace_named_on_the_command_line_is_looked_for_where_one_is(
    scenario_file, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trace.csv").write_text(AZURE.replace("374", "5"))
    found = loader.load(scenario_file, ["requests.trace=trace.csv"])
    assert traces.read(found.requests).prompt[0] == 5
    assert traces.read(loader.load(scenario_file).requests).prompt[0] == 20


@pytest.mark.parametrize("steps", [3, 30])
def test_a_trace_asks_the_same_whatever_a_step_lasts(scenario_file, steps):
    changes = {
        "simulation.orbits": None,
        "simulation.steps": steps,
        "simulation.step_s": 90 / steps,
    }
    model, numbers = TwinModel(loader.load(scenario_file, changes)), []
    while model.running:
        model.step()
        numbers += model.requested.ended["number"].tolist()
    assert sorted(numbers) == [0, 1, 2]
