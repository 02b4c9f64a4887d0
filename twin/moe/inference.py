"""The language model as the network sees it: which experts are activated, how long work takes."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin import seeding
from twin.errors import InputError
from twin.moe import latency, presets
from twin.moe.activations import Profile, activation_profile
from twin.moe.boards import computer
from twin.moe.latency import ComputeTimes
from twin.moe.roofline import PartTimes, part_times
from twin.moe.selection import inclusion_probabilities
from twin.moe.spec import ModelCard
from twin.scenario.schema import Scenario

MAX_CHOICES = 50_000_000
"""Experts that all tokens of a step choose, 30 bytes each."""


@dataclass(frozen=True, kw_only=True)
class Inference:
    """A scenario's model, activations and accounting, ready for use.

    Attributes
    ----------
    card : ModelCard
    profile : Profile
        Plackett-Luce weights of each layer's experts over time.
    probability : (L, E) float64
        The weights at present; rows sum to 1.
    activation : (L, E) float64
        Probability that a token activates each expert; rows sum to top-K.
    compute : ComputeTimes
    times : PartTimes
        Of the model's parts, on a satellite of the scenario's speed.
    expert_s : float
        One expert on a satellite of the scenario's speed.
    stage_s : (L,) float64
        A layer's gateway with all its work, whatever the accounting, but without the LM head.
    head_s : float
        The LM head.
    flops_per_s : float
        Peak of a satellite of the scenario's speed.
    transfer_s : float
        Time to put one hidden state on a link.
    """

    card: ModelCard
    profile: Profile
    probability: NDArray[np.float64]
    activation: NDArray[np.float64]
    compute: ComputeTimes
    times: PartTimes
    expert_s: float
    stage_s: NDArray[np.float64]
    head_s: float
    flops_per_s: float
    transfer_s: float

    def at(self, t_s: float) -> "Inference":
        """Return the model as it is at a time since the start; itself where nothing drifts."""
        if self.profile.constant:
            return self
        probability = self.profile.at(t_s)
        activation = inclusion_probabilities(probability, self.card.top_k)
        return replace(self, probability=probability, activation=activation)


def check_size(scenario: Scenario) -> None:
    """Raise `InputError` if the tokens of a step choose more experts than memory holds."""
    card, workload = presets.card(scenario.model.card), scenario.workload
    tries = 1 + min(workload.retries, scenario.simulation.steps)
    choices = workload.tokens_per_step * tries * card.layers * card.top_k
    if choices > MAX_CHOICES:
        raise InputError(
            f"workload.tokens_per_step: {choices:,} experts chosen in a step, with those of tokens "
            f"tried again, are more than the {MAX_CHOICES:,} allowed"
        )


def hosts_gbps(scenario: Scenario) -> float:
    """Return the rate of the links between what hosts the model, in Gbit/s."""
    centre = scenario.ground.data_centre
    return scenario.links.rate_gbps if centre is None else centre.rate_gbps


def inference(scenario: Scenario) -> Inference:
    """Set up the inference side of a scenario's replicate, as it is at the start.

    Raises
    ------
    InputError
        If its activations do not fit its model, or its tokens are too many.
    """
    check_size(scenario)
    card = presets.card(scenario.model.card)
    simulation = scenario.simulation
    profile = activation_profile(
        scenario.activations,
        layers=card.layers,
        experts=card.experts,
        rng=seeding.stream(simulation.seed, simulation.replicate, "activations").at(0),
        top_k=card.top_k,
    )
    probability = profile.at(0.0)
    context = scenario.model.context_tokens
    on = computer(scenario.compute, scenario.model.precision)
    times = part_times(card, on)
    return Inference(
        card=card,
        profile=profile,
        probability=probability,
        activation=inclusion_probabilities(probability, card.top_k),
        compute=latency.compute_times(
            times, accounting=scenario.compute.accounting, context_tokens=context
        ),
        times=times,
        expert_s=float(times.one_token_s(0)[-1]),
        stage_s=times.one_token_s(context)[: card.layers],
        head_s=float(times.one_token_s(0)[card.layers]),
        flops_per_s=on.flops_per_s * scenario.compute.boards,
        transfer_s=card.hidden_bytes * 8 / (hosts_gbps(scenario) * 1e9),
    )
