"""Write a model's steps into a run."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from agents.model import TwinModel
from agents.request_rows import (
    instance_rows,
    load_row,
    queue_rows,
    request_rows,
    traffic_rows,
    unfinished_rows,
    visit_rows,
)
from placement.problem import Placement
from twin.energy.bus import ZERO_CELSIUS_K
from twin.runs.distribution import Distribution, is_exact
from twin.runs.slowest import slowest_columns, slowest_layers
from twin.runs.tables import HOP
from twin.runs.writer import RunWriter
from twin.serving.hops import Hops, trace
from twin.vocabulary import Cause


class Recorder:
    """Called by the model after every step; adds that step's rows to a run."""

    def __init__(self, writer: RunWriter, model: TwinModel) -> None:
        self._writer = writer
        # What a model that goes on has carried so far is recorded already.
        self._placement = model.controller.version
        self._unbroken = model.network.state.unbroken

    @property
    def run_id(self) -> str:
        """Name of the run that it writes."""
        return self._writer.run_id

    def __call__(self, model: TwinModel) -> None:
        """Record the step the model has just taken."""
        step, simulation = model.snapshot.step, model.config.simulation
        self._writer.add("steps", model.row)
        self._layers(model, step)
        self._durations(model, step)
        if model.controller.version != self._placement:
            self._placements(model, step)
        if step % simulation.record_satellites_every == 0:
            self._satellites(model, step)
        events = model.log.arrays(model.snapshot.instant.t_s)
        if len(events["kind"]):
            self._writer.add("events", {"step": step} | events)
        if simulation.record_tokens_per_step:
            self._tokens(model, step, simulation.record_tokens_per_step)
        self._outages(model, step)
        if model.requests is not None:
            self._by_satellite(model, step)
            rows = request_rows(model, step, model.requested)
            if len(rows["request"]):
                self._writer.add("requests", rows)
            if len(model.requested.visits):
                self._writer.add("visits", visit_rows(model, step, model.requested))
            self._writer.add("load", load_row(model, step, model.requested))
            if len(model.instances) > 1:
                self._writer.add("instances", instance_rows(model, step, model.requested))
        self._writer.end_step(step)

    def _by_satellite(self, model: TwinModel, step: int) -> None:
        """Record queues and traffic, as rarely as satellites."""
        if step % model.config.simulation.record_satellites_every:
            return
        queues = queue_rows(step, model.requested)
        if len(queues["satellite"]):
            self._writer.add("queues", queues)
        traffic = traffic_rows(model, step, model.requested)
        if len(traffic["source"]):
            self._writer.add("traffic", traffic)

    def close(self, model: TwinModel) -> None:
        """Record what the end of the run found inside."""
        if model.requests is None:
            return
        rows = unfinished_rows(model)
        if len(rows["request"]):
            self._writer.add("requests", rows)

    def _outages(self, model: TwinModel, step: int) -> None:
        now = model.network.state.unbroken
        assert now is not None  # a step has been taken
        turned = np.flatnonzero(~now if self._unbroken is None else now != self._unbroken)
        self._unbroken = now
        if len(turned):
            self._writer.add("outages", {"step": step, "link": turned})

    def _layers(self, model: TwinModel, step: int) -> None:
        tokens = model.served.latency
        layers = len(tokens.layer_mean_s)
        self._writer.add(
            "layers",
            {
                "step": step,
                "layer": np.arange(layers),
                "latency_mean_s": tokens.layer_mean_s,
                "propagation_mean_s": tokens.layer_propagation_mean_s,
                "compute_mean_s": tokens.layer_mean_s - tokens.layer_propagation_mean_s,
            },
        )

    def _durations(self, model: TwinModel, step: int) -> None:
        simulation, workload = model.config.simulation, model.config.workload
        exact = is_exact(steps=simulation.steps, tokens_per_step=workload.tokens_per_step)
        for name, values_s in (("latency", model.served.latency.total_s), ("ttft", model.first_s)):
            if len(values_s):
                found = Distribution.of(values_s, exact=exact)
                rows = {"step": step, "value_s": found.value_s, "count": found.count}
                self._writer.add(name, rows)

    def _placements(self, model: TwinModel, step: int) -> None:
        self._placement = model.controller.version
        self._writer.add("placements", placement_rows(model, step))

    def _satellites(self, model: TwinModel, step: int) -> None:
        fleet, energy, r_km = model.fleet, model.fleet.energy, model.snapshot.instant.r_km
        self._writer.add(
            "satellites",
            {
                "step": step,
                "satellite": np.arange(fleet.size),
                "x_km": r_km[:, 0],
                "y_km": r_km[:, 1],
                "z_km": r_km[:, 2],
                "sunlit": fleet.sunlit,
                "soc": energy.soc,
                "temperature_c": energy.temperature_k - ZERO_CELSIUS_K,
                "powered": energy.powered,
                "speed": fleet.rule.speed * (fleet.sound & ~fleet.lost),
                "utilisation": fleet.utilisation,
                "degree": fleet.degree,
            },
        )

    def _tokens(self, model: TwinModel, step: int, count: int) -> None:
        latency_s, cause, hops = followed(model, count)
        fields = list(HOP)
        columns = [pa.array(getattr(hops, field.name)).cast(field.type) for field in fields]
        self._writer.add(
            "tokens",
            {
                "step": step,
                "token": np.arange(len(cause)),
                "latency_s": latency_s,
                "served": cause == Cause.NONE,
                "cause": [Cause(c).word if c else None for c in cause],
                # From the times as they are written, so that hops and this agree to the bit.
                **slowest_columns(
                    slowest_layers(
                        hops.offset, hops.layer, hops.source, hops.end_s.astype(np.float32)
                    )
                ),
                "hops": pa.ListArray.from_arrays(
                    hops.offset, pa.StructArray.from_arrays(columns, fields=fields)
                ),
            },
        )


def placement_rows(model: TwinModel, step: int) -> dict[str, Any]:
    """Rows of table ``placements`` for the one in force, from `step` on."""
    rows = hosts(model.controller.placement, model.inference.card.layers)
    # A gateway, expert -1, serves every token of its layer.
    everything = np.column_stack(
        [model.inference.activation, np.ones(len(model.inference.activation))]
    )
    return (
        {"placement": model.controller.version, "step": step}
        | rows
        | {"activation": everything[rows["layer"], rows["expert"]]}
    )


def hosts(placement: Placement, layers: int) -> dict[str, NDArray[np.int64]]:
    """Rows of hosts: instance, layer, expert (-1 for the gateway), copy and satellite."""
    rows, experts = placement.expert.shape
    parts = []
    for copy in range(max(placement.gateways.shape[1], placement.copies.shape[2])):
        satellite = np.full((rows, 1 + experts), -1)
        if copy < placement.gateways.shape[1]:
            satellite[:, 0] = placement.gateways[:, copy]
        if copy < placement.copies.shape[2]:
            satellite[:, 1:] = placement.copies[..., copy]
        row, expert = np.indices(satellite.shape)
        instance, layer = np.divmod(row, layers)
        columns = np.stack([instance, layer, expert - 1, np.full_like(row, copy), satellite])
        parts.append(columns[:, satellite >= 0])
    joined = np.concatenate(parts, axis=1)
    return dict(zip(("instance", "layer", "expert", "copy", "satellite"), joined, strict=True))


def followed(model: TwinModel, count: int) -> tuple[NDArray[np.float64], NDArray[np.uint8], Hops]:
    """The first `count` tokens of the step just taken.

    Returns
    -------
    latency_s : (count,) float64
        NaN where not served.
    cause : (count,) uint8
        `Cause`.
    hops : Hops
        Of each, none where not served.
    """
    presented = model.served
    cause = presented.cause[:count]
    served = presented.served[:count]
    hops = trace(
        model.delay_s,
        model.predecessor,
        model.hosts,
        presented.columns[:count][served],
        model.compute,
        model.inference.transfer_s,
    )
    latency_s = np.full(len(served), np.nan)
    latency_s[served] = presented.latency.total_s[: served.sum()]
    each = np.zeros(len(served) + 1, np.int32)
    each[1:][served] = np.diff(hops.offset)
    return latency_s, cause, replace(hops, offset=np.cumsum(each, dtype=np.int32))
