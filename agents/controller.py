"""The controller: plans where layers and experts sit, and plans again as its policy says."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import mesa
import numpy as np
from numpy.typing import NDArray

from agents.beliefs import believed, estimate_of
from agents.controller_state import ControllerState, Observation
from agents.happenings import log_shipment
from agents.status import FleetStatus, happened, telemetry
from placement.deployment import Deployment, check_deployment
from placement.policies.comparison import comparison, proposal_of
from placement.policies.table import POLICIES
from placement.policies.telemetry import Bids, Proposal, Telemetry
from placement.problem import Placement, PlacementProblem
from placement.stacking import matched, mean_objective_s, repair_each, stacked
from twin import seeding
from twin.energy.budget import Own
from twin.errors import InputError
from twin.moe.inference import Inference
from twin.planning.forecast import Oracle
from twin.planning.problems import Known, last_planned_step, plan_deployment, planning_problem
from twin.serving.capacity import Instances
from twin.serving.demand import asked_by_requests
from twin.serving.shipments import terms
from twin.serving.transfer_state import in_force
from twin.serving.transfers import Transfers
from twin.vocabulary import EventKind, Reason
from twin.world.topology import Snapshot

if TYPE_CHECKING:
    from agents.fleet import FleetState
    from agents.model import TwinModel


class Controller(mesa.Agent):
    """Runs the ring and expert placement, at the start and whenever its policy asks for it.

    It knows the satellites by telemetry that is as old as the scenario says: which have power and
    take on experts, their batteries, and how long tokens took.

    Attributes
    ----------
    transfers : Transfers
        The placement in force, and what is under way to change it.
    bids : Bids or None
        How satellites bid in this step, if the policy leaves it to them (`agents.market`).
    own : Own or None
        How plans take satellites to differ from their bus; None: not at all.
    wanted : Placement or None
        The newest that was adopted here; what it moves may be under way.
    """

    model: TwinModel
    transfers: Transfers
    wanted: Placement | None = None
    problem: PlacementProblem
    bids: Bids | None = None
    own: Own | None = None

    def __init__(self, model: TwinModel, state: ControllerState | None = None) -> None:
        super().__init__(model)
        scenario, table = model.config, model.config.controller
        self._config, self._world, self._log = scenario, model.world, model.log
        self._pace, self._memory_bytes = model.fleet.pace, model.fleet.memory_bytes
        self._source, self._asked = model.source, asked_by_requests(scenario, model.world.step_s)
        self._policy = POLICIES.build(table.policy, table.params)
        # Parameters that a policy refuses are refused before the first step.
        self._requests = {"serves_requests": scenario.serving.mode == "requests"}
        nothing = Telemetry.nothing_yet(model.world.constellation.size, **self._requests)
        self._policy(nothing, lambda *_, **__: None)
        seed, replicate = scenario.simulation.seed, scenario.simulation.replicate
        self._planning = seeding.stream(seed, replicate, "planning")
        self._strategy = seeding.stream(seed, replicate, "strategy")
        self._age = int(np.ceil(table.telemetry_delay_s / model.world.step_s))
        self._terms = terms(scenario, model.inference, model.world.step_s)
        self._top_k = model.inference.card.top_k
        layers, choose_from = model.inference.card.layers, scenario.serving.choose_from
        self._instances = Instances(layers, self._pace, choose_from=choose_from)
        self.state = state or ControllerState(reports=[])
        if self.state.transfers is not None:
            self.transfers = Transfers(self.state.transfers, self._memory_bytes, self._terms)
        if self.state.oracle is not None:
            self._oracle = Oracle(self._world, self._source, self.state.oracle)

    @property
    def placement(self) -> Placement:
        """The one in force: of several instances, their layers below each other."""
        return self.transfers.placement

    @property
    def deployment(self) -> Deployment:
        """The placement in force, instance by instance."""
        return self._instances.of(self.placement)

    @property
    def known(self) -> FleetStatus:
        """The newest report that has come in; the oldest there is until one has."""
        reports = self.state.reports
        return reports[max(len(reports) - 1 - self._age, 0)]

    def rates_per_s(self, inference: Inference) -> NDArray[np.float64]:
        """Tokens a second that each instance keeps up with, (R,)."""
        return self._instances.rates_per_s(self.placement, inference)

    @property
    def version(self) -> int:
        """How often the placement in force has changed; -1 before the first plan."""
        return self.state.version

    @property
    def plans(self) -> int:
        """How many plans have been adopted after the first."""
        return self.state.plans

    def snapshot(self) -> ControllerState:
        """Return the state with that of the transfers, which may have been replaced."""
        if self.state.version >= 0:
            self.state.transfers = self.transfers.state
        return self.state

    def order(self, placement: Placement) -> None:
        """Go over to a placement in the next step, and leave the policy unasked from then on."""
        self.state.ordered, self.state.led = placement, True

    def begin(self, seen: Observation) -> None:
        """Make the first plan, or take the one that is ordered; it is in force at once."""
        mine, now = self.state, seen.inference
        mine.probability, mine.activation = now.probability, now.activation
        if self._config.controller.activation_memory_s is not None:
            mine.estimate = now.activation
        mine.note(seen.status, self._age + 2)
        everybody = np.ones(len(self._pace), bool)
        self.problem = self._pose(seen, seen.status, everybody, None, known_steps=None)
        if mine.ordered is None:
            planned = plan_deployment(self._config, self.problem, self._strategy.at(seen.step))
        else:
            planned, mine.ordered = self._instances.of(mine.ordered), None
        first = in_force(stacked(planned), self.problem)
        self.transfers = Transfers(first, self._memory_bytes, self._terms)
        self.wanted = first.placement
        mine.planned_at = seen.step
        mine.promised_s = mean_objective_s(self.problem, planned)
        self._log.add(EventKind.REPLAN, cause=Reason.START, value=mine.promised_s)
        mine.version += 1

    def settle(self) -> None:
        """Let what has arrived during the last step serve."""
        arrived, changed = self.transfers.settle()
        for shipment in arrived:
            log_shipment(self._log, EventKind.MIGRATION_END, shipment, shipment.carried_bytes)
        self.state.version += changed

    def decide(self, seen: Observation) -> bool:
        """Decide on a new placement; return whether hosts change at once."""
        mine, self.bids = self.state, None
        mine.note(seen.status, self._age + 2)
        fork, mine.plan_now = mine.plan_now, False
        ordered, mine.ordered = mine.ordered, None
        if ordered is not None:
            return self._adopt(seen.step, proposal_of(ordered, Reason.COMMAND))
        if not fork and (mine.led or mine.reported or len(mine.reports) < 2):
            return False
        propose = partial(self._propose, seen)
        wanted = propose(Reason.FORK) if fork else self._policy(self._view(seen), propose)
        self.bids = wanted if isinstance(wanted, Bids) else None
        return isinstance(wanted, Proposal) and self._adopt(seen.step, wanted)

    def carry(
        self, snapshot: Snapshot, fleet: FleetState, taken: NDArray[np.float64] | None
    ) -> None:
        """Let links carry what is under way, beside hidden states that take a share of each."""
        skeleton = self._world.skeleton
        graph, up, accepting = (skeleton.indptr, skeleton.indices), fleet.up, fleet.accepting
        begun = self.transfers.carry(snapshot, *graph, up=up, accepting=accepting, taken=taken)
        for shipment in begun:
            log_shipment(self._log, EventKind.MIGRATION_START, shipment, shipment.size_bytes)

    def _view(self, seen: Observation) -> Telemetry:
        mine, reports = self.state, self.state.reports
        before, known = reports[max(len(reports) - 2 - self._age, 0)], self.known
        if mine.estimate is not None and known.choices is not None:
            learning = estimate_of(self._config, mine, self._top_k)
            learning.observe(known.choices, self._world.step_s)
            mine.estimate = learning.activation
        latency_s = known.latency_s
        if known.version != mine.version:
            latency_s = np.nan  # of another placement: says nothing about this one
        elif np.isnan(mine.planned_latency_s):
            mine.planned_latency_s = latency_s
        since_plan = len(mine.reports) > self._age and seen.step - self._age > mine.planned_at
        if known.requests is not None and since_plan:
            mine.hear(known.requests.ttft_s)
        return telemetry(
            known,
            step=seen.step,
            steps_since_plan=seen.step - mine.planned_at,
            latency_s=latency_s,
            planned_latency_s=mine.planned_latency_s,
            promised_s=mine.promised_s,
            events=happened(before, known, seen.hosting),
            migrating=bool(self.transfers.under_way),
            repaired=mine.repaired,
            ttft_s=float(np.median(mine.ttft_s)) if mine.ttft_s.size else np.nan,
            **self._requests,
        )

    def _foresight(self) -> Oracle:
        if self.state.oracle is None:
            self._oracle = Oracle(self._world, self._source)
            self.state.oracle = self._oracle.state
        return self._oracle

    def _pose(
        self,
        seen: Observation,
        known: FleetStatus,
        taking: NDArray[np.bool_],
        current: Placement | None,
        *,
        known_steps: int | None,
    ) -> PlacementProblem:
        foreseen = known_steps is not None
        shares = believed(self._config, self.state, seen.inference, foreseen=foreseen)
        return planning_problem(
            self._config,
            self._world,
            seen.inference,
            Known(
                memory_bytes=self._memory_bytes * taking,
                pace=self._pace,
                soc=known.soc,
                own=self.own,
                probability=shares[0],
                activation=shares[1],
                cached_tokens=known.cached_tokens,
                current=current,
                asked=self._asked,
            ),
            first_step=seen.step,
            last_step=last_planned_step(self._config, seen.step),
            rng=self._planning.at(seen.step),
            oracle=self._foresight() if foreseen else None,
            in_force_to=None if known_steps is None else seen.step + known_steps - 1,
        )

    def _propose(
        self,
        seen: Observation,
        reason: str,
        *,
        repair: bool = False,
        known_steps: int | None = None,
    ) -> Proposal | None:
        truth, now = known_steps is not None, self.deployment
        known, first = self.state.reports[-1] if truth else self.known, now.instances[0]
        problem = self._pose(seen, known, known.taking, first, known_steps=known_steps)
        try:
            if repair:
                new = repair_each(problem, now)
                check_deployment(problem, new)
            else:
                rng = self._strategy.at(seen.step)
                new = plan_deployment(self._config, problem, rng, instances=len(now))
                new = matched(now, new)
        except InputError:
            # Too few satellites take on experts for now.
            self._log.add(EventKind.REPLAN_FAILED, cause=reason)
            return None
        self.problem = problem
        steps = last_planned_step(self._config, seen.step) + 1 - seen.step
        tokens = problem.rate_per_s * self._world.step_s * steps
        rest = {"horizon_tokens": tokens, "repair": repair, "free": truth}
        return comparison(problem, now, new, reason=reason, **rest)

    def _adopt(self, step: int, proposal: Proposal) -> bool:
        mine = self.state
        mine.planned_at = step
        mine.planned_latency_s = np.nan
        mine.ttft_s = mine.ttft_s[:0]
        mine.promised_s = proposal.objective_s
        mine.repaired = proposal.repair
        self.wanted = proposal.placement
        self._log.add(EventKind.REPLAN, cause=proposal.reason, value=proposal.objective_s)
        if proposal.placement == self.placement:
            return False
        mine.plans += 1
        if proposal.free:
            self.transfers.adopt(proposal.placement)
            changed = True
        else:
            sizes = None if proposal.reason == Reason.COMMAND else self.problem
            changed = self.transfers.start(sizes, proposal.placement)
        mine.version += changed
        return changed
