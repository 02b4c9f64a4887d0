"""Migration as traffic: weights and caches on their way over the links of each step.

A plan is carried out host by host. What has to arrive goes over the shortest path from the nearest
satellite that holds it; links carry a share of their rate for this, which all that is on its way
divides among itself fairly. Until it has arrived the old host serves, from the next step on the
new one does; since every mixture of old and new hosts is a placement, and tokens keep the hosts
they started with, no token in flight is lost. Only where memory does not allow both copies is the
old one given up first.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement, PlacementProblem
from twin.serving.flows import Flow, Routes, carry
from twin.serving.shipments import GROUND, Shipment, Terms, Thing, Wanted
from twin.serving.transfer_state import (
    TransferState,
    in_force,
    shipment_of,
    used_bytes,
    wide,
    with_rows,
)
from twin.world.topology import Snapshot


class Transfers:
    """Carries out changes of placement.

    Parameters
    ----------
    state : TransferState
        Where to go on.
    memory_bytes : (N,) float64
    terms : Terms
    """

    def __init__(
        self, state: TransferState, memory_bytes: NDArray[np.float64], terms: Terms
    ) -> None:
        self._memory_bytes = memory_bytes
        self._terms = terms
        self._rows: dict[Thing, list[int]] = {}
        self.state = state

    @property
    def placement(self) -> Placement:
        """In force: what serves."""
        return self.state.placement

    @property
    def absent(self) -> NDArray[np.bool_]:
        """Experts given up before they arrived, (L, E)."""
        return self.state.absent

    @property
    def gateway_absent(self) -> NDArray[np.bool_]:
        """Gateways given up before they arrived, (L,)."""
        return self.state.gateway_absent

    @property
    def under_way(self) -> list[Shipment]:
        """What is on its way."""
        return self.state.under_way

    @property
    def carried_bytes(self) -> float:
        """Bytes that moved in the last step."""
        return self.state.carried_bytes

    @property
    def hop_bytes(self) -> float:
        """Bytes times hops of the last step."""
        return self.state.hop_bytes

    def adopt(self, placement: Placement) -> None:
        """Put a placement in force at once, dropping whatever is under way."""
        old = self.state
        self.state = replace(
            in_force(placement),
            now_s=old.now_s,
            gateway_bytes=old.gateway_bytes,
            expert_bytes=old.expert_bytes,
            kv_bytes=old.kv_bytes,
        )
        self._rows.clear()

    def start(self, problem: PlacementProblem | None, wanted: Placement) -> bool:
        """Start to move to another placement; return whether any host changes at once.

        Transfers that are no longer wanted are dropped. Without a problem, sizes are as before.
        """
        mine = self.state
        if problem is not None:
            mine.gateway_bytes, mine.expert_bytes = problem.gateway_bytes, problem.expert_bytes
            mine.kv_bytes = problem.kv_bytes
        going = {(a.thing, a.target): a for a in self.under_way}
        mine.under_way, mine.wanted = [], []
        before = self.placement
        for thing, hosts in self._to_change(wanted):
            held = self._row(thing)
            mine.wanted.append(Wanted(thing=thing, hosts=hosts))
            mine.under_way += [
                going.get((thing, host)) or shipment_of(mine, thing, host)
                for host in hosts
                if host not in held or self._is_absent(thing)
            ]
        self._settle_rows()
        return self.placement != before

    def ask(self, layer: int, expert: int, source: int, target: int) -> bool:
        """Add a move of one copy (expert -1: the gateway); return whether it is under way now."""
        thing, mine = (layer, expert), self.state
        held = self._row(thing)
        busy = any(wish.thing == thing for wish in mine.wanted) or self._is_absent(thing)
        if busy or source not in held or target in held:
            return False
        hosts = [target if host == source else host for host in held]
        mine.wanted.append(Wanted(thing=thing, hosts=hosts))
        mine.under_way.append(shipment_of(mine, thing, target))
        return True

    def withdraw(self, thing: Thing) -> None:
        """Leave a thing with the hosts that it has; what has arrived of its copies is dropped."""
        mine = self.state
        mine.wanted = [wish for wish in mine.wanted if wish.thing != thing]
        mine.under_way = [a for a in mine.under_way if a.thing != thing]

    def settle(self) -> tuple[list[Shipment], bool]:
        """Let what has arrived serve from now on; return it, and whether hosts have changed."""
        arrived = [a for a in self.under_way if a.arrived(self.state.now_s)]
        if not arrived:
            return [], False
        self.state.under_way = [a for a in self.under_way if not a.arrived(self.state.now_s)]
        for shipment in arrived:
            row = self._row(shipment.thing)
            if self._is_absent(shipment.thing):
                row.clear()
                self._set_absent(shipment.thing, False)
            if shipment.target not in row:
                row.append(shipment.target)
            self._rows[shipment.thing] = row
        before = self.placement
        self._settle_rows()
        return arrived, self.placement != before

    def carry(
        self,
        snapshot: Snapshot,
        indptr: NDArray[np.int32],
        indices: NDArray[np.int32],
        *,
        up: NDArray[np.bool_],
        accepting: NDArray[np.bool_],
        taken: NDArray[np.float64] | None = None,
    ) -> list[Shipment]:
        """Carry what one step's links allow, `taken` a share of each; return what has set out."""
        self.state.carried_bytes = self.state.hop_bytes = 0.0
        if not self.under_way:
            return []
        self.state.now_s = snapshot.instant.t_s + self._terms.step_s
        # What comes up from the ground shares one more link.
        room_bytes = np.full(len(indices) + 1, self._terms.link_bytes)
        if taken is not None:
            left_bytes = self._terms.rate_bytes * np.maximum(1.0 - taken, 0.0)
            room_bytes[:-1] = np.minimum(self._terms.link_bytes, left_bytes)
        room_bytes[-1] = self._terms.store_bytes
        routes = Routes(self.under_way, snapshot, indptr, indices)
        going, short_of_memory = self._going(routes, room_bytes, up=up, accepting=accepting)
        begun = self._flow(going, room_bytes)
        if not self.carried_bytes and short_of_memory and self._terms.store_bytes:
            self._give_up(short_of_memory[0])
        return begun

    def _going(
        self,
        routes: Routes,
        room_bytes: NDArray[np.float64],
        *,
        up: NDArray[np.bool_],
        accepting: NDArray[np.bool_],
    ) -> tuple[list[Flow], list[Shipment]]:
        """What flows in a step, and what cannot set out for lack of memory."""
        going: list[Flow] = []
        short_of_memory = []
        used = used_bytes(self.state, len(self._memory_bytes))
        for shipment in self.under_way:
            first, target = shipment.source is None, shipment.target
            if not (accepting if first else up)[target]:
                continue
            free_bytes = self._memory_bytes[target] * (1 + 1e-9) - used[target]
            if first and free_bytes < shipment.size_bytes:
                short_of_memory.append(shipment)
                continue
            source = self._source(shipment, up, routes.delay_s(target))
            self._choose_cache(shipment, source)
            links = routes.links(source, target)
            if shipment.left_bytes > 0.0 and (room_bytes[links] > 0.0).all():
                used[target] += shipment.size_bytes if first else 0.0
                going.append(Flow(shipment, source, links))
        return going, short_of_memory

    def _flow(self, going: list[Flow], room_bytes: NDArray[np.float64]) -> list[Shipment]:
        """Let flows share the links for a step; return what has set out with it."""
        if not going:
            return []
        wanted_bytes = np.array([flow.shipment.left_bytes for flow in going])
        carried = carry([flow.links for flow in going], room_bytes, wanted_bytes)
        begun = [flow.shipment for flow in going if flow.shipment.source is None]
        for flow, carried_bytes in zip(going, carried.tolist(), strict=True):
            self.state.carried_bytes += carried_bytes
            self.state.hop_bytes += carried_bytes * len(flow.links)
            flow.shipment.take(flow.source, carried_bytes)
        return begun

    def _to_change(self, wanted: Placement) -> list[tuple[Thing, list[int]]]:
        """Things that are absent or whose hosts or their order differ, with their wanted hosts."""
        found: list[tuple[Thing, list[int]]] = []
        for gateway, old, new, absent in (
            (True, self.placement.gateways, wanted.gateways, self.gateway_absent),
            (False, self.placement.copies, wanted.copies, self.absent),
        ):
            width = max(old.shape[-1], new.shape[-1])
            before, after = wide(old, width), wide(new, width)
            for index in np.argwhere((before != after).any(axis=-1) | absent):
                thing = (int(index[0]), -1 if gateway else int(index[1]))
                found.append((thing, [int(h) for h in after[tuple(index)] if h >= 0]))
        return found

    def _choose_cache(self, shipment: Shipment, source: int) -> None:
        """Recompute a cache where that is quicker, or where no satellite holds it any more."""
        terms = self._terms
        moved_s = shipment.cache_bytes / terms.link_bytes * terms.step_s
        recompute_s = shipment.cache_bytes * terms.recompute_byte_s
        if shipment.cache_bytes and (source == GROUND or recompute_s < moved_s):
            shipment.compute_cache(self.state.now_s - terms.step_s + recompute_s)

    def _source(
        self, shipment: Shipment, up: NDArray[np.bool_], delay_s: NDArray[np.float64]
    ) -> int:
        """The nearest satellite that holds a thing and can be reached, or the ground."""
        holders = [] if self._is_absent(shipment.thing) else self._row(shipment.thing)
        reached = [(delay_s[h], h) for h in holders if up[h] and np.isfinite(delay_s[h])]
        return min(reached)[1] if reached else GROUND

    def _give_up(self, blocked: Shipment) -> None:
        """Drop a thing that leaves a satellite anyway, to make room for one that must come."""
        for wish in self.state.wanted:
            thing, wanted = wish.thing, wish.hosts
            row = [] if self._is_absent(thing) else self._row(thing)
            if blocked.target in row and blocked.target not in wanted:
                if len(row) > 1:
                    row.remove(blocked.target)
                    self._rows[thing] = row
                else:
                    self._set_absent(thing, True)
                self._settle_rows()
                return

    def _row(self, thing: Thing) -> list[int]:
        if thing in self._rows:
            return list(self._rows[thing])
        layer, expert = thing
        placement = self.placement
        row = placement.gateways[layer] if expert < 0 else placement.copies[layer, expert]
        return [int(h) for h in row if h >= 0]

    def _is_absent(self, thing: Thing) -> bool:
        layer, expert = thing
        return bool(self.gateway_absent[layer] if expert < 0 else self.absent[layer, expert])

    def _set_absent(self, thing: Thing, value: bool) -> None:
        layer, expert = thing
        if expert < 0:
            self.gateway_absent[layer] = value
        else:
            self.absent[layer, expert] = value

    def _settle_rows(self) -> None:
        """Order each changing thing's hosts: the wanted ones that are there, then the old ones.

        A thing whose wanted hosts are all there needs its old ones no more.
        """
        left = []
        for wish in self.state.wanted:
            thing, wanted = wish.thing, wish.hosts
            row = self._row(thing)
            there = [h for h in wanted if h in row]
            if len(there) == len(wanted) and not self._is_absent(thing):
                self._rows[thing] = wanted
            else:
                left.append(wish)
                self._rows[thing] = there + [h for h in row if h not in wanted]
        self.state.wanted = left
        if self._rows:
            self.state.placement = with_rows(self.placement, self._rows)
            self._rows.clear()
