"""One small run, figure by figure, as it was when last looked at.

A change of these numbers is a change of physics, traffic or placement: intended or a mistake.
Print new ones with ``twin run small --json -``.
"""

import pytest

from agents.run import run_scenario
from twin.runs.summary import summarise
from twin.scenario import loader

GOLDEN = {
    "latency_mean_s": 0.8590850263462235,
    "latency_p50_s": 0.8566396617814849,
    "latency_p95_s": 0.9852472608415622,
    "latency_p99_s": 1.0447824901154126,
    "expected_latency_s": 0.8600621365992202,
    "propagation_mean_s": 0.8197634263462235,
    "compute_mean_s": 0.03932159999999999,
    "tokens_asked": 1920.0,
    "tokens_served_share": 1.0,
    "tokens_retried": 0.0,
    "lost_dead": 0.0,
    "lost_unreachable": 0.0,
    "lost_refused": 0.0,
    "lost_unserved": 0.0,
    "ground_handovers": 0.0,
    "links_up_share": 0.8869791666666667,
    "sunlit_share": 0.7632893454236203,
    "soc_min": 0.8319112045054619,
    "temperature_max_c": 20.508596075335845,
    "satellites_without_power": 0.0,
    "brown_outs": 0.0,
    "throttlings": 0.0,
    "compute_deficit_share": 0.0,
    "energy_per_token_j": 36729.99160405067,
    "utilisation_max": 0.0013475939114623659,
    "placements": 1.0,
    "migrated_gb": 0.0,
    "battery_cycles_max": 0.17255186650147092,
    "battery_life_used_max": 2.1146281330454183e-05,
    "intra-plane_availability": 0.9527777777777777,
    "intra-plane_hold_mean_s": 1793.2496406860985,
    "inter-plane_availability": 0.8170833333333334,
    "inter-plane_hold_mean_s": 1042.6146029291622,
    "seam_availability": 0.8416666666666667,
    "seam_hold_mean_s": 1499.4823857140627,
}


def test_small_run_is_what_it_was(tmp_path):
    figures = summarise(run_scenario(loader.load("small"), runs_dir=tmp_path))
    assert {name: figures[name] for name in GOLDEN} == pytest.approx(GOLDEN, rel=1e-9)
