"""Frames of a model that is running: a recorder that shows instead of writing."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.model import TwinModel
from agents.recorder import followed, hosts
from twin.energy.bus import ZERO_CELSIUS_K
from twin.runs import statistics as metrics
from twin.runs.tables import TABLES
from twin.views import trace
from twin.views.trace import Columns, Frame, Plan
from twin.vocabulary import SatelliteState

FIGURES = tuple(name for name in TABLES["steps"].names if name not in ("step", "placement"))
"""Columns of a run's steps that every frame has."""


class Tap:
    """Called with the model after every step; passes on a frame for each step shown.

    Parameters
    ----------
    begin : callable
        Told the model and the plan before the first frame.
    show : callable
        Told every frame.
    """

    def __init__(
        self, begin: Callable[[TwinModel, Plan], None], show: Callable[[Frame], None]
    ) -> None:
        self._begin = begin
        self._show = show
        self._plan: Plan | None = None
        self._drawn: int | None = None
        self._placement = -1
        self._events: list[dict[str, Any]] = []

    def __call__(self, model: TwinModel) -> None:
        """Take in the step that the model has just made."""
        if self._plan is None:
            self._plan = trace.plan(model.world)
            self._begin(model, self._plan)
        events = model.log.columns(model.snapshot.instant.t_s)
        self._events += [
            dict(zip(events, row, strict=True)) for row in zip(*events.values(), strict=True)
        ]
        if self._plan.shown(model.snapshot.step):
            self._show(self._frame(model, self._plan))
            self._events = []

    def _frame(self, model: TwinModel, planned: Plan) -> Frame:
        fleet, latency, ground = model.fleet, model.served.latency, model.ground
        new = model.controller.version != self._placement
        self._placement = model.controller.version
        return Frame(
            positions=model.snapshot.instant.r_km,
            sun=model.snapshot.instant.sun_km,
            sunlit=fleet.sunlit,
            soc=fleet.energy.soc,
            utilisation=fleet.utilisation,
            temperature_c=fleet.energy.temperature_k - ZERO_CELSIUS_K,
            state=state(model),
            link_state=model.snapshot.link_state,
            serving=np.array(ground.service.satellite if ground.sites.size else [], np.int64),
            figures=[model.row.get(name, np.nan) for name in FIGURES],
            layer_propagation_s=latency.layer_propagation_mean_s,
            layer_compute_s=latency.layer_mean_s - latency.layer_propagation_mean_s,
            quantiles_s=metrics.latency_quantiles(latency.total_s),
            tokens=self._tokens(model, planned),
            placement=hosts(model.controller.placement) if new else None,
            events=self._events,
        )

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
        SatelliteState.RESERVE: energy.low,
        SatelliteState.THROTTLED: energy.throttled,
        SatelliteState.FAULTY: ~model.fleet.sound,
        SatelliteState.UNPOWERED: ~energy.powered,
    }
    for number in sorted(worse):
        found[worse[number]] = number
    return found
