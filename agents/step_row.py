"""One row of a run's table ``steps``, phase by phase; the table of figures says what each is."""

from functools import partial
from typing import Any

import mesa
import numpy as np
from numpy.typing import NDArray

from agents.controller import Controller
from agents.fleet import FleetState
from twin.energy.budget import EnergyReport
from twin.energy.bus import ZERO_CELSIUS_K
from twin.moe.inference import Inference
from twin.runs.statistics import percentiles, token_metrics
from twin.serving.hosts import Hosts, expected_on
from twin.serving.tokens import Served
from twin.vocabulary import CAUSES, LinkState, links_column, lost_column
from twin.world.topology import Snapshot

type Row = dict[str, Any]

REPORTED = (
    "latency_mean_s",
    "expected_latency_s",
    "tokens_served",
    "tokens_lost",
    "links_up",
    "sunlit_mean",
    "soc_min",
    "migrated_bytes",
)
"""Model-level quantities that Mesa's data collector keeps, one row a step."""


def token_row(served: Served, first_s: NDArray[np.float64]) -> Row:
    """Figures of a step's tokens; `first_s` is what users wait for each, empty without users."""
    latency = served.latency
    row: Row = token_metrics(latency.total_s, latency.propagation_s, latency.compute_s)
    row["tokens_asked"] = served.asked
    row["tokens_retried"] = row["tokens_waiting"] = served.retried
    row["tokens_lost"] = int(served.lost.sum())
    for cause in CAUSES:
        row[lost_column(cause)] = int(served.lost[cause])
    p50, p99 = percentiles(first_s, (50, 99)) if len(first_s) else (np.nan, np.nan)
    return row | {"ttft_p50_s": p50, "ttft_p99_s": p99}


def expected_row(
    inference: Inference,
    hosts: Hosts,
    speed: NDArray[np.float64] | None,
    *,
    choose_from: int,
) -> Row:
    """Latency of a token in expectation over its choice of experts; NaN for more than two each.

    Parameters
    ----------
    inference : Inference
    hosts : Hosts
    speed : (N,) float64 or None
        Compute speed of each satellite; None if all have full speed.
    choose_from : int
        Copies of each expert that tokens choose from.
    """
    top_k = inference.card.top_k
    if top_k > 2:  # it would cost more than all else in the step
        return {"expected_latency_s": np.nan, "expected_served": np.nan}
    exact = expected_on(hosts, inference, speed, choose_from=choose_from)
    return {
        "expected_latency_s": float(exact.mean_s),
        "expected_served": float(exact.served_probability),
    }


def compute_row(fleet: FleetState, demand: NDArray[np.float64], flop: float) -> Row:
    """Compute that tokens asked of satellites beyond their speed, and compute done.

    Parameters
    ----------
    fleet : FleetState
    demand : (N,) float64
        Share of the step that all tokens together would keep each satellite busy.
    flop : float
        What a satellite of speed 1 does in a step.
    """
    short = np.maximum(demand * fleet.pace - fleet.speed, 0.0).sum()
    return {
        "compute_deficit_flop": float(short * flop),
        "compute_done_flop": float((fleet.utilisation * fleet.pace).sum() * flop),
    }


def energy_row(fleet: FleetState, report: EnergyReport, step_s: float) -> Row:
    """Energy that satellites drew, for what, and what they lacked."""
    profile, deficit_j = fleet.energy.bus, report.flow.deficit_j
    peak_w = profile.compute_peak_w - profile.compute_idle_w
    drawn_j = report.flow.load_j - deficit_j
    network_j = float((drawn_j * fleet.energy.network_share).sum())
    compute_j = float(peak_w * step_s * fleet.utilisation.sum())
    return {
        "drawn_j": float(drawn_j.sum()),
        "compute_j": compute_j,
        "network_drawn_j": network_j,
        "idle_drawn_j": float(drawn_j.sum()) - compute_j - network_j,
        "deficit_j": float(deficit_j.sum()),
    }


def state_row(snapshot: Snapshot, fleet: FleetState, controller: Controller) -> Row:
    """What links, satellites and the controller are in at the end of a step."""
    energy, transfers = fleet.energy, controller.transfers
    count = np.bincount(snapshot.link_state, minlength=len(LinkState)).tolist()
    row: Row = {links_column(s): count[s] for s in LinkState if s is not LinkState.UNPAIRED}
    return row | {
        "step": snapshot.step,
        "t_s": snapshot.instant.t_s,
        "sunlit_mean": float(fleet.sunlit.mean()),
        "soc_mean": float(energy.soc.mean()),
        "soc_min": float(energy.soc.min()),
        "temperature_max_c": float(energy.temperature_k.max()) - ZERO_CELSIUS_K,
        "unpowered": int((~energy.powered).sum()),
        "low": int(fleet.rule.low.sum()),
        "throttled": int(fleet.rule.throttled.sum()),
        "utilisation_max": float(fleet.utilisation.max()),
        "faulty": int((~fleet.sound).sum()),
        "placement": controller.version,
        "migrated_bytes": transfers.carried_bytes,
        "migrated_byte_hops": transfers.hop_bytes,
        "under_way": len(transfers.under_way),
    }


def data_collector() -> mesa.DataCollector:
    """Return Mesa's collector of the quantities that `REPORTED` names."""
    return mesa.DataCollector(model_reporters={name: partial(_reported, name) for name in REPORTED})


def _reported(name: str, model: Any) -> Any:
    return model.row[name]
