"""Satellites that bid for parts of the model with what they know; no central planner.

At the start of every step each satellite reports to the gateways what it could take on. These sell
(`placement.sales`) on what they have read. Only the winner knows whether it still can: it reads the
award, takes the thing or not, and answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agents.market_state import Award, MarketState, Quotes, arrival
from placement.auction import Floats
from placement.policies.telemetry import Bids
from placement.sales import GATEWAY, Hall, Sale, sell_experts, sell_gateways
from twin.planning.forecast import busy_limit
from twin.planning.problems import asked_per_s, cache_bytes, last_planned_step, light_ahead
from twin.serving.demand import asked_by_requests
from twin.serving.transfer_state import used_bytes
from twin.vocabulary import EventKind

if TYPE_CHECKING:
    from agents.model import TwinModel

_TURNS = ((True, None), (False, 0), (True, None), (False, 1))
"""What is looked at in turn: all experts, or gateways of layers of one parity. Two that follow each
other do not move at once, each of them towards where the other was."""


def weigh(model: TwinModel) -> None:
    """Let a gateway that moves weigh what it does with its cache as it is now."""
    state, tokens = (
        model.controller.transfers.state,
        model.controller.state.reports[-1].cached_tokens,
    )
    weights_bytes = state.gateway_bytes - state.kv_bytes
    state.kv_bytes = cache_bytes(model.config, model.inference.card, tokens)
    state.gateway_bytes = weights_bytes + state.kv_bytes


class Market:
    """Lets satellites bid, in the steps in which the policy leaves it to them.

    Parameters
    ----------
    model : TwinModel
    state : MarketState, optional
        Where to go on.
    """

    def __init__(self, model: TwinModel, state: MarketState | None) -> None:
        scenario, inference = model.config, model.inference
        asked = asked_by_requests(scenario, model.world.step_s)
        self._model, self._layers = model, inference.card.layers
        self._rate_per_s = asked.tokens_per_s if asked else asked_per_s(scenario, model.world)
        self._gateway_s = inference.stage_s if asked else inference.compute.gateway_s
        self.state = state

    def step(self, terms: Bids | None) -> None:
        """Report, read, take over and sell at the start of a step; None: the market is closed."""
        if terms is None:
            return
        step, every = self._model.snapshot.step, max(int(terms.every_steps), 1)
        look = step % every == 0
        if self.state is None or look:
            before = self.state or MarketState(limit=np.zeros(0))
            self.state = MarketState(
                limit=self._limit(step), quotes=before.quotes, awards=before.awards
            )
        mine, chosen = self.state, self._chosen()
        work = self._work(chosen)
        weigh(self._model)
        now = self._quotes(mine, step, work)
        self._answer(mine, now, work)
        mine.add(now, patience_steps=int(np.ceil(terms.patience_s / self._model.world.step_s)))
        hall = self._hall(mine, terms, chosen, work)
        self._withdraw(hall)
        everything, parity = _TURNS[step // every % len(_TURNS)] if look else (False, None)
        sales = sell_experts(hall, everything=everything) + sell_gateways(hall, parity=parity)
        mine.awards += [self._award(hall, sale) for sale in sales]

    def _limit(self, step: int) -> Floats:
        """Share of its time that each satellite can compute until the horizon, by its own orbit."""
        model, bus = self._model, self._model.fleet.energy.bus
        ahead = light_ahead(model.world, bus, step, last_planned_step(model.config, step))
        return busy_limit(bus, model.fleet.energy.soc, ahead)

    def _chosen(self) -> Floats:
        """How often a token needs each expert, as the controller believes it, (R*L, E)."""
        mine = self._model.controller.state
        chosen = mine.activation if mine.estimate is None else mine.estimate
        assert chosen is not None  # there has been a first plan
        return np.tile(chosen, (len(self._model.all_hosts.gateway) // self._layers, 1))

    def _work(self, chosen: Floats) -> Floats:
        """Share of its time that each thing asks of a satellite of pace 1, (R*L, 1+E)."""
        instances = len(chosen) // self._layers
        gateway_s = np.tile(self._gateway_s, instances)[:, None]
        work_s = np.hstack([gateway_s, chosen * self._model.inference.expert_s])
        return np.asarray(work_s * (self._rate_per_s / instances))

    def _quotes(self, mine: MarketState, step: int, work: Floats) -> Quotes:
        """What satellites say of themselves; those that are off say nothing."""
        model, fleet = self._model, self._model.fleet
        transfers = model.controller.transfers
        placement, n = transfers.placement, fleet.size
        hosts = np.column_stack([placement.gateway, placement.expert])
        load = np.bincount(hosts.ravel(), work.ravel(), n)
        room_bytes = fleet.memory_bytes - used_bytes(transfers.state, n)
        for shipment in transfers.under_way:
            layer, expert = shipment.thing
            load[shipment.target] += work[layer, 1 + expert]
            if shipment.source is None:
                room_bytes[shipment.target] -= shipment.size_bytes
        takes, delay_s = fleet.accepting & model.world.may_host, model.all_delay_s
        return Quotes(
            step=step,
            limit=mine.limit,
            load=load / fleet.pace,
            room_bytes=np.where(takes, room_bytes, 0.0),
            there=arrival(step, np.where(fleet.up, delay_s, np.inf), model.world.step_s),
        )

    def _answer(self, mine: MarketState, now: Quotes, work: Floats) -> None:
        """Let winners take what they still can; each knows itself as it is now."""
        model = self._model
        transfers, themselves = model.controller.transfers, now.by_themselves(model.fleet.up)
        for award in mine.awards:
            layer, expert, target = award.layer, award.expert, award.target
            if award.there != now.step:
                continue
            share = float(work[layer, 1 + expert] / model.fleet.pace[target])
            state = transfers.state
            size_bytes = state.gateway_bytes if expert == GATEWAY else state.expert_bytes
            able = bool(themselves.bears(share, size_bytes)[target])
            if able and transfers.ask(layer, expert, award.source, target):
                now.load[target] += share
                now.room_bytes[target] -= size_bytes
                model.log.add(EventKind.TAKE_OVER, satellite=award.source, other=target)
        mine.awards = [award for award in mine.awards if award.answered > now.step]

    def _hall(self, mine: MarketState, terms: Bids, chosen: Floats, work: Floats) -> Hall:
        model, step = self._model, self._model.snapshot.step
        transfers, skeleton = model.controller.transfers, model.world.skeleton
        sold = {(award.layer, award.expert) for award in mine.awards}
        seconds = (last_planned_step(model.config, step) + 1 - step) * model.world.step_s
        return Hall(
            terms=terms,
            layers=self._layers,
            indptr=skeleton.indptr,
            indices=skeleton.indices,
            weight_s=model.snapshot.weight_s,
            delay_s=model.all_delay_s,
            up=model.fleet.up[model.all_hosts.gateway],
            placement=transfers.placement,
            chosen=chosen,
            work=work,
            pace=model.fleet.pace,
            gateway_bytes=transfers.state.gateway_bytes,
            expert_bytes=transfers.state.expert_bytes,
            transfer_s=model.inference.transfer_s,
            tokens=self._rate_per_s / (len(chosen) // self._layers) * seconds,
            heard=mine.heard(step),
            busy=frozenset(sold | {wish.thing for wish in transfers.state.wanted}),
        )

    def _withdraw(self, hall: Hall) -> None:
        """Give up what is on its way to satellites that there is no word of; it is sold again."""
        transfers = self._model.controller.transfers
        for shipment in list(transfers.under_way):
            layer, expert = shipment.thing
            absent = transfers.gateway_absent if expert < 0 else transfers.absent[:, expert]
            seller = hall.seller(layer)
            # A thing that no satellite holds stays on its way, to wherever it goes.
            if seller is None or absent[layer]:
                continue
            if not hall.heard.known[seller, shipment.target]:
                transfers.withdraw(shipment.thing)

    def _award(self, hall: Hall, sale: Sale) -> Award:
        """The message to the winner."""
        step = self._model.snapshot.step
        way_s = hall.delay_s[sale.seller, sale.target]
        there = max(int(arrival(step, way_s, self._model.world.step_s)), step + 1)
        return Award(
            layer=sale.layer,
            expert=sale.expert,
            source=sale.source,
            target=sale.target,
            there=there,
            answered=2 * there - step,
        )
