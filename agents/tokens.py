"""Single tokens on a model: presented, admitted and served each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin import seeding
from twin.moe.sampling import SAMPLERS
from twin.serving.admission import admit
from twin.serving.capacity import busy_s
from twin.serving.tokens import Served, TokenQueue, WaitingTokens, nothing_waits
from twin.vocabulary import Cause

if TYPE_CHECKING:
    from agents.model import TwinModel


@dataclass(frozen=True, kw_only=True)
class TokenStep:
    """What a step makes of its tokens.

    Attributes
    ----------
    served : Served
    first_s : (S,) float64
        What users waited for each token served; empty without users.
    demand, utilisation : (N,) float64
        Share of the step that tokens would keep each satellite busy at full speed if all were
        served, and that those served do.
    """

    served: Served
    first_s: NDArray[np.float64]
    demand: NDArray[np.float64]
    utilisation: NDArray[np.float64]


class TokenService:
    """The tokens that a model follows, each for `weight` that are asked of the constellation.

    Attributes
    ----------
    choices : (P, L, K) int32 or None
        Experts that the last step's tokens chose, where the controller learns from them.
    """

    choices: NDArray[np.int32] | None

    def __init__(self, model: TwinModel) -> None:
        scenario, card = model.config, model.inference.card
        simulation, workload = scenario.simulation, scenario.workload
        self._draws = seeding.stream(simulation.seed, simulation.replicate, "tokens")
        self._queue = TokenQueue(
            SAMPLERS[scenario.activations.sampler](scenario.activations, card.top_k),
            retries=workload.retries,
            state=nothing_waits(card.layers, card.top_k),
        )
        self._tokens, self._step_s = workload.tokens_per_step, model.world.step_s
        self._choose_from = scenario.serving.choose_from
        self._learned = scenario.controller.activation_memory_s is not None
        self.choices = None
        self.weight = 1.0
        if workload.rate_per_s is not None:
            self.weight = workload.rate_per_s * self._step_s / workload.tokens_per_step

    @property
    def state(self) -> WaitingTokens:
        """What is carried to the next step; setting it goes on from there."""
        return self._queue.state

    @state.setter
    def state(self, state: WaitingTokens) -> None:
        self._queue.state = state

    def step(self, model: TwinModel) -> TokenStep:
        """Serve a step's tokens on the model's hosts; `model.compute` is how fast those are."""
        ground, hosts = model.ground, model.hosts
        step, inference = model.snapshot.step, model.inference
        origin = ground.origins(step, self._tokens)
        tokens = self._queue.present(step, origin, inference.probability, self._draws.at(step))
        speed = np.where(model.fleet.up, model.fleet.speed, 0.0)
        wanted = hosts.wanted(
            tokens.choices, inference.expert_s, speed=speed, choose_from=self._choose_from
        )
        columns, cause = self._admit(model, tokens.choices, wanted)
        entry_s = ground.entry_s(tokens.origin, model.delay_s[0])
        cause[np.isinf(entry_s) | ground.interrupted(step, tokens)] = Cause.UNSERVED
        served = self._queue.serve(hosts, model.compute, columns, cause, self._step_s)
        if self._learned:
            self.choices = tokens.choices
        return TokenStep(
            served=served,
            first_s=_first_s(served, entry_s) if ground.sites.size else np.empty(0),
            demand=self._busy_share(model, wanted),
            utilisation=self._busy_share(model, columns[served.served]),
        )

    def _admit(
        self, model: TwinModel, choices: NDArray[np.int32], wanted: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """Return where each token goes, (P, L, K), and what hinders it, (P,); see `admit`."""
        fleet, hosts = model.fleet, model.hosts
        gateway_cause = np.where(fleet.speed[hosts.gateway] > 0.0, Cause.NONE, Cause.REFUSED)
        gateway_cause[~fleet.up[hosts.gateway]] = Cause.DEAD
        absent = model.controller.transfers.gateway_absent[: len(gateway_cause)]
        gateway_cause[absent] = Cause.MOVING
        budget_s = fleet.speed * self._step_s / self.weight
        at_full_speed = model.inference.compute
        why = gateway_cause.astype(np.uint8)
        return admit(choices, wanted, hosts, why, fleet.up, at_full_speed, budget_s)

    def _busy_share(self, model: TwinModel, columns: NDArray[np.int32]) -> NDArray[np.float64]:
        """Share of a step that tokens keep each satellite busy at its full speed, (N,)."""
        followed_s = busy_s(model.hosts, columns, model.inference.compute, model.fleet.size)
        return followed_s * (self.weight / self._step_s) / model.fleet.pace


def _first_s(served: Served, entry_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Until a first token is there: it waits to be served, goes up, round once, and down again."""
    return (served.waited_s + 2 * entry_s)[served.served] + served.latency.total_s
