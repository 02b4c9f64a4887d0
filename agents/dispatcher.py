"""The dispatcher: sends each request to an instance of the model, on telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np
from numpy.typing import NDArray

from placement.dispatch.seen import Asked, Seen
from placement.dispatch.table import DISPATCHES

if TYPE_CHECKING:
    from agents.model import TwinModel

_NOWHERE = -1


@dataclass(kw_only=True)
class DispatchState:
    """What the dispatcher carries from one step to the next.

    Attributes
    ----------
    draining : (R,) bool
        Instances that take no more requests.
    open : (R,) bool
        Those that let requests in, in the last step.
    sent, sent_tokens : list of (R,) float64
        Requests, and their tokens, sent in each of the last steps that no report covers, the
        newest last.
    home : (P,) int32
        Instance that each piece of prompts was sent to last, -1 for none.
    """

    draining: NDArray[np.bool_]
    open: NDArray[np.bool_]
    sent: list[NDArray[np.float64]]
    sent_tokens: list[NDArray[np.float64]]
    home: NDArray[np.int32]


class Dispatcher(mesa.Agent):
    """Sends requests to instances.

    It knows instances by telemetry that is as old as the scenario says, and what it has sent them
    since.

    Parameters
    ----------
    model : TwinModel
    state : DispatchState, optional
        Where to go on.
    """

    model: TwinModel

    def __init__(self, model: TwinModel, state: DispatchState | None = None) -> None:
        super().__init__(model)
        table = model.config.serving
        self._dispatch = DISPATCHES.build(table.dispatch, table.dispatch_params)
        self._answer_tokens = float(model.config.requests.output_tokens)
        instances = int(model.config.placement.instances)
        self._age = 1 + int(np.ceil(model.config.controller.telemetry_delay_s / model.world.step_s))
        pieces = model.requests.pieces if model.requests else None
        self._first, self._piece = pieces or (np.zeros(1, np.int64), np.zeros(0, np.int32))
        self._piece_tokens = model.config.requests.prefix_tokens
        self.state = state or DispatchState(
            draining=np.zeros(instances, bool),
            open=np.ones(instances, bool),
            sent=[],
            sent_tokens=[],
            home=np.full(int(self._piece.max(initial=-1)) + 1, _NOWHERE, np.int32),
        )
        self._way_s = np.zeros((instances, 1))

    @property
    def instances(self) -> int:
        """How many there are."""
        return len(self.state.draining)

    def begin(self, way_s: NDArray[np.float64]) -> None:
        """Begin a step; `way_s` is from each site to each instance, (R, S)."""
        mine = self.state
        mine.sent = [*mine.sent, np.zeros(self.instances)][-self._age :]
        mine.sent_tokens = [*mine.sent_tokens, np.zeros(self.instances)][-self._age :]
        self._way_s = way_s

    def __call__(self, asked: Mapping[str, NDArray[Any]]) -> NDArray[np.int32]:
        """Send requests of this step, by their fields, to instances; -1 where none takes them."""
        if len(self.state.draining) == 1:
            return np.zeros(len(asked["site"]), np.int32)
        mine, numbers = self.state, asked["number"]
        tokens = asked["prompt"] + self._answer_tokens
        to = self._dispatch(
            Asked(
                site=asked["site"].astype(np.int64),
                asked_s=asked["asked_s"],
                tokens=tokens,
                cached=lambda k: self._cached(int(numbers[k])),
                sent=lambda k, i: self._remember(int(numbers[k]), i),
            ),
            self._seen(),
        )
        went = to >= 0
        mine.sent[-1] += np.bincount(to[went], minlength=len(mine.draining))
        mine.sent_tokens[-1] += np.bincount(to[went], tokens[went], len(mine.draining))
        return to

    def _seen(self) -> Seen:
        mine, controller = self.state, self.model.controller
        known, rate_per_s = controller.known, controller.rates_per_s(self.model.inference)
        sent, left_tokens = np.sum(mine.sent, axis=0), np.sum(mine.sent_tokens, axis=0)
        if known.requests is not None:
            sent = sent + known.requests.queued + known.requests.running
            left_tokens = left_tokens + known.requests.left_tokens
        passed = rate_per_s * (len(mine.sent) - 1) * self.model.world.step_s
        hosts = controller.deployment.instances
        first_up = np.array([known.up[p.gateways[0]].any() for p in hosts])
        return Seen(
            way_s=self._way_s,
            open=first_up & ~mine.draining,
            requests=sent,
            left_tokens=np.maximum(left_tokens - passed, 0.0),
            rate_per_s=rate_per_s,
            lit=np.array([known.lit[p.gateway].mean() for p in hosts]),
        )

    def _pieces(self, number: int) -> NDArray[np.int32]:
        if number + 1 >= len(self._first):
            return self._piece[:0]
        return self._piece[self._first[number] : self._first[number + 1]]

    def _cached(self, number: int) -> NDArray[np.float64]:
        """Tokens of a request's prompt that are where earlier ones with them were sent, (R,)."""
        home = self.state.home[self._pieces(number)]
        there = home[:, None] == np.arange(len(self.state.draining))
        return self._piece_tokens * np.logical_and.accumulate(there).sum(axis=0).astype(float)

    def _remember(self, number: int, instance: int) -> None:
        self.state.home[self._pieces(number)] = instance
