"""Files with damaged bytes, and what a reader makes of them: a refusal, or something finite."""

import json
import warnings

import numpy as np
import pytest
from generate import damaged
from oracle import Verdict

from agents.run import run_scenario
from twin.export.omm import omm
from twin.moe.inference import inference
from twin.plugins.choices import check
from twin.scenario import loader
from twin.scenario.serving import MAX_TRACE_TOKENS, Requests
from twin.serving import traces
from twin.space import constellation
from twin.study import study_file

SCENARIOS = ("paper", "small", "shells-study", "handover-study")
STUDIES = ("altitude", "eclipse")
TRACES = {
    "azure": b"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n"
    b"2023-11-16 18:15:50.9951690,396,109\n2023-11-16 18:15:51.2233380,879,55\n",
    "mooncake": b'{"timestamp": 0, "input_length": 675, "output_length": 500, "hash_ids": [0, 1]}\n'
    b'{"timestamp": 3000, "input_length": 40, "output_length": 3, "hash_ids": [0]}\n',
    "vllm": b'{"input_toks": 2358, "output_toks": 531, "arrival_time": 1777142838.338653}\n'
    b'{"input_toks": 1034, "output_toks": 769, "arrival_time": 1777142838.6237123}\n',
}


@pytest.fixture(scope="module")
def element_sets(tmp_path_factory):
    """Element sets of a small constellation, in every format that there is."""
    folder = tmp_path_factory.mktemp("sets")
    run = run_scenario(loader.load("small", ["simulation.steps=1"]), runs_dir=folder, run_id="run")
    texts = {ending: omm(run, ending).encode() for ending in (".csv", ".json", ".xml")}
    return texts | {".tle": _as_tle(run)}


def _as_tle(run):
    from sgp4.api import Satrec
    from sgp4.exporter import export_tle
    from sgp4.omm import initialize, parse_csv

    lines = []
    for fields in parse_csv(omm(run, ".csv").splitlines()):
        satrec = Satrec()
        initialize(satrec, fields)
        lines += [fields["OBJECT_NAME"], *export_tle(satrec)]
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.parametrize("ending", [".tle", ".csv", ".json", ".xml"])
def test_element_sets(budget, rng, tmp_path, element_sets, ending):
    verdict, file = Verdict(), tmp_path / f"sets{ending}"
    changes = {"constellation": {"kind": "tle", "tle": str(file)}}
    for number in range(budget(1250)):
        content = damaged(element_sets[ending], rng)
        file.write_bytes(content)
        with verdict.case((number, ending, content[:1000])):
            body = constellation.build(loader.load("small", changes))
            for name in constellation.ELEMENTS:
                assert np.isfinite(getattr(body, name)).all(), name
            verdict.count("done")
    verdict.check("refused", "done")


def test_scenario_files(budget, rng, tmp_path):
    verdict, file = Verdict(), tmp_path / "case.toml"
    texts = [loader.preset_text(name).encode() for name in SCENARIOS]
    for number in range(budget(2500)):
        content = damaged(rng.choice(texts), rng)
        file.write_bytes(content)
        with verdict.case((number, content)):
            check(loader.load(file))
            verdict.count("done")
    verdict.check("refused", "done")


def test_study_files(budget, rng, tmp_path):
    verdict, file = Verdict(), tmp_path / "study.toml"
    texts = [study_file.preset_text(name).encode() for name in STUDIES]
    for number in range(budget(1000)):
        content = damaged(rng.choice(texts), rng)
        file.write_bytes(content)
        with verdict.case((number, content)):
            study_file.read_study(file)
            verdict.count("done")
    verdict.check("refused", "done")


def test_counts(budget, rng, tmp_path):
    verdict, file = Verdict(), tmp_path / "counts.json"
    counts = json.dumps([[3 + layer + e for e in range(4)] for layer in range(8)]).encode()
    changes = {"activations": {"kind": "counts", "file": str(file)}}
    for number in range(budget(1000)):
        content = damaged(counts, rng)
        file.write_bytes(content)
        with verdict.case((number, content)):
            found = inference(loader.load("small", changes))
            assert np.isfinite(found.activation).all()
            assert np.allclose(found.activation.sum(axis=1), found.card.top_k)
            verdict.count("done")
    verdict.check("refused", "done")


@pytest.mark.parametrize("kind", TRACES)
def test_traces(budget, rng, tmp_path, kind):
    verdict, file = Verdict(), tmp_path / "trace"
    table = Requests(arrivals="trace", trace=str(file))
    for number in range(budget(1000)):
        content = damaged(TRACES[kind], rng)
        file.write_bytes(content)
        with verdict.case((number, content)):
            trace = traces.read(table)
            assert trace.at_s[0] == 0
            assert (np.diff(trace.at_s) >= 0).all()
            assert min(trace.prompt.min(), trace.output.min()) >= 1
            assert max(trace.prompt.max(), trace.output.max()) <= MAX_TRACE_TOKENS
            verdict.count("done")
    verdict.check("refused", "done")


def test_settings(budget, rng):
    """What is given to --set: any text is refused, or sets a field."""
    verdict = Verdict()
    texts = (b"simulation.steps=3", b"placement.params={refine = 3}", b"links.seam='open'")
    for number in range(budget(500)):
        text = damaged(rng.choice(texts), rng).decode("utf-8", "replace")
        with verdict.case((number, text)), warnings.catch_warnings():
            check(loader.load("small", [text]))
            verdict.count("done")
    verdict.check("refused", "done")
