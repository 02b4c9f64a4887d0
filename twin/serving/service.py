"""Requests served over the steps of a run: the engine, the step's topology, and what comes out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.moe.inference import Inference
from twin.scenario.schema import Scenario
from twin.serving.engine.records import RUNNING, WAITING, Rows
from twin.serving.engine.state import Engine, EngineState, nothing_served
from twin.serving.hosts import Hosts
from twin.serving.requests import Drawn
from twin.serving.work import set_times


@dataclass(frozen=True, kw_only=True)
class RequestStep:
    """What a step has done for requests.

    Attributes
    ----------
    ended : (R,) records
        Requests that ended, times from the step's start; see `OUTCOME`.
    busy_s : (N,) float64
        Work of each satellite, in seconds at speed 1.
    tokens_made, tokens_passed : int
        Tokens that came out of the model; tokens that entered it, prompts included.
    running, waiting : int
        Requests inside at the end.
    blocks_share : float
        Of the cache's blocks in use at the end.
    services, service_tokens : int
        Services that ended or run, and the tokens in them.
    """

    ended: Rows
    busy_s: NDArray[np.float64]
    tokens_made: int
    tokens_passed: int
    running: int
    waiting: int
    blocks_share: float
    services: int
    service_tokens: int


class RequestService:
    """Serves a scenario's requests.

    Parameters
    ----------
    scenario : Scenario
    inference : Inference
    source : Drawn
        Where requests come from.
    satellites, columns : int
        N, and copies of all experts of a layer.
    step_s : float
    seed : int
        Of the tokens' choices.
    state : EngineState, optional
        Where to go on.
    """

    def __init__(
        self,
        scenario: Scenario,
        inference: Inference,
        source: Drawn,
        *,
        satellites: int,
        columns: int,
        step_s: float,
        seed: int,
        state: EngineState | None = None,
    ) -> None:
        card, table = inference.card, scenario.serving
        self._card, self._table, self._source, self._step_s = card, table, source, step_s
        self._precision = scenario.model.precision
        if state is None:
            state = nothing_served(
                satellites=satellites, layers=card.layers, experts=card.experts, columns=columns
            )
        self._engine = Engine(state, layers=card.layers, experts=card.experts, columns=columns)
        micro = table.batching == "micro-batch"
        self._engine.set(
            seed=seed,
            top_k=card.top_k,
            chunk=table.chunk_tokens,
            block=table.block_tokens,
            most_running=table.max_running,
            queue_most=table.max_queue,
            batch_tokens=table.max_batch_tokens,
            batch_requests=table.max_batch_requests,
            service_tokens=table.service_tokens,
            micro=micro,
            fuse=table.fuse,
            one_class=table.order == "oldest" or micro,
            first_class=table.order == "prefill-first",
            retries=scenario.workload.retries,
            transfer_s=inference.transfer_s,
        )
        set_times(
            state.parts,
            card,
            precision=self._precision,
            flops_per_s=scenario.compute.gflops * 1e9,
            experts_only=scenario.compute.accounting == "experts-only",
        )

    @property
    def state(self) -> EngineState:
        """What is carried to the next step."""
        return self._engine.state

    def step(
        self,
        start_s: float,
        hosts: Hosts,
        delay_s: NDArray[np.float64],
        inference: Inference,
        *,
        up: NDArray[np.bool_],
        speed: NDArray[np.float64],
        free_bytes: NDArray[np.float64],
        entry_s: NDArray[np.float64],
    ) -> RequestStep:
        """Serve for one step.

        Parameters
        ----------
        start_s : float
            Since the start of the run.
        hosts : Hosts
        delay_s : (L, N) float64
            From each layer's gateway to every satellite.
        inference : Inference
        up : (N,) bool
        speed : (N,) float64
        free_bytes : (N,) float64
            Memory beside the weights.
        entry_s : (S,) float64
            Way from each site to the first gateway, ``inf`` without service.
        """
        self._set_ways(hosts, delay_s, inference)
        self._set_hosts(hosts, delay_s, up, speed)
        self._set_blocks(hosts, free_bytes)
        self._let_in(start_s, entry_s)
        before = self.state.core.copy()
        self.state.satellites["busy_s"] = 0.0
        self._engine.advance(self._step_s)
        return self._result(before)
