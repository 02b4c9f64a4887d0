"""Frames of a model that is running: a recorder that shows instead of writing."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from agents.model import TwinModel
from agents.recorder import followed, hosts
from twin.energy.bus import ZERO_CELSIUS_K
from twin.runs.distribution import Distribution, is_exact
from twin.views import load, trace
from twin.views.block import Block
from twin.views.trace import Columns, Frame, Plan
from twin.vocabulary import SatelliteState


class Tap:
    """Called with the model after every step; passes on a frame once all its steps are made.

    Parameters
    ----------
    begin : callable
        Called with the model and the plan before the first frame.
    show : callable
        Called with every frame.
    """

    def __init__(
        self, begin: Callable[[TwinModel, Plan], None], show: Callable[[Frame], None]
    ) -> None:
        self._begin = begin
        self._show = show
        self._plan: Plan | None = None
        self._drawn: int | None = None
        self._placement = -1
        self._block = Block()
        self._first: Columns = {}

    def __call__(self, model: TwinModel) -> None:
        """Take in the step that the model has just made."""
        if self._plan is None:
            self._plan = trace.plan(model.world, model.snapshot.step)
            self._block = Block(start_s=model.snapshot.instant.t_s)
            self._begin(model, self._plan)
        if self._plan.shown(model.snapshot.step):
            self._first = self._shown(model, self._plan)
        self._add(model)
        if self._plan.complete(model.snapshot.step):
            self.end()

    def end(self) -> None:
        """Show the steps since the last frame, if any; for a run that was stopped among them."""
        if self._block.rows:
            self._show(Frame(**self._first, **self._block.merged()))
            self._block = Block(start_s=self._block.start_s)

    def _add(self, model: TwinModel) -> None:
        block, latency = self._block, model.served.latency
        simulation, workload = model.config.simulation, model.config.workload
        exact = is_exact(steps=simulation.steps, tokens_per_step=workload.tokens_per_step)
        block.rows.append(model.row | load.of_model(model))
        block.durations.append(
            {
                "latency": Distribution.of(latency.total_s, exact=exact),
                "ttft": Distribution.of(model.first_s, exact=exact),
            }
        )
        block.propagation_s.append(latency.layer_propagation_mean_s)
        block.compute_s.append(latency.layer_mean_s - latency.layer_propagation_mean_s)
        events = model.log.columns(model.snapshot.instant.t_s)
        block.events += [
            dict(zip(events, row, strict=True)) for row in zip(*events.values(), strict=True)
        ]

    def _shown(self, model: TwinModel, planned: Plan) -> Columns:
        """Fields of a frame that show the first of its steps; copies, for the model goes on."""
        fleet, ground, layers = model.fleet, model.ground, model.inference.card.layers
        new = model.controller.version != self._placement
        self._placement = model.controller.version
        return {
            "positions": np.array(model.snapshot.instant.r_km),
            "sun": np.array(model.snapshot.instant.sun_km),
            "sunlit": np.array(fleet.sunlit),
            "soc": np.array(fleet.energy.soc),
            "utilisation": np.array(fleet.utilisation),
            "temperature_c": fleet.energy.temperature_k - ZERO_CELSIUS_K,
            "state": state(model),
            "link_state": np.array(model.snapshot.link_state),
            "serving": np.array(ground.service.satellite if ground.sites.size else [], np.int64),
            "tokens": self._tokens(model, planned),
            "placement": hosts(model.controller.placement, layers) if new else None,
            "copies": load.copies_of_model(model),
        }

    def _tokens(self, model: TwinModel, planned: Plan) -> Columns:
        recorded = model.config.simulation.record_tokens_per_step
        if self._drawn is None:
            hops = followed(model, recorded)[2]
            self._drawn = trace.drawn(recorded, len(hops.layer), planned.frames)
        latency_s, cause, hops = followed(model, self._drawn)
        each = np.diff(hops.offset)
        return {
            "token": np.arange(len(cause)),
            "latency_s": latency_s,
            "cause": cause,
            "hop_token": np.repeat(np.arange(len(cause)), each),
            "hop_layer": hops.layer,
            "hop_rank": hops.rank,
            "hop_source": hops.source,
            "hop_target": hops.target,
            "hop_start_s": hops.start_s,
            "hop_end_s": hops.end_s,
        }


def state(model: TwinModel) -> NDArray[np.uint8]:
    """Number in `SatelliteState` of every satellite, the worst that holds, (N,)."""
    energy = model.fleet.energy
    found = np.zeros(model.fleet.size, np.uint8)
    worse = {
        SatelliteState.RESERVE: model.fleet.rule.low,
        SatelliteState.THROTTLED: model.fleet.rule.throttled,
        SatelliteState.FAULTY: ~model.fleet.sound | model.fleet.lost,
        SatelliteState.UNPOWERED: ~energy.powered,
    }
    for number in sorted(worse):
        found[worse[number]] = number
    return found
