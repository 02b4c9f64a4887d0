"""Requests served over the steps of a run: the engine, the step's topology, and what comes out."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.moe.inference import Inference
from twin.moe.kernels import read_kernels
from twin.scenario.schema import Scenario
from twin.serving.engine.records import OUTCOME, RUNNING, WAITING, Rows
from twin.serving.engine.start import nothing_served
from twin.serving.engine.state import Engine, EngineState
from twin.serving.heads import Heads
from twin.serving.hosts import Hosts
from twin.serving.link_load import link_busy_s, link_tokens, set_ways
from twin.serving.request_step import RequestStep
from twin.serving.requests import FIELDS, Source, SourceState, Traced, Users
from twin.serving.rules import rules
from twin.serving.spent import under_way, unwanted
from twin.serving.ways import Paths, ways
from twin.serving.work import MANY, gaining_tokens, kernel_tables, set_times
from twin.vocabulary import Cause

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
    step_s : float
    stops_s : float
        When arrivals stop, since the start of the run.
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
        step_s: float,
        stops_s: float,
        seed: int,
        state: EngineState | None = None,
    ) -> None:
        card, table = inference.card, scenario.serving
        self._card, self._table, self._source, self._step_s = card, table, source, step_s
        self._stops_s, self._heads = stops_s, heads
        if state is None:
            state = nothing_served(
                satellites=len(pace),
                layers=card.layers,
                experts=card.experts,
                links=links,
                heads=heads.count,
            )
        state.satellites["pace"] = pace
        path = scenario.compute.kernels
        kernels = {} if path is None else read_kernels(path)
        self._engine = Engine(
            state,
            layers=card.layers,
            experts=card.experts,
            heads=heads.count,
            kernels=kernel_tables(kernels),
            sites=sites,
        )
        self._engine.set(seed=seed, **rules(scenario, inference))
        experts_only = scenario.compute.accounting == "experts-only"
        set_times(state.parts, inference.times, experts_only=experts_only)
        state.parts["overhead_s"][0] += table.host_ms * 1e-3
        gaining = MANY if kernels else gaining_tokens(state.parts)
        self._engine.set(service_tokens=table.service_tokens or gaining)
        self._engine.set(**source.rules() if isinstance(source, Users) else {"users": 0})
        if isinstance(source, Traced) and scenario.requests.prefix_reuse:
            self._engine.set_hashes(source.trace.hash_offset, source.trace.hashes)
            tokens = scenario.requests.prefix_tokens
            self._engine.set(prefix_tokens=tokens, prefix_blocks=tokens // table.block_tokens)

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
    ) -> RequestStep:
        """Serve for one step.

        Parameters
        ----------
        start_s : float
            Since the start of the run.
        hosts : Hosts
        delay_s : (L, N) float64
            From each layer's gateway to every satellite.
        head_delay_s : (H, N) float64
            From each LM head.
        paths : Paths
            The same way, link by link.
        inference : Inference
        up : (N,) bool
        speed : (N,) float64
        free_bytes : (N,) float64
            Memory beside the weights.
        entry_s : (S,) float64
            Way from each site to the first gateway, ``inf`` without service.
        exit_s : (S, H) float64
            Way from each LM head to each site.
        """
        before, links = self._engine.state.core.copy(), self._engine.state.links.copy()
        self._set_ways(hosts, delay_s, head_delay_s, inference)
        self._engine.step["exit_s"][:] = exit_s
        set_ways(self._engine, ways(paths, self._expert(hosts)))
        self._set_hosts(hosts, delay_s, up, speed)
        self._set_blocks(hosts, free_bytes)
        self._let_in(start_s, entry_s)
        self._engine.state.satellites["busy_s"] = self._engine.state.links["taken_s"] = 0.0
        self._engine.state.links["tokens"] = 0
        self._engine.advance(self._step_s)
        return self._result(before, links)

    def _set_ways(
        self,
        hosts: Hosts,
        delay_s: NDArray[np.float64],
        head_delay_s: NDArray[np.float64],
        inference: Inference,
    ) -> None:
        layers = np.arange(self._card.layers)[:, None]
        expert = self._expert(hosts)
        reached = hosts.of_nearest(np.where(hosts.absent, np.inf, 0.0))
        tables = self._engine.step
        tables["out_s"][:] = delay_s[layers, expert] + reached
        tables["on_s"][: len(layers) - 1] = delay_s[layers[1:], expert[:-1]] + reached[:-1]
        tables["on_s"][len(layers) - 1 :] = head_delay_s[:, expert[-1]] + reached[-1]
        tables["back_s"][:] = head_delay_s[:, hosts.gateway[0]]
        reach_s = tables["reach_s"].T
        reach_s[: len(layers)], reach_s[len(layers) :] = delay_s, head_delay_s
        tables["weight"][:], tables["activation"][:] = inference.probability, inference.activation
        one = np.column_stack([expert, np.append(hosts.gateway[1:], self._heads.satellite[0])])
        tables["local"][:] = (one == hosts.gateway[:, None]).all(axis=1)

    def _expert(self, hosts: Hosts) -> NDArray[np.int32]:
        return hosts.of_nearest(hosts.satellite)

    def _set_hosts(
        self,
        hosts: Hosts,
        delay_s: NDArray[np.float64],
        up: NDArray[np.bool_],
        speed: NDArray[np.float64],
    ) -> None:
        layers = np.arange(self._card.layers)
        head = self._heads.satellite
        satellite = np.concatenate([hosts.gateway, head[:1], self._expert(hosts).ravel(), head[1:]])
        before = self._engine.state.parts["satellite"]
        columns = np.repeat(layers, self._card.experts)
        layer = np.concatenate([layers, [0], columns, np.zeros(len(head) - 1, int)])
        # By the gateway of its layer, to which ways are known.
        forward_s = delay_s[layer, before] + delay_s[layer, satellite]
        gateway_dead = bool((~up[hosts.gateway]).any())
        self._engine.set(open=up[hosts.gateway[0]])
        self._engine.change(
            satellite=satellite,
            forward_s=forward_s,
            speed=np.where(up, speed, 0.0),
            dead=~up,
            cache_lost=gateway_dead,
        )

    def _set_blocks(self, hosts: Hosts, free_bytes: NDArray[np.float64]) -> None:
        """Blocks that fit at every gateway, less those in use."""
        layers_here = np.bincount(hosts.gateway, minlength=len(free_bytes))
        per_block = self._table.block_tokens * self._card.kv_bytes_per_token_per_layer
        here = layers_here > 0
        blocks = int((free_bytes[here] // (per_block * layers_here[here])).min())
        core = self._engine.state.core
        in_use = core["all_blocks"] - core["blocks"]
        core["all_blocks"] = max(blocks, 0)
        core["blocks"] = core["all_blocks"] - in_use

    def _free_blocks(self) -> float:
        """Blocks without users, those that keep a prefix included."""
        core = self._engine.state.core[0]
        return float(core["blocks"] + core["idle"] * core["prefix_blocks"])

    def _let_in(self, start_s: float, entry_s: NDArray[np.float64]) -> None:
        self._engine.step["entry_s"][:] = entry_s
        if isinstance(self._source, Users):
            self._engine.add_users(*self._source.newcomers())
        self._engine.set(last_ask_s=self._stops_s - start_s)
        asked = self._source.until(min(start_s + self._step_s, self._stops_s))
        asked["asked_s"] = asked["asked_s"] - start_s
        arrives_s = asked["asked_s"] + entry_s[asked["site"].astype(int)]
        served = np.isfinite(arrives_s)
        self._engine.add(
            {name: values[served] for name, values in asked.items()}, arrives_s[served]
        )
        self._unserved = np.zeros((~served).sum(), OUTCOME)
        for name in FIELDS:
            self._unserved[name] = asked[name][~served]
        self._unserved["cause"] = Cause.UNSERVED
        for name in _TIMES[1:]:
            self._unserved[name] = np.nan

    def _result(self, before: Rows, links: Rows) -> RequestStep:
        core, state = self._engine.state.core, self._engine.state
        change = {
            name: int(core[name][0] - before[name][0]) for name in ("tokens_made", "tokens_passed")
        }
        result = RequestStep(
            ended=np.concatenate([self._unserved, self._engine.outcomes()]),
            visits=self._engine.visits(),
            busy_s=state.satellites["busy_s"].copy(),
            running=int((state.requests["phase"] == RUNNING).sum()),
            waiting=int((state.requests["phase"] == WAITING).sum()),
            blocks_share=1.0 - self._free_blocks() / max(float(core["all_blocks"][0]), 1.0),
            cached_tokens=int((core["all_blocks"] - core["blocks"])[0] * core["block"][0]),
            services=int(state.satellites["services"].sum()),
            service_tokens=int(state.satellites["served_tokens"].sum()),
            link_share=link_busy_s(self._engine, links, self._step_s) / self._step_s,
            link_tokens=link_tokens(self._engine),
            unwanted=unwanted(before, core),
            under_way=under_way(state, self._step_s),
            **change,
        )
        state.satellites["services"] = state.satellites["served_tokens"] = 0
        state.shift(self._step_s)
        return result
