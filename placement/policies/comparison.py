"""What a policy is told of a new plan beside the one in force."""

import math
from typing import Any

from placement.deployment import Deployment
from placement.migration import migration
from placement.policies.telemetry import Proposal
from placement.problem import Placement, PlacementProblem
from placement.stacking import mean_objective_s, stacked


def comparison(
    problem: PlacementProblem, now: Deployment, new: Deployment, **rest: Any
) -> Proposal:
    """Return the proposal to go over to a new plan; `rest` is what it does not follow from."""
    wanted = stacked(new)
    return Proposal(
        placement=wanted,
        objective_s=mean_objective_s(problem, new),
        current_s=mean_objective_s(problem, now),
        moved_bytes=migration(problem, stacked(now), wanted).total_bytes,
        **rest,
    )


def proposal_of(placement: Placement, reason: str) -> Proposal:
    """Return the proposal to go over to a placement that was not weighed here: nothing is known."""
    unknown = math.nan
    return Proposal(
        reason=reason,
        placement=placement,
        objective_s=unknown,
        current_s=unknown,
        moved_bytes=unknown,
        horizon_tokens=unknown,
    )
