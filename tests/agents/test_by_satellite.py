"""Queues, batches and caches by satellite, and traffic by link: the tables against each other."""

import numpy as np
import pytest

from agents.run import run_scenario
from twin.scenario import loader

LOADED = {
    "serving.mode": "requests",
    "compute.accounting": "full",
    "compute.gflops": 0.1,
    "compute.memory_gb": 0.004,
    "requests.prompt_tokens": 20.0,
    "requests.output_tokens": 5.0,
    "requests.rate_per_s": 0.3,
    "links.rate_gbps": 0.001,
    "links.bit_nj": 3e3,
    "simulation.steps": 12,
    "simulation.record_satellites_every": 3,
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("loaded")
    run = run_scenario(loader.load("small", LOADED), runs_dir=folder)
    names = ("queues", "traffic", "load", "placements", "steps")
    return {name: run.table(name).to_pandas() for name in names}


def recorded(tables, name):
    return dict(list(tables[name].groupby("step")))


def test_they_are_recorded_as_rarely_as_satellites(tables):
    for name in ("queues", "traffic"):
        assert set(tables[name]["step"]) == {0, 3, 6, 9}


def test_batches_of_satellites_make_up_the_constellation_s(tables):
    load = tables["load"].set_index("step")
    for step, rows in recorded(tables, "queues").items():
        tokens = (rows["services"] * rows["batch_mean"]).sum()
        np.testing.assert_allclose(tokens / rows["services"].sum(), load["batch_mean"][step])


def test_the_tightest_gateway_s_cache_is_the_copy_s(tables):
    load = tables["load"].set_index("step")
    assert load["cache_share"][[0, 3, 6]].min() > 0
    for step, rows in recorded(tables, "queues").items():
        # Blocks are whole: the least room holds a few tokens less than its bytes say.
        assert 0.9 * load["cache_share"][step] <= rows["cache_share"].max() + 1e-12
        assert rows["cache_share"].max() <= load["cache_share"][step] + 1e-12


def test_only_gateways_have_caches(tables):
    rows = tables["placements"]
    gateways = set(rows["satellite"][rows["expert"] == -1])
    found = tables["queues"].dropna(subset="cache_share")
    assert len(found)
    assert set(found["satellite"]) <= gateways


def test_traffic_has_the_busiest_link_and_all_energy(tables):
    load = tables["load"].set_index("step")
    ratio = []
    for step, rows in recorded(tables, "traffic").items():
        most = rows.loc[rows["share"].idxmax()]
        row = load.loc[step]
        np.testing.assert_allclose(most["share"], row["link_most_share"], rtol=1e-6)
        ends = (most["source"], most["target"])
        assert ends == (row["link_most_source"], row["link_most_target"])
        ratio.append(row["network_j"] / rows["tokens"].sum())
    np.testing.assert_allclose(ratio, ratio[0])
