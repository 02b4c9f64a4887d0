"""Rows of a run's tables about requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agents.requests import prices
from twin.serving.engine.records import Rows
from twin.serving.request_step import RequestStep
from twin.vocabulary import Cause

if TYPE_CHECKING:
    from agents.model import TwinModel


def request_rows(model: TwinModel, step: int, done: RequestStep) -> dict[str, Any]:
    """Rows of table ``requests`` for those that ended in a step."""
    return _rows(model, step, model.snapshot.instant.t_s, done.ended)


def unfinished_rows(model: TwinModel) -> dict[str, Any]:
    """The same for those that are inside after the last step, as if it were the end."""
    assert model.requests is not None
    step = model.network.state.step - 1  # a model that has just gone on has no snapshot
    start_s = float(model.world.ephemeris.t_s[step])
    return _rows(model, step, start_s, model.requests.unfinished())


def _rows(model: TwinModel, step: int, start_s: float, rows: Rows) -> dict[str, Any]:
    compute_w, hop_j = prices(model)
    served = rows["cause"] == Cause.NONE
    first_s, last_s = (np.where(served, rows[name], np.nan) for name in ("first_s", "last_s"))
    further = np.where(rows["output"] > 1, rows["output"] - 1, np.nan)
    return {
        "step": step,
        "request": rows["number"],
        "site": rows["site"],
        "instance": rows["instance"],
        "cause": [Cause(c).word if c else None for c in rows["cause"]],
        "prompt_tokens": rows["prompt"],
        "output_tokens": rows["output"],
        "made_tokens": rows["made"],
        "asked_s": rows["asked_s"] + start_s,
        "admitted_s": rows["admitted_s"] + start_s,
        "ttft_s": first_s - rows["asked_s"],
        "tpot_s": (last_s - first_s) / further,
        "e2e_s": last_s - rows["asked_s"],
        "longest_gap_s": rows["gap_s"],
        "waiting_s": rows["admitted_s"] - rows["came_s"] + rows["wait_s"],
        "computing_s": rows["serve_s"],
        "way_s": rows["way_s"],
        "reused_tokens": rows["reused"],
        "energy_j": rows["busy_s"] * compute_w + rows["hops"] * hop_j,
        "preemptions": rows["preempted"],
        "retries": rows["tries"],
    }


def visit_rows(model: TwinModel, step: int, done: RequestStep) -> dict[str, Any]:
    """Rows of table ``visits``."""
    rows, start_s = done.visits, model.snapshot.instant.t_s
    same = ("layer", "expert", "satellite", "first_token", "tokens")
    times = {name: rows[name] + start_s for name in ("came_s", "began_s", "ended_s")}
    columns = {name: rows[name] for name in same}
    return {"step": step, "request": rows["number"], **columns, **times}


def instance_rows(model: TwinModel, step: int, done: RequestStep) -> dict[str, Any]:
    """Rows of table ``instances``."""
    return {
        "step": step,
        "instance": np.arange(len(done.running)),
        "open": model.dispatcher.state.open,
        "running": done.running,
        "waiting": done.waiting,
        "tokens_out": done.made_by,
        "cache_share": done.blocks_share,
    }


def load_row(model: TwinModel, step: int, done: RequestStep) -> dict[str, Any]:
    """The row of table ``load``."""
    at, share, each = model.machines, done.link_share, done.each
    services = int(each.services.sum())
    compute_w, hop_j = prices(model)
    fullest = int(share.argmax()) if share.any() else -1
    up = np.isfinite(at.weight_s)
    return {
        "step": step,
        "running": int(done.running.sum()),
        "waiting": int(done.waiting.sum()),
        "tokens_in": done.tokens_passed,
        "tokens_out": done.tokens_made,
        "batch_mean": int(each.service_tokens.sum()) / services if services else np.nan,
        "cache_share": float(done.blocks_share.mean()),
        "busiest_share": float((done.busy_s / at.pace).max() / model.world.step_s),
        "network_j": float(done.link_tokens.sum()) * hop_j,
        "unwanted_j": done.unwanted.busy_s * compute_w + done.unwanted.hops * hop_j,
        "under_way_j": done.under_way.busy_s * compute_w + done.under_way.hops * hop_j,
        "link_mean_share": float(share[up].mean()) if up.any() else np.nan,
        "link_most_share": float(share.max(initial=0.0)),
        "link_most_source": int(np.searchsorted(at.indptr, fullest, side="right")) - 1,
        "link_most_target": int(at.indices[fullest]) if fullest >= 0 else -1,
    }


def queue_rows(step: int, done: RequestStep) -> dict[str, Any]:
    """Rows of table ``queues``: satellites that work on requests, or hold something of them."""
    each = done.each
    mine = (each.waiting_tokens > 0) | (each.services > 0) | (each.cache_share > 0)
    at = np.flatnonzero(mine)
    services = each.services[at]
    return {
        "step": step,
        "satellite": at,
        "waiting_tokens": each.waiting_tokens[at],
        "services": services,
        "batch_mean": np.where(
            services > 0, each.service_tokens[at] / np.maximum(services, 1), np.nan
        ),
        "cache_share": each.cache_share[at],
    }


def traffic_rows(model: TwinModel, step: int, done: RequestStep) -> dict[str, Any]:
    """Rows of table ``traffic``: directed links on which hidden states were."""
    at = np.flatnonzero(done.link_share > 0)
    return {
        "step": step,
        "source": np.searchsorted(model.machines.indptr, at, side="right") - 1,
        "target": model.machines.indices[at],
        "share": done.link_share[at],
        "tokens": done.link_tokens[at],
    }
