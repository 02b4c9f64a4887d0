"""Requests served over the steps of a run: the engine, the step's topology, and what comes out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.moe.inference import Inference
from twin.moe.kernels import read_kernels
from twin.scenario.schema import Scenario
from twin.serving.by_satellite import BySatellite
from twin.serving.engine.engine import Engine
from twin.serving.engine.records import HELD, OUTCOME, RUNNING, WAITING, Rows
from twin.serving.engine.start import nothing_served
from twin.serving.engine.state import EngineState
from twin.serving.heads import Heads
from twin.serving.hosts import Hosts
from twin.serving.link_load import link_busy_s, link_tokens, set_ways
from twin.serving.request_step import RequestStep
from twin.serving.requests import FIELDS, Source, SourceState, Traced, Users
from twin.serving.rules import rules
from twin.serving.spent import under_way, unwanted
from twin.serving.step_tables import experts, set_blocks, set_hosts, set_legs
from twin.serving.ways import Paths, ways
from twin.serving.work import MANY, gaining_tokens, kernel_tables, set_times
from twin.vocabulary import Cause

type Dispatch = Callable[[Mapping[str, NDArray[Any]]], NDArray[np.int32]]
"""Sends requests, by the names in `FIELDS`, to instances; -1 if none takes them."""

_TIMES: Final = ("asked_s", "came_s", "admitted_s", "first_s", "last_s")


@dataclass(kw_only=True)
class RequestState:
    """What is carried to the next step: the engine's, and where the requests come from."""

    engine: EngineState
    source: SourceState
    heads: Heads


class RequestService:
    """Serves a scenario's requests.

    Parameters
    ----------
    scenario : Scenario
    inference : Inference
    source : Source
        Where requests come from.
    heads : Heads
        Where the LM head is.
    pace : (N,) float64
        Full speed of each satellite.
    links, sites : int
        Directed links, and places that requests come from.
    instances : int
        Copies of the model.
    step_s : float
    stops_s : float
        When arrivals stop, since the start of the run; may be put off.
    seed : int
        Of the tokens' choices.
    state : EngineState, optional
        Where to go on.
    """

    def __init__(
        self,
        scenario: Scenario,
        inference: Inference,
        source: Source,
        *,
        heads: Heads,
        pace: NDArray[np.float64],
        sites: int,
        links: int,
        instances: int,
        step_s: float,
        stops_s: float,
        seed: int,
        state: EngineState | None = None,
    ) -> None:
        card, table = inference.card, scenario.serving
        self._card, self._table, self._source, self._step_s = card, table, source, step_s
        self._heads, self._instances = heads, instances
        self.stops_s = stops_s
        if state is None:
            state = nothing_served(
                satellites=len(pace),
                layers=card.layers,
                experts=card.experts,
                links=links,
                heads=heads.count,
                instances=instances,
                choose_from=table.choose_from,
            )
        state.satellites["pace"] = pace
        path = scenario.compute.kernels
        kernels = {} if path is None else read_kernels(path)
        self._engine = Engine(
            state,
            layers=card.layers,
            experts=card.experts,
            heads=heads.count,
            instances=instances,
            kernels=kernel_tables(kernels),
            sites=sites,
        )
        self._engine.set(seed=seed, **rules(scenario, inference))
        experts_only = scenario.compute.accounting == "experts-only"
        rows = instances * card.layers
        set_times(state.parts, inference.times, gateways=rows, experts_only=experts_only)
        state.parts["overhead_s"][: rows : card.layers] += table.host_ms * 1e-3
        gaining = MANY if kernels else gaining_tokens(state.parts)
        self._engine.set(service_tokens=table.service_tokens or gaining)
        self._engine.set(**source.rules() if isinstance(source, Users) else {"users": 0})
        if isinstance(source, Traced) and scenario.requests.prefix_reuse:
            self._engine.set_hashes(source.trace.hash_offset, source.trace.hashes)
            tokens = scenario.requests.prefix_tokens
            self._engine.set(prefix_tokens=tokens, prefix_blocks=tokens // table.block_tokens)

    @property
    def pieces(self) -> tuple[NDArray[np.int64], NDArray[np.int32]] | None:
        """Where each request's pieces of prompts begin, and which they are; None without hashes."""
        tables = self._engine.step
        return (tables["hash_first"], tables["hash_piece"]) if len(tables["hash_piece"]) else None

    @property
    def heads(self) -> Heads:
        """Where the LM head is."""
        return self._heads

    @property
    def state(self) -> RequestState:
        """What is carried to the next step."""
        return RequestState(engine=self._engine.state, source=self._source.state, heads=self._heads)

    def unfinished(self) -> Rows:
        """Requests that are inside, as rows of `OUTCOME`; times from the last step's start."""
        rows = self._engine.inside()
        for name in _TIMES:
            rows[name] += self._step_s
        return rows

    def step(
        self,
        start_s: float,
        hosts: Hosts,
        delay_s: NDArray[np.float64],
        head_delay_s: NDArray[np.float64],
        paths: Paths,
        inference: Inference,
        *,
        up: NDArray[np.bool_],
        speed: NDArray[np.float64],
        free_bytes: NDArray[np.float64],
        entry_s: NDArray[np.float64],
        exit_s: NDArray[np.float64],
        draining: NDArray[np.bool_],
        dispatch: Dispatch,
    ) -> RequestStep:
        """Serve for one step.

        Parameters
        ----------
        start_s : float
            Since the start of the run.
        hosts : Hosts
        delay_s : (R*L, N) float64
            From each layer's gateway to every satellite, for R instances.
        head_delay_s : (R*H, N) float64
            From each LM head.
        paths : Paths
            The same way, link by link.
        inference : Inference
        up : (N,) bool
        speed : (N,) float64
        free_bytes : (N,) float64
            Memory beside the weights.
        entry_s : (R, S) float64
            Way from each site to the first gateway of each instance, ``inf`` without service.
        exit_s : (R*H, S) float64
            Way from each LM head to each site.
        draining : (R,) bool
            Instances that let nothing in.
        dispatch : callable
            Sends requests to instances.
        """
        state = self._engine.state
        before, links, made = state.core.copy(), state.links.copy(), state.instances["made"].copy()
        engine, heads = self._engine, self._heads
        set_legs(engine, hosts, heads, delay_s, head_delay_s, inference)
        self._engine.step["exit_s"][:] = exit_s
        set_ways(engine, ways(paths, experts(hosts, engine)[0], self._instances))
        set_hosts(engine, hosts, heads, delay_s, up=up, speed=speed, draining=draining)
        set_blocks(engine, hosts, self._card, free_bytes, tokens=self._table.block_tokens)
        moved = self._move_on(entry_s, dispatch)
        self._let_in(start_s, entry_s, dispatch)
        self._engine.state.satellites["busy_s"] = self._engine.state.links["taken_s"] = 0.0
        self._engine.state.links["tokens"] = 0
        self._engine.advance(self._step_s)
        each = BySatellite.of(self._engine, hosts, self._card, free_bytes)
        return self._result(before, links, made, moved, each)

    def _free_blocks(self) -> NDArray[np.int64]:
        """Blocks of each instance without users, those that keep a prefix included, (R,)."""
        core, instances = self._engine.state.core[0], self._engine.state.instances
        return np.asarray(instances["blocks"] + instances["idle"] * core["prefix_blocks"])

    def _move_on(self, entry_s: NDArray[np.float64], dispatch: Dispatch) -> int:
        """Send what waits for an instance that lets nothing in to another; return how many.

        They are sent again from their sites.
        """
        state = self._engine.state
        shut = state.instances["open"] == 0
        if shut.all() or not shut.any():
            return 0
        waits = state.requests["phase"] == WAITING
        rows = np.flatnonzero(waits & shut[state.requests["instance"]])
        asked = {name: state.requests[name][rows] for name in FIELDS}
        asked["asked_s"] = np.zeros(len(rows))
        to, before = dispatch(asked), state.requests["instance"][rows]
        way_s = entry_s[to, asked["site"]]
        moves = (to >= 0) & (to != before) & np.isfinite(way_s)
        self._engine.redirect(rows[moves], to[moves], way_s[moves])
        return int(moves.sum())

    def _let_in(self, start_s: float, entry_s: NDArray[np.float64], dispatch: Dispatch) -> None:
        self._engine.step["entry_s"][:] = entry_s
        if isinstance(self._source, Users):
            first, site, since_s = self._source.newcomers()
            nothing = np.zeros(len(site))
            asked = {"site": site, "prompt": nothing, "asked_s": since_s, "number": nothing}
            to = np.maximum(dispatch(asked), 0)
            self._engine.add_users(first, site, since_s, to)
        self._engine.set(last_ask_s=self.stops_s - start_s)
        asked = self._source.until(min(start_s + self._step_s, self.stops_s))
        asked["asked_s"] = asked["asked_s"] - start_s
        to = dispatch(asked)
        way_s = entry_s[np.maximum(to, 0), asked["site"].astype(int)]
        arrives_s = np.where(to < 0, np.inf, asked["asked_s"] + way_s)
        served = np.isfinite(arrives_s)
        self._engine.add(
            {name: values[served] for name, values in asked.items()}, arrives_s[served], to[served]
        )
        self._unserved = np.zeros((~served).sum(), OUTCOME)
        for name in FIELDS:
            self._unserved[name] = asked[name][~served]
        self._unserved["cause"] = Cause.UNSERVED
        for name in _TIMES[1:]:
            self._unserved[name] = np.nan

    def _left_tokens(self) -> NDArray[np.int64]:
        """Tokens that requests inside have not passed yet, by instance, (R,)."""
        rows = self._engine.state.requests
        rows = rows[np.isin(rows["phase"], (WAITING, RUNNING, HELD))]
        left = rows["due"] - rows["sent"] + rows["output"] - rows["made"]
        return np.bincount(rows["instance"], left, self._instances).astype(np.int64)

    def _result(
        self, before: Rows, links: Rows, made: NDArray[np.int64], moved: int, each: BySatellite
    ) -> RequestStep:
        core, state = self._engine.state.core, self._engine.state
        instances, free_blocks = state.instances, self._free_blocks()
        change = {
            name: int(core[name][0] - before[name][0]) for name in ("tokens_made", "tokens_passed")
        }
        result = RequestStep(
            ended=np.concatenate([self._unserved, self._engine.outcomes()]),
            visits=self._engine.visits(),
            busy_s=state.satellites["busy_s"].copy(),
            running=instances["running"].copy(),
            waiting=instances["waiting"].copy(),
            left_tokens=self._left_tokens(),
            blocks_share=1.0 - free_blocks / np.maximum(instances["all_blocks"], 1),
            cached_tokens=(instances["all_blocks"] - instances["blocks"]) * core["block"],
            made_by=instances["made"] - made,
            open=instances["open"] > 0,
            moved=moved,
            each=each,
            link_share=link_busy_s(self._engine, links, self._step_s) / self._step_s,
            link_tokens=link_tokens(self._engine),
            unwanted=unwanted(before, core),
            under_way=under_way(state, self._step_s),
            **change,
        )
        state.satellites["services"] = state.satellites["served_tokens"] = 0
        state.shift(self._step_s)
        return result
