"""One small run, figure by figure, as it was when last looked at.

A change of these numbers is a change of physics, traffic or placement: intended or a mistake.
Print new ones with ``twin run small --json -``.
"""

import pytest

from agents.run import run_scenario
from twin.runs.summary import summarise
from twin.scenario import loader

GOLDEN = {
    "latency_mean_s": 0.8543997865708665,
    "latency_p50_s": 0.8480618189243012,
    "latency_p95_s": 0.9889386531873227,
    "latency_p99_s": 1.0663767681401772,
    "expected_latency_s": 0.8551690445325786,
    "propagation_mean_s": 0.8150781865708666,
    "compute_mean_s": 0.03932159999999999,
    "tokens_asked": 1920.0,
    "tokens_served_share": 1.0,
    "tokens_retried": 0.0,
    "lost_dead": 0.0,
    "lost_unreachable": 0.0,
    "lost_refused": 0.0,
    "lost_unserved": 0.0,
    "ground_handovers": 0.0,
    "links_up_share": 0.8854166666666666,
    "sunlit_share": 0.7632893454236204,
    "soc_min": 0.8327300838351113,
    "temperature_max_c": 20.477492814485117,
    "satellites_without_power": 0.0,
    "brown_outs": 0.0,
    "throttlings": 0.0,
    "compute_deficit_share": 0.0,
    "energy_per_token_j": 36670.49356141482,
    "utilisation_max": 0.0012577543173648746,
    "placements": 1.0,
    "migrated_gb": 0.0,
    "battery_cycles_max": 0.17098638721384551,
    "battery_life_used_max": 1.9962116932117807e-05,
    "intra-plane_availability": 0.9541666666666667,
    "intra-plane_hold_mean_s": 1548.4548061241653,
    "inter-plane_availability": 0.8170833333333334,
    "inter-plane_hold_mean_s": 1020.2502604172248,
    "seam_availability": 0.8145833333333333,
    "seam_hold_mean_s": 1025.1084417840377,
}


def test_small_run_is_what_it_was(tmp_path):
    figures = summarise(run_scenario(loader.load("small"), runs_dir=tmp_path))
    assert {name: figures[name] for name in GOLDEN} == pytest.approx(GOLDEN, rel=1e-9)
