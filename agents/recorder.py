"""Write a model's steps into a run."""

import numpy as np
import pyarrow as pa

from agents.hops import trace
from agents.model import TwinModel
from agents.service import Cause
from twin.energy.bus import ZERO_CELSIUS_K
from twin.runs import RunWriter
from twin.tables import HOP


class Recorder:
    """Called by the model after every step; adds that step's rows to a run."""

    def __init__(self, writer: RunWriter) -> None:
        self._writer = writer
        self._placement = -1

    def __call__(self, model: TwinModel) -> None:
        """Record the step the model has just taken."""
        step, simulation = model.snapshot.step, model.config.simulation
        self._writer.add("steps", model.row)
        self._layers(model, step)
        if model.controller.version != self._placement:
            self._placements(model, step)
        if step % simulation.record_satellites_every == 0:
            self._satellites(model, step)
        events = model.log.columns(model.snapshot.sky.t_s)
        if events["kind"]:
            self._writer.add("events", {"step": step} | events)
        if simulation.record_tokens_per_step:
            self._tokens(model, step, simulation.record_tokens_per_step)

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

    def _placements(self, model: TwinModel, step: int) -> None:
        self._placement = model.controller.version
        placement, activation = model.controller.placement, model.inference.activation
        layers, experts = placement.expert.shape
        for copy in range(max(placement.gateways.shape[1], placement.copies.shape[2])):
            hosts = np.full((layers, 1 + experts), -1)
            if copy < placement.gateways.shape[1]:
                hosts[:, 0] = placement.gateways[:, copy]
            if copy < placement.copies.shape[2]:
                hosts[:, 1:] = placement.copies[..., copy]
            there = hosts.ravel() >= 0
            rows = {
                "layer": np.repeat(np.arange(layers), experts + 1),
                "expert": np.tile(np.arange(-1, experts), layers),
                "satellite": hosts.ravel(),
                "activation": np.column_stack([np.ones(layers), activation]).ravel(),
            }
            self._writer.add(
                "placements",
                {"placement": self._placement, "step": step, "copy": copy}
                | {name: column[there] for name, column in rows.items()},
            )

    def _satellites(self, model: TwinModel, step: int) -> None:
        fleet, energy, r_km = model.fleet, model.fleet.energy, model.snapshot.sky.r_km
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
                "speed": energy.speed * fleet.sound,
                "utilisation": fleet.utilisation,
                "degree": fleet.degree,
            },
        )

    def _tokens(self, model: TwinModel, step: int, count: int) -> None:
        presented = model.served
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
        offset = np.zeros(len(served) + 1, np.int32)
        offset[1:][served] = np.diff(hops.offset)
        fields = list(HOP)
        columns = [pa.array(getattr(hops, field.name)).cast(field.type) for field in fields]
        self._writer.add(
            "tokens",
            {
                "step": step,
                "token": np.arange(len(served)),
                "latency_s": latency_s,
                "served": served,
                "cause": [Cause(c).name.lower() if c else None for c in presented.cause[:count]],
                "hops": pa.ListArray.from_arrays(
                    np.cumsum(offset, dtype=np.int32),
                    pa.StructArray.from_arrays(columns, fields=fields),
                ),
            },
        )
