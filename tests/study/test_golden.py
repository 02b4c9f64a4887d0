"""One small run, figure by figure, as it was when last looked at.

A change of these numbers is a change of physics, traffic or placement: intended or a mistake.
Print new ones with ``twin run small --json -``.
"""

import pytest

from twin.scenario import loader
from twin.study.run import run_scenario
from twin.study.summary import summarise

GOLDEN = {
    "latency_mean_s": 0.8590850263462235,
    "latency_p50_s": 0.8618713362184054,
    "latency_p95_s": 0.942774633191062,
    "latency_p99_s": 0.9654831976675258,
    "expected_latency_s": 0.8600621365992202,
    "propagation_mean_s": 0.8197634263462235,
    "compute_mean_s": 0.03932159999999999,
    "tokens_asked": 1920.0,
    "tokens_served_share": 1.0,
    "links_up_share": 0.8869791666666667,
    "sunlit_share": 0.7632893507306289,
    "soc_min": 0.8098790301348321,
    "utilisation_max": 0.0013475939114623657,
    "placements": 1.0,
    "migrated_gb": 0.0,
}


def test_small_run_is_what_it_was(tmp_path):
    figures = summarise(run_scenario(loader.load("small"), runs_dir=tmp_path))
    assert {name: figures[name] for name in GOLDEN} == pytest.approx(GOLDEN, rel=1e-9)
