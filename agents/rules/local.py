"""Lets all satellites decide at the end of a step: builds what they know, applies the rule."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numba
import numpy as np
from numpy.typing import NDArray

from agents.rules.ahead import ShadowAhead
from agents.rules.table import RULES
from agents.rules.view import Decision, LocalView, OwnView, RuleState
from twin.network.grid import LinkKind
from twin.network.handover import NOBODY
from twin.vocabulary import EventKind

if TYPE_CHECKING:
    from agents.model import TwinModel
    from agents.satellite import Satellite


class Locals:
    """The rule of a model's satellites, and where what they know comes from.

    Parameters
    ----------
    model : TwinModel
    """

    def __init__(self, model: TwinModel) -> None:
        table = model.config.satellites
        self._model = model
        self._rule = RULES.build(table.rule, table.params)
        card, precision = model.inference.card, model.config.model.precision
        self._expert_bytes = float(card.expert_bytes(precision))
        self._gateway_bytes = float(card.gateway_bytes(precision))
        self._ahead = ShadowAhead(model.world)
        self._grid = _grid(model)
        first = self._view(beginning=True)
        model.fleet.rule = self._rule(first).state

    def decide(self) -> Decision:
        """Decide for all satellites; a subclass with a `decide` of its own is asked one by one."""
        model = self._model
        view = self._view(beginning=False)
        decision = self._rule(view)
        if type(model.satellites[0]).decide is not _plain_decide():
            for satellite in model.satellites:
                _own(satellite, view, decision.state)
        model.fleet.rule = decision.state
        return decision

    def _view(self, *, beginning: bool) -> LocalView:
        model, fleet = self._model, self._model.fleet
        end_s = 0.0 if beginning else model.snapshot.instant.t_s + model.world.step_s
        return LocalView(
            bus=fleet.energy.bus,
            soc=fleet.energy.soc,
            temperature_k=fleet.energy.temperature_k,
            sunlit=fleet.sunlit,
            load=fleet.utilisation,
            load_w=fleet.energy.drawn_w,
            powered=fleet.energy.powered,
            hosting=fleet.hosting,
            gateway=fleet.gateway,
            expert_bytes=self._expert_bytes,
            last=fleet.rule,
            ahead_of=partial(self._ahead.at, end_s),
            carried_by=partial(self._carried, beginning),
            experts_of=self._experts,
            neighbours_of=partial(self._neighbours, beginning),
            serving_of=partial(self._serving, beginning),
            room_of=partial(self._room, beginning),
        )

    def take_over(self, decision: Decision) -> None:
        """Let neighbours take the experts over that they were asked for, if they have room.

        The message is a step old: the neighbour itself knows whether it still has room.
        """
        model = self._model
        for asked in decision.take_over:
            _, _, satellite, neighbour = asked
            has_room = self._room(beginning=False)[neighbour] >= self._expert_bytes
            if has_room and model.controller.transfers.ask(*asked):
                model.log.add(EventKind.TAKE_OVER, satellite=satellite, other=neighbour)

    def _serving(self, beginning: bool) -> NDArray[np.bool_]:
        serving = np.zeros(self._model.fleet.size, bool)
        if not beginning and self._model.ground.sites.size:
            satellite = self._model.ground.service.satellite
            serving[satellite[satellite != NOBODY]] = True
        return serving

    def _room(self, beginning: bool) -> NDArray[np.float64]:
        model, fleet, table = self._model, self._model.fleet, self._model.config.placement
        count = fleet.experts.copy()
        if not beginning:
            for shipment in model.controller.transfers.under_way:
                count[shipment.target] += shipment.thing[1] >= 0
        full = (count >= table.experts_per_satellite) | ~model.world.may_host
        if not table.experts_on_gateway:
            full |= fleet.gateway
        used_bytes = count * self._expert_bytes + fleet.gateway * self._gateway_bytes
        return np.where(full, 0.0, fleet.memory_bytes - used_bytes)

    def _carried(self, beginning: bool) -> NDArray[np.bool_]:
        model = self._model
        through = np.zeros(model.fleet.size, bool)
        if not beginning:
            hosts = model.all_hosts
            _mark(model.all_predecessor, hosts.satellite, hosts.gateway, through)
            if model.ground.sites.size:
                satellite = model.ground.service.satellite
                for tree in model.all_predecessor[:: model.inference.card.layers]:
                    _mark_way(tree, satellite[satellite != NOBODY], through)
        return through

    def _experts(self, row: int) -> list[tuple[int, int]]:
        layers, experts = np.nonzero(self._model.controller.placement.expert == row)
        return list(zip(layers.tolist(), experts.tolist(), strict=True))

    def _neighbours(self, beginning: bool) -> NDArray[np.int64]:
        near, link = self._grid
        if beginning:
            return near
        up = np.append(self._model.snapshot.up, False)
        return np.where(up[link], near, -1)


def _plain_decide() -> object:
    from agents.satellite import Satellite

    return Satellite.decide


def _own(satellite: Satellite, view: LocalView, state: RuleState) -> None:
    row = satellite.row
    said = satellite.decide(
        OwnView(
            soc=float(view.soc[row]),
            temperature_k=float(view.temperature_k[row]),
            sunlit=float(view.sunlit[row]),
            load=float(view.load[row]),
            powered=bool(view.powered[row]),
            hosting=bool(view.hosting[row]),
        )
    )
    if said is None:
        return
    if said.speed is not None:
        state.speed[row] = min(max(said.speed, 0.0), 1.0) * view.powered[row]
    if said.accepting is not None:
        state.accepting[row] = said.accepting
    if said.terminals_on is not None:
        state.terminals_on[row] = said.terminals_on


def _grid(model: TwinModel) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Grid neighbours of every satellite and the links to them, (N, 4) each; -1 for none."""
    skeleton = model.world.skeleton
    n = model.fleet.size
    near, link = np.full((n, 4), -1), np.full((n, 4), -1)
    filled = np.zeros(n, int)
    fixed = np.isin(skeleton.kind, (LinkKind.INTRA_PLANE, LinkKind.INTER_PLANE))
    for e in np.flatnonzero(fixed):
        for a, b in (skeleton.edges[e], skeleton.edges[e][::-1]):
            if filled[a] < 4:
                near[a, filled[a]], link[a, filled[a]] = b, e
                filled[a] += 1
    return near, link


@numba.njit(cache=True)
def _mark(predecessor, satellite, gateway, through):  # type: ignore[no-untyped-def]
    """Mark every satellite on a path between a layer's gateways and its hosts."""
    layers, columns = satellite.shape
    for layer in range(layers):
        following = layer + 1 if layer + 1 < layers else 0
        through[gateway[layer]] = True
        for c in range(columns):
            for tree in (layer, following):
                node = satellite[layer, c]
                through[node] = True
                while predecessor[tree, node] >= 0:
                    node = predecessor[tree, node]
                    through[node] = True


@numba.njit(cache=True)
def _mark_way(predecessor, satellite, through):  # type: ignore[no-untyped-def]
    """Mark every satellite between those that serve sites and the first gateway."""
    for node in satellite:
        through[node] = True
        while predecessor[node] >= 0:
            node = predecessor[node]
            through[node] = True
