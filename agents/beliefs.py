"""What the controller believes of the router's choices: the start's, or what it has learned."""

import numpy as np
from numpy.typing import NDArray

from agents.controller_state import ControllerState
from twin.moe.estimate import ActivationEstimate
from twin.moe.inference import Inference
from twin.scenario.schema import Scenario

type Shares = NDArray[np.float64]


def estimate_of(scenario: Scenario, state: ControllerState, top_k: int) -> ActivationEstimate:
    """Return the estimate of a controller that learns."""
    memory_s = scenario.controller.activation_memory_s
    assert state.estimate is not None
    assert memory_s is not None
    return ActivationEstimate(state.estimate, top_k, memory_s=memory_s)


def believed(
    scenario: Scenario, state: ControllerState, now: Inference, *, foreseen: bool
) -> tuple[Shares, Shares]:
    """Return the Plackett-Luce weights and activations, (L, E) each, that a plan rests on."""
    if foreseen:
        return now.probability, now.activation
    if state.estimate is not None:
        estimate = estimate_of(scenario, state, now.card.top_k)
        return estimate.probability, estimate.activation
    assert state.probability is not None
    assert state.activation is not None
    return state.probability, state.activation
