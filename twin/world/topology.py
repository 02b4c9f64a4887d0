"""The network step by step: geometry, limits and outages of every link, as one snapshot a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from twin.constants import C_KM_S
from twin.network import grid
from twin.network.terminals import TerminalState
from twin.space.ephemeris import Instant
from twin.vocabulary import LinkState
from twin.world.sources import Source

if TYPE_CHECKING:
    from twin.world.world import World


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The topology during one step.

    Attributes
    ----------
    step : int
    instant : Instant
        Positions the delays were computed from.
    link_state : (E,) uint8
        `twin.network.links.LinkState` of each link of the skeleton.
    weight_s : (2E,) float64
        Delay of each CSR entry, ``inf`` where the link is not up.
    """

    step: int
    instant: Instant
    link_state: NDArray[np.uint8]
    weight_s: NDArray[np.float64]

    @property
    def up(self) -> NDArray[np.bool_]:
        """Which links are up, (E,)."""
        return np.equal(self.link_state, LinkState.UP)


@dataclass(kw_only=True)
class NetworkState:
    """What the network of a run carries from one step to the next.

    Attributes
    ----------
    step : int
        The next one.
    unbroken : (E,) bool or None
        Links that no random outage held down in the step before; None before the first.
    cut : (E,) bool
        Links that somebody took away for good.
    terminals : TerminalState
    """

    step: int
    unbroken: NDArray[np.bool_] | None
    cut: NDArray[np.bool_]
    terminals: TerminalState


class Network:
    """The topology of one run, step by step, as its satellites have power or not.

    Parameters
    ----------
    world : World
    source : Source
        Where outages come from.
    state : NetworkState, optional
        Where to go on; before the first step by default.
    """

    def __init__(self, world: World, source: Source, state: NetworkState | None = None) -> None:
        self._world, self.source = world, source
        self._terminals = world.terminals(None if state is None else state.terminals)
        self._before: Instant | None = None
        self._everybody = np.ones(world.constellation.size, bool)
        self.state = state or NetworkState(
            step=0,
            unbroken=None,
            cut=np.zeros(len(world.skeleton.edges), bool),
            terminals=self._terminals.state,
        )
        self._some_cut = bool(self.state.cut.any())

    def cut(self, a: int, b: int) -> bool:
        """Take the link between two satellites away for good; return whether there is one."""
        edges = self._world.skeleton.edges
        found = ((edges == (a, b)) | (edges == (b, a))).all(axis=1)
        self.state.cut[found] = True
        self._some_cut |= bool(found.any())
        return bool(found.any())

    def advance(self, powered: NDArray[np.bool_] | None = None) -> Snapshot:
        """Return the topology of the next step.

        Parameters
        ----------
        powered : (N,) bool, optional
            Satellites whose terminals are on; all by default.
        """
        mine, step = self.state, self.state.step
        if self._before is None and step > 0:
            self._before = self._world.ephemeris.at(step - 1)
        now = self._world.ephemeris.at(step)
        mine.unbroken = self.source.unbroken(step, mine.unbroken, len(mine.cut))
        state, weight_s = self._terminals.advance(
            self._before,
            now,
            mine.unbroken & ~mine.cut if self._some_cut else mine.unbroken,
            self._everybody if powered is None else powered,
        )
        if self._some_cut:
            state[mine.cut & (state == LinkState.RANDOM)] = LinkState.CUT
        mine.step, self._before = step + 1, now
        return Snapshot(step=step, instant=now, link_state=state, weight_s=weight_s)


def to_networkx(world: World, snapshot: Snapshot) -> nx.Graph:
    """Return a snapshot as an undirected networkx graph.

    Nodes carry ``name``, ``plane``, ``slot`` and position ``x_km, y_km, z_km`` (GCRS); edges, of
    the links that are up, carry ``delay_s``, ``range_km`` and ``kind``.
    """
    graph = nx.Graph(step=snapshot.step, t_s=snapshot.instant.t_s)
    body = world.constellation
    for i, (name, plane, slot, r) in enumerate(
        zip(body.names, body.plane, body.slot, snapshot.instant.r_km, strict=True)
    ):
        x, y, z = map(float, r)
        graph.add_node(i, name=name, plane=int(plane), slot=int(slot), x_km=x, y_km=y, z_km=z)
    skeleton = world.skeleton
    delay_s = snapshot.weight_s[skeleton.entry[:, 0]]
    for e in np.flatnonzero(snapshot.up):
        a, b = map(int, skeleton.edges[e])
        kind = grid.LinkKind(int(skeleton.kind[e])).name.lower().replace("_", "-")
        delay = float(delay_s[e])
        graph.add_edge(a, b, delay_s=delay, range_km=delay * C_KM_S, kind=kind)
    return graph
