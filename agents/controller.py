"""The controller: plans where layers and experts sit, and plans again as its policy says."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import mesa
import numpy as np
from numpy.typing import NDArray

from agents.planning import plan, planning_problem
from placement.migration import migration
from placement.policies.table import POLICIES
from placement.policies.telemetry import Telemetry
from placement.problem import Placement
from twin import registry, seeding
from twin.errors import InputError

if TYPE_CHECKING:
    from agents.model import TwinModel


class Controller(mesa.Agent):
    """Runs the ring and expert placement, at the start and whenever its policy asks for it.

    It knows the satellites by telemetry that is as old as the scenario says: who has power and
    takes on experts, and how long tokens took.

    Attributes
    ----------
    placement : Placement
        The one in force.
    version : int
        How many times a new placement has been adopted.
    migrated_bytes : float
        What the last step moved.
    """

    model: TwinModel
    placement: Placement

    def __init__(self, model: TwinModel) -> None:
        super().__init__(model)
        scenario = model.config
        table = scenario.controller
        self._policy = registry.build("policy", POLICIES, table.policy, table.params)
        simulation = scenario.simulation
        self._planning = seeding.stream(simulation.seed, simulation.replicate, "planning")
        self._strategy = seeding.stream(simulation.seed, simulation.replicate, "strategy")
        self.version = -1
        self.migrated_bytes = 0.0
        self._planned_at = 0
        self._planned_latency_s = np.nan
        age = int(np.ceil(table.telemetry_delay_s / model.sky.step_s))
        # Who takes on experts, how long a token took, and under which placement.
        self._reports: deque[tuple[NDArray[np.bool_], float, int]] = deque(maxlen=age + 1)

    def step(self, step: int, paths_s: NDArray[np.float64] | None) -> bool:
        """Decide on a new placement for `step`; return whether there is one.

        `paths_s` is the way through each expert over the present topology, (L, E), or None before
        there is a placement.
        """
        self.migrated_bytes = 0.0
        willing = self.model.fleet.accepting
        if paths_s is None:
            self._reports.append((willing, np.nan, -1))
            return self._plan(step, "start", np.ones(self.model.fleet.size, bool))
        self._reports.append((willing, self.latency_s(paths_s), self.version))
        willing, latency_s, version = self._reports[0]
        if version != self.version:
            latency_s = np.nan  # of another placement: says nothing about this one
        elif np.isnan(self._planned_latency_s):
            self._planned_latency_s = latency_s
        telemetry = Telemetry(
            step=step,
            steps_since_plan=step - self._planned_at,
            latency_s=latency_s,
            planned_latency_s=self._planned_latency_s,
        )
        reason = self._policy(telemetry)
        return self._plan(step, reason, willing) if reason else False

    def latency_s(self, paths_s: NDArray[np.float64]) -> float:
        """Activation-weighted path latency of a token, ``inf`` if a part cannot be reached."""
        inference = self.model.inference
        return float((paths_s * inference.activation).sum() / inference.card.top_k)

    def _plan(self, step: int, reason: str, willing: NDArray[np.bool_]) -> bool:
        model = self.model
        horizon = model.config.controller.horizon_steps or model.config.simulation.steps
        problem = planning_problem(
            model.config,
            model.sky,
            model.inference,
            memory_bytes=model.fleet.memory_bytes * willing,
            first_step=step,
            last_step=min(step + horizon, model.config.simulation.steps) - 1,
            rng=self._planning,
        )
        self._planned_at = step
        try:
            new = plan(model.config, problem, self._strategy)
        except InputError:
            if self.version < 0:
                raise
            # Too few satellites take on experts for now: the placement in force stays.
            model.log.add("replan-failed", cause=reason)
            return False
        model.log.add("replan", cause=reason)
        if self.version >= 0:
            if new == self.placement:
                return False
            moves = migration(problem, self.placement, new)
            self.migrated_bytes = moves.total_bytes
            model.log.add(
                "migration", satellite=moves.source, other=moves.target, value=moves.size_bytes
            )
        self.placement = new
        self.version += 1
        self._planned_latency_s = np.nan
        model.fleet.host(new)
        return True
