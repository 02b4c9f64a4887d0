"""The controller: plans where layers and experts sit, and plans again as its policy says."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import mesa
import numpy as np
from numpy.typing import NDArray

from agents.status import FleetStatus, happened
from placement.cost import objective_s
from placement.migration import migration
from placement.policies.table import POLICIES
from placement.policies.telemetry import Proposal, Telemetry
from placement.problem import Placement, PlacementProblem, check
from placement.repair import repair
from twin import registry, seeding
from twin.errors import InputError
from twin.moe.estimate import ActivationEstimate
from twin.planning.forecast import Oracle
from twin.planning.problems import Known, asked_per_s, last_planned_step, plan, planning_problem
from twin.serving.hosts import Hosts
from twin.serving.shipments import Terms
from twin.serving.transfers import Transfers
from twin.vocabulary import EventKind, Reason

if TYPE_CHECKING:
    from agents.model import TwinModel


class Controller(mesa.Agent):
    """Runs the ring and expert placement, at the start and whenever its policy asks for it.

    It knows the satellites by telemetry that is as old as the scenario says: who has power and
    takes on experts, their batteries, and how long tokens took.

    Attributes
    ----------
    transfers : Transfers
        The placement in force, and what is under way to change it.
    version : int
        How many times the placement in force has changed.
    plans : int
        How many plans have been adopted after the first.
    """

    model: TwinModel
    transfers: Transfers

    def __init__(self, model: TwinModel) -> None:
        super().__init__(model)
        scenario = model.config
        table = scenario.controller
        self._policy = registry.build("policy", POLICIES, table.policy, table.params)
        # Parameters that a policy refuses are refused before the first step.
        nothing = Telemetry(step=0, steps_since_plan=0, latency_s=np.nan, planned_latency_s=np.nan)
        self._policy(nothing, lambda *_, **__: None)
        simulation = scenario.simulation
        self._planning = seeding.stream(simulation.seed, simulation.replicate, "planning")
        self._strategy = seeding.stream(simulation.seed, simulation.replicate, "strategy")
        self._oracle: Oracle | None = None
        self._estimate: ActivationEstimate | None = None
        self._believed: tuple[NDArray[np.float64], NDArray[np.float64]]
        self._problem: PlacementProblem
        self.version = -1
        self.plans = 0
        self._planned_at = 0
        self._planned_latency_s = np.nan
        self._promised_s = np.nan
        self._repaired = False
        age = int(np.ceil(table.telemetry_delay_s / model.world.step_s))
        # The oldest is what is known; the one before it tells what has changed.
        self._reports: deque[FleetStatus] = deque(maxlen=age + 2)
        self._age = age

    @property
    def placement(self) -> Placement:
        """The one in force."""
        return self.transfers.placement

    def begin(self, step: int) -> None:
        """Make the first plan, which is in force at once."""
        model = self.model
        now = model.inference
        self._believed = now.probability, now.activation
        memory_s = model.config.controller.activation_memory_s
        if memory_s is not None:
            self._estimate = ActivationEstimate(now.activation, now.card.top_k, memory_s=memory_s)
        n = model.fleet.size
        self._note(np.nan)
        everybody = np.ones(n, bool)
        self._problem = self._pose(step, everybody, model.fleet.energy.soc, None, known_steps=None)
        placement = plan(model.config, self._problem, self._strategy)
        self.transfers = Transfers(placement, model.fleet.memory_bytes, self._terms())
        self._planned_at = step
        self._promised_s = objective_s(self._problem, placement)
        model.log.add(EventKind.REPLAN, cause=Reason.START, value=self._promised_s)
        self._serve_changed()

    def settle(self) -> None:
        """Let what has arrived during the last step serve."""
        arrived, changed = self.transfers.settle()
        for shipment in arrived:
            self.model.log.add(
                EventKind.MIGRATION_END,
                cause=shipment.kind,
                satellite=-1 if shipment.source is None else shipment.source,
                other=shipment.target,
                value=shipment.carried_bytes,
            )
        if changed:
            self._serve_changed()

    def step(self, step: int, hosts: Hosts) -> bool:
        """Decide on a new placement for `step`; return whether hosts change at once.

        `hosts` is where layers run over the present topology.
        """
        self._note(self.latency_s(hosts))
        if len(self._reports) < 2:
            return False
        before, known = (
            self._reports[max(len(self._reports) - 2 - self._age, 0)],
            self._known_report(),
        )
        if self._estimate is not None and known.choices is not None:
            self._estimate.observe(known.choices, self.model.world.step_s)
        latency_s = known.latency_s
        if known.version != self.version:
            latency_s = np.nan  # of another placement: says nothing about this one
        elif np.isnan(self._planned_latency_s):
            self._planned_latency_s = latency_s
        view = Telemetry(
            step=step,
            steps_since_plan=step - self._planned_at,
            latency_s=latency_s,
            planned_latency_s=self._planned_latency_s,
            promised_s=self._promised_s,
            events=happened(before, known, self.model.fleet.hosting),
            migrating=bool(self.transfers.under_way),
            repaired=self._repaired,
        )

        def propose(
            reason: str, *, repair: bool = False, known_steps: int | None = None
        ) -> Proposal | None:
            return self._propose(step, reason, repair_only=repair, known_steps=known_steps)

        proposal = self._policy(view, propose)
        return False if proposal is None else self._adopt(step, proposal)

    def carry(self) -> None:
        """Let the step's links carry what is under way."""
        model, skeleton = self.model, self.model.world.skeleton
        begun = self.transfers.carry(
            model.snapshot,
            skeleton.indptr,
            skeleton.indices,
            up=model.fleet.up,
            accepting=model.fleet.accepting,
        )
        for shipment in begun:
            model.log.add(
                EventKind.MIGRATION_START,
                cause=shipment.kind,
                satellite=-1 if shipment.source is None else shipment.source,
                other=shipment.target,
                value=shipment.size_bytes,
            )

    def latency_s(self, hosts: Hosts) -> float:
        """Activation-weighted path latency of a token, ``inf`` if a part cannot be reached."""
        inference = self.model.inference
        nearest_s = hosts.of_nearest(hosts.path_s)
        return float((nearest_s * inference.activation).sum() / inference.card.top_k)

    def _note(self, latency_s: float) -> None:
        fleet, ground = self.model.fleet, self.model.ground
        self._reports.append(
            FleetStatus(
                # Who hosts nothing may refuse to begin; who hosts goes on.
                taking=fleet.accepting | (fleet.up & fleet.hosting),
                up=fleet.up,
                lit=fleet.sunlit > 0.0,
                low=fleet.energy.low,
                sound=fleet.sound,
                soc=fleet.energy.soc,
                latency_s=latency_s,
                version=self.version,
                handovers=len(ground.service.handovers.site) if ground.sites.size else 0,
                choices=None if np.isnan(latency_s) else self.model.served.choices,
            )
        )

    def _known_report(self) -> FleetStatus:
        """The newest report that has come in; the oldest there is until one has."""
        return self._reports[max(len(self._reports) - 1 - self._age, 0)]

    def _terms(self) -> Terms:
        scenario, step_s = self.model.config, self.model.world.step_s
        table, problem = scenario.controller, self._problem
        stage_s = float(problem.stage_s.max() + problem.top_k * problem.expert_s)
        return Terms(
            link_bytes=scenario.links.rate_gbps * 1e9 / 8 * table.migration_share * step_s,
            store_bytes=table.store_gbps * 1e9 / 8 * step_s,
            # The prompts run through the ring again, as fast as its slowest stage.
            recompute_s=scenario.workload.conversations * scenario.model.context_tokens * stage_s,
            step_s=step_s,
        )

    def _pose(
        self,
        step: int,
        taking: NDArray[np.bool_],
        soc: NDArray[np.float64],
        current: Placement | None,
        *,
        known_steps: int | None,
    ) -> PlacementProblem:
        model = self.model
        probability, activation = self._believed
        if known_steps is not None:
            self._oracle = self._oracle or Oracle(model.world)
            probability, activation = model.inference.probability, model.inference.activation
        elif self._estimate is not None:
            probability, activation = self._estimate.probability, self._estimate.activation
        return planning_problem(
            model.config,
            model.world,
            model.inference,
            Known(
                memory_bytes=model.fleet.memory_bytes * taking,
                pace=model.fleet.pace,
                soc=soc,
                probability=probability,
                activation=activation,
                current=current,
            ),
            first_step=step,
            last_step=last_planned_step(model.config, step),
            rng=self._planning,
            oracle=self._oracle if known_steps is not None else None,
            in_force_to=None if known_steps is None else step + known_steps - 1,
        )

    def _propose(
        self, step: int, reason: str, *, repair_only: bool, known_steps: int | None
    ) -> Proposal | None:
        model, truth = self.model, known_steps is not None
        known = self._reports[-1] if truth else self._known_report()
        problem = self._pose(step, known.taking, known.soc, self.placement, known_steps=known_steps)
        try:
            if repair_only:
                new = repair(problem)
                check(problem, new)
            else:
                new = plan(model.config, problem, self._strategy)
        except InputError:
            # Too few satellites take on experts for now.
            model.log.add(EventKind.REPLAN_FAILED, cause=reason)
            return None
        self._problem = problem
        steps = last_planned_step(model.config, step) + 1 - step
        return Proposal(
            reason=reason,
            placement=new,
            objective_s=objective_s(problem, new),
            current_s=objective_s(problem, self.placement),
            moved_bytes=migration(problem, self.placement, new).total_bytes,
            horizon_tokens=asked_per_s(model.config, model.world) * model.world.step_s * steps,
            repair=repair_only,
            free=truth,
        )

    def _adopt(self, step: int, proposal: Proposal) -> bool:
        self._planned_at = step
        self._planned_latency_s = np.nan
        self._promised_s = proposal.objective_s
        self._repaired = proposal.repair
        self.model.log.add(EventKind.REPLAN, cause=proposal.reason, value=proposal.objective_s)
        if proposal.placement == self.placement:
            return False
        self.plans += 1
        if proposal.free:
            self.transfers.adopt(proposal.placement)
            changed = True
        else:
            changed = self.transfers.start(self._problem, proposal.placement)
        if changed:
            self._serve_changed()
        return changed

    def _serve_changed(self) -> None:
        self.version += 1
        self.model.fleet.host(self.placement)
