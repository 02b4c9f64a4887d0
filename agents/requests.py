"""Requests on a model: how the service is set up, fed each step, and written down."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents.machines import Machines
from agents.status import RequestReport
from twin import seeding
from twin.errors import InputError
from twin.serving import traces
from twin.serving.heads import Heads, heads_at_start
from twin.serving.request_step import RequestStep
from twin.serving.requests import Drawn, Source, SourceState, Traced, Users
from twin.serving.service import RequestService
from twin.serving.ways import Paths
from twin.vocabulary import Cause

if TYPE_CHECKING:
    from agents.model import TwinModel
    from agents.state import TwinState


def request_service(model: TwinModel, begins: TwinState | None) -> RequestService | None:
    """Return what serves a model's requests, from a state on; None if its scenario has none."""
    scenario, instances = model.config, model.config.placement.instances
    if instances == "fill":
        raise InputError(
            "placement.instances: a run needs a number; `twin place` says how many find room"
        )
    if scenario.serving.mode == "tokens":
        if instances > 1:
            raise InputError("placement.instances: more than 1 needs serving.mode 'requests'")
        return None
    state, step = (None, 0) if begins is None else (begins.requests, begins.step)
    pace, links = model.fleet.pace, len(model.world.skeleton.indices)
    if scenario.ground.data_centre is not None:
        boards = scenario.ground.data_centre.boards
        pace, links = np.ones(boards), boards * (boards - 1)
    seed, replicate = scenario.simulation.seed, scenario.simulation.replicate
    begin_s = step * model.world.step_s
    source = _source(model, SourceState() if state is None else state.source, begin_s)
    return RequestService(
        scenario,
        model.inference,
        source,
        heads=heads_at_start(scenario.serving.head_satellites, instances)
        if state is None
        else state.heads,
        instances=instances,
        pace=pace,
        links=links,
        sites=max(model.ground.sites.size, 1),
        step_s=model.world.step_s,
        stops_s=stops_s(model),
        seed=int(seeding.stream(seed, replicate, "choices").at(0).integers(2**63)),
        state=None if state is None else state.engine,
    )


def stops_s(model: TwinModel) -> float:
    """When arrivals stop, since the start of the run."""
    run_s = model.config.simulation.steps * model.world.step_s
    drain_s = model.config.requests.drain_s
    if drain_s >= run_s:
        raise InputError(
            f"requests.drain_s: must be less than the {run_s:g} s of the run (got {drain_s:g})"
        )
    return run_s - drain_s


def _source(model: TwinModel, state: SourceState, begin_s: float) -> Source:
    scenario, sites = model.config, model.ground.sites
    table, simulation = scenario.requests, scenario.simulation
    draws = seeding.stream(simulation.seed, simulation.replicate, "requests")
    share = sites.share if sites.size else np.ones(1)
    if table.arrivals == "closed":
        return Users(table, draws, share=share, state=state)
    if table.arrivals == "trace":
        trace = traces.read(table)
        if table.prefix_reuse and not len(trace.hashes):
            raise InputError(
                f"requests.prefix_reuse: trace {table.trace} has no hashes of prefixes; "
                "Mooncake's have"
            )
        return Traced(table, trace, draws, share=share, begin_s=begin_s, state=state)
    start = datetime.fromisoformat(model.world.constellation.epoch_utc)
    return Drawn(
        table,
        draws,
        share=share,
        longitude_deg=(
            np.degrees(np.arctan2(sites.r_km[:, 1], sites.r_km[:, 0]))
            if sites.size
            else np.zeros(1)
        ),
        start_h=start.hour + start.minute / 60.0 + start.second / 3600.0,
        begin_s=begin_s,
        state=state,
    )


def _free_bytes(model: TwinModel, at: Machines) -> NDArray[np.float64]:
    """Memory of each machine beside the weights of layers and experts, (N,)."""
    card, size = model.inference.card, len(at.pace)
    precision, boards = model.config.model.precision, model.config.compute.boards
    gateways, experts = at.placement.gateways, at.placement.copies
    held = np.bincount(gateways[gateways >= 0], minlength=size)
    hosted = np.bincount(experts[experts >= 0], minlength=size)
    weights = hosted * card.expert_bytes(precision)
    return np.asarray(at.memory_bytes - weights - held * card.gateway_bytes(precision) * boards)


def _take_vocabulary(
    model: TwinModel, at: Machines, free_bytes: NDArray[np.float64], heads: Heads
) -> None:
    """Take the memory of the input embedding, and of the LM head if it is there too, if it counts.

    First gateways have it, their standbys too.
    """
    card, table = model.inference.card, model.config
    if not table.serving.vocabulary_memory:
        return
    size = card.head_bytes if heads.apart else card.embedding_bytes
    for hosts in at.placement.gateways[:: card.layers].T:
        taken = size(table.model.precision) * table.compute.boards
        np.subtract.at(free_bytes, hosts[hosts >= 0], taken)


def serve_requests(model: TwinModel, service: RequestService, at: Machines) -> RequestStep:
    """Serve requests for the step at hand on some machines."""
    card, heads, free_bytes = model.inference.card, service.heads, _free_bytes(model, at)
    delay_s, predecessor, layers = at.delay_s, at.predecessor, card.layers
    room = free_bytes >= card.head_bytes(model.config.model.precision)
    heads.choose(at.hosts, delay_s, may=at.up & room)
    head_delay_s, head_predecessor = delay_s[::layers], predecessor[::layers]
    if heads.apart:
        head_delay_s, head_predecessor = at.paths_from(heads.satellite.ravel())
    _take_vocabulary(model, at, free_bytes, heads)
    entry_s = at.from_site_s(delay_s[::layers])
    model.dispatcher.begin(entry_s)
    return service.step(
        model.snapshot.instant.t_s,
        at.hosts,
        delay_s,
        head_delay_s,
        Paths(
            indptr=at.indptr,
            indices=at.indices,
            weight_s=at.weight_s,
            predecessor=predecessor,
            head_predecessor=head_predecessor,
        ),
        model.inference,
        up=at.up,
        speed=at.speed,
        free_bytes=free_bytes,
        entry_s=entry_s,
        exit_s=at.from_site_s(head_delay_s),
        draining=model.dispatcher.state.draining,
        dispatch=model.dispatcher,
    )


def request_report(done: RequestStep) -> RequestReport:
    """Return what the controller hears of a step's requests."""
    rows = done.ended[done.ended["cause"] == Cause.NONE]
    return RequestReport(
        ttft_s=rows["first_s"] - rows["asked_s"],
        queued=done.waiting,
        running=done.running,
        left_tokens=done.left_tokens,
        cached_tokens=done.cached_tokens,
    )


def prices(model: TwinModel) -> tuple[float, float]:
    """Power of work at full speed beyond that of idling, and energy of a token on a link."""
    bus, card, links = model.fleet.energy.bus, model.inference.card, model.config.links
    centre, bit_j = model.config.ground.data_centre, links.bit_nj * 1e-9
    pue = 1.0 if centre is None else centre.pue
    return (bus.compute_peak_w - bus.compute_idle_w) * pue, card.hidden_bytes * 8 * bit_j * pue


def sending_w(model: TwinModel) -> NDArray[np.float64] | float:
    """Power that satellites need for the bits of requests that they send, mean of the step.

    Text that is carried to a data centre and back is not counted.
    """
    if model.requests is None or model.config.ground.data_centre is not None:
        return 0.0
    skeleton, hop_j = model.world.skeleton, prices(model)[1]
    sender = np.repeat(np.arange(model.fleet.size), np.diff(skeleton.indptr))
    tokens = np.bincount(sender, model.requested.link_tokens, model.fleet.size)
    return np.asarray(tokens * (hop_j / model.world.step_s))
