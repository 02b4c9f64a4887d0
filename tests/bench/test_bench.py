"""Benchmarks that are small enough to run: what they show, not how fast anything is."""

import json
import sys
from functools import partial

import numpy as np
import pytest

import scale as bench_scale
import serving as bench_serving
import tabs
from commands import main
from peers import PEERS, SAME_S, peers
from scale import SIZES, _changes
from serving import SAME_S as SAME_END_S
from twin.scenario import loader
from twin.views.picture import CHROMIUM


@pytest.fixture
def bench(monkeypatch, tmp_path, capfd):
    """Call a bench in an empty folder; gives exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)

    def call(*args):
        monkeypatch.setattr(sys, "argv", ["bench", *args])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        out, err = capfd.readouterr()
        return code, out, err

    return call


def test_peers_give_the_same_delays():
    data = peers(rounds=1)
    assert data["satellites"] == 1056
    assert data["largest_difference_s"].keys() | data["absent"].keys() == PEERS.keys()
    assert {"scipy", "networkx"} <= data["times_ours"].keys()
    assert max(data["largest_difference_s"].values()) < SAME_S
    for name, why in data["absent"].items():
        assert why == f"not installed: pip install {name}"


def test_a_peer_that_is_not_installed_is_named(monkeypatch):
    def enter(task):
        raise ModuleNotFoundError("No module named 'igraph'")

    monkeypatch.setitem(PEERS, "igraph", enter)
    data = peers(rounds=1)
    assert data["absent"]["igraph"] == "not installed: pip install igraph"
    assert "igraph" not in data["median_ms"]


def test_peers_from_the_command_line(bench):
    code, out, _ = bench("peers")
    assert code == 0
    assert "delays from 32 of 1056 satellites to all" in out
    assert "networkx" in out
    assert "does not compare" not in out


def test_scale_measures_every_size_in_a_process_of_its_own(bench, tmp_path, monkeypatch):
    small = partial(bench_scale.scale, sizes=((33, 10), (33, 20)))
    monkeypatch.setattr(bench_scale, "scale", small)
    code, out, _ = bench("scale", "--steps", "3", "--json", "s.json")
    assert code == 0
    assert "660 satellites" in out
    data = json.loads((tmp_path / "s.json").read_text())
    small, large = data["sizes"]["330"], data["sizes"]["660"]
    assert data["ratio"]["cost_per_satellite_step"] == pytest.approx(
        large["satellite_step_us"] / small["satellite_step_us"]
    )
    assert small["steps"] == 3
    assert small["peak_mib"] > 0


def test_a_sweep_is_timed_with_one_worker_and_with_two(bench, tmp_path):
    study = tmp_path / "s.toml"
    study.write_text(
        'name = "s"\nscenario = "small"\nreplicates = 2\nset = ["simulation.steps=2"]\n'
    )
    code, out, _ = bench("sweep", str(study), "--rounds", "1", "--json", "s.json")
    assert code == 0
    assert "2 points" in out
    assert "the same, byte for byte" in out
    data = json.loads((tmp_path / "s.json").read_text())
    one, two = data["wall_s"]["1"], data["wall_s"]["2"]
    assert data["throughput_ratio"] == pytest.approx(one[0] / two[0])


def test_serving_agrees_with_simpy_and_names_traces_that_are_absent(bench, tmp_path, monkeypatch):
    short = partial(bench_serving.serving, simpy_requests=3, simpy_tokens=5)
    monkeypatch.setattr(bench_serving, "serving", short)
    options = ("--most", "1000", "--data", str(tmp_path))
    code, out, _ = bench("serving", *options, "--json", "s.json")
    assert code == 0
    assert "left out: no file" in out
    data = json.loads((tmp_path / "s.json").read_text())
    assert data["simpy"]["apart_s"] < SAME_END_S
    assert data["simpy"]["tokens"] == 15
    (decoding,) = data["decoding"]
    assert decoding["tokens"] == 5 * 211
    assert decoding["peak_mib"] > 0
    assert data["absent"].keys() == bench_serving.TRACES.keys()


def test_bench_kernel_prints_json_where_no_file_is_named(bench):
    code, out, err = bench("kernel", "--json")
    assert code == 0
    data = json.loads(out)
    assert data["largest_difference_s"] < 1e-9
    assert data["ratio"]["networkx_to_kernel"] > 1
    assert "csgraph" in err


def test_the_scale_benchmark_has_ten_thousand_satellites_in_one_shell_and_in_five():
    sizes = [loader.load("eclipse-study", _changes(size)).constellation.size for size in SIZES]
    assert sizes == [1056, 10_000, 10_548]


def test_the_page_is_asked_and_answers(bench):
    sizes = ("--requests", "200", "--tokens", "5000", "--runs", "5", "--branches", "1")
    code, out, err = bench("asking", *sizes, "--json", "-")
    assert code == 0, err
    data = json.loads(out)
    assert data["tokens"]["tokens"] >= 5000
    assert data["runs"]["runs"] == 5
    assert data["what if"]["satellites"] == 1056
    assert 100 < data["requests"]["requests"] < 400


@pytest.mark.browser
def test_the_page_is_opened_beside_an_empty_one(bench, tmp_path):
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}")
    code, out, _ = bench("page", "--rounds", "1", "--seconds", "1", "--json", "s.json")
    data = json.loads((tmp_path / "s.json").read_text())
    assert code == 0
    assert "frames a second while a run plays" in out
    assert {name: len(each) for name, each in data["first_picture_s"].items()} == {
        "empty": 1,
        "twin": 1,
    }
    assert data["more_than_empty_s"] == data["median_s"]["twin"] - data["median_s"]["empty"]
    assert data["frames_per_s"] > 0


def test_two_clients_are_served_beside_each_other(bench, tmp_path, monkeypatch):
    for name, value in (("SCENARIO", "small"), ("PAUSE_S", 0.1), ("LOOK_S", 1.0)):
        monkeypatch.setattr(tabs, name, value)
    times = ("--minutes", "0.1", "--alone-minutes", "0.1")
    code, out, err = bench("sessions", "--clients", "2", *times, "--json", "s.json")
    assert code == 0, err
    data = json.loads((tmp_path / "s.json").read_text())
    for kind in ("opened", "answered"):
        assert data["alone_s"][kind]["count"] > 0
        assert data["together_s"][kind]["count"] > 2
        assert 0 < data["together_s"][kind]["median"] <= data["together_s"][kind]["most"]
    assert "MiB an hour" in out


@pytest.mark.parametrize("slope", [0.0, 120.0])
def test_a_slope_of_memory_is_found_beneath_its_noise(slope):
    at = np.arange(0, 1800, 5.0)
    noise = np.random.default_rng(0).normal(0, 5, len(at))
    warm = 300 * np.exp(-at / 30)
    found = tabs.trend(list(zip(at, 600 + slope * at / 3600 + noise - warm, strict=True)))
    assert abs(found["mib_per_hour"] - slope) < 1.5 * found["half_width_mib_per_hour"]
    assert found["half_width_mib_per_hour"] < 15
