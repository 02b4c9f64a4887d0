"""Draws of the experts that tokens activate.

Tokens choose their top-K from router weights without replacement: the Plackett-Luce model, which
is what Gumbel top-K or a race of exponential clocks gives (Plackett 1975; Kool et al., arXiv
1903.06059). Layers are independent.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.errors import InputError
from twin.registry import Registry
from twin.scenario.schema import Activations

FloatArray = NDArray[np.float64]
ChoiceArray = NDArray[np.int32]
Sampler = Callable[[FloatArray, int, np.random.Generator, ChoiceArray | None], ChoiceArray]
"""Draws experts by the router weights, (L, E), for some tokens: (tokens, L, K), in the order of
choice. The last argument is the first choices of the token before, (L,), or None."""


def plackett_luce(
    probabilities: FloatArray, top_k: int, tokens: int, rng: np.random.Generator
) -> ChoiceArray:
    """Draw the experts of independent tokens, top-K without replacement.

    Parameters
    ----------
    probabilities : (L, E) float
        Router weights. An expert of weight 0 is never chosen.
    top_k : int
        Experts a token activates in each layer.
    tokens : int
        How many tokens.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    (tokens, L, K) int32
        Experts in the order of choice.

    Raises
    ------
    InputError
        If a layer has fewer than K experts of positive weight.
    """
    check_enough(probabilities, top_k)
    layers = len(probabilities)
    uniforms = rng.random((tokens, layers, top_k))
    choices: ChoiceArray = _draw(
        np.array(probabilities, order="C"), uniforms, np.zeros(layers), np.zeros(layers, np.int32)
    )
    return choices


def sticky(
    probabilities: FloatArray,
    top_k: int,
    tokens: int,
    rng: np.random.Generator,
    *,
    repeat_probability: float,
    previous: ChoiceArray | None = None,
) -> ChoiceArray:
    """Draw the experts of consecutive tokens, whose first choices form a Markov chain.

    In each layer a token's first choice equals that of the token before with
    `repeat_probability` in all, be it kept or drawn again; the other choices are Plackett-Luce
    given the first. The first choice is kept with probability c and drawn afresh from p
    otherwise, a chain whose stationary distribution is p: every marginal is that of
    `plackett_luce`. A layer where fresh draws alone repeat more often, sum of p^2 above
    `repeat_probability`, has c = 0. Mixtral-8x7B repeats 14 % in its first layer and 20-28 % in
    later ones, where fresh draws would give 12.5 % (arXiv 2401.04088, table 5).

    Parameters
    ----------
    probabilities, top_k, tokens, rng
        As in `plackett_luce`.
    repeat_probability : float
        Chance that a first choice repeats.
    previous : (L,) int32, optional
        First choices of the token before; drawn from `probabilities` when not given. Pass the
        last token's, ``choices[-1, :, 0]``, to continue a sequence.

    Returns
    -------
    (tokens, L, K) int32
        Experts in the order of choice.
    """
    if previous is None:
        previous = plackett_luce(probabilities, 1, 1, rng)[0, :, 0]
    check_enough(probabilities, top_k)
    chance = np.sum(probabilities**2, axis=1)
    # A layer with one certain expert repeats anyway; the floor only keeps 0/0 away.
    keep = np.maximum(repeat_probability - chance, 0.0) / np.maximum(1.0 - chance, 1e-12)
    uniforms = rng.random((tokens, len(probabilities), top_k))
    choices: ChoiceArray = _draw(
        np.array(probabilities, order="C"), uniforms, keep, previous.astype(np.int32)
    )
    return choices


def _fresh_choices(_table: Activations, top_k: int) -> Sampler:
    """Independent tokens, top-K without replacement."""
    return partial(_independent, top_k)


def _sticky_choices(table: Activations, top_k: int) -> Sampler:
    """Consecutive tokens, whose first choices form a Markov chain."""
    return partial(_sticky, top_k, table.repeat_probability)


SAMPLERS: Final[Registry[Callable[[Activations, int], Sampler]]] = Registry(
    "sampler",
    {"plackett-luce": _fresh_choices, "sticky": _sticky_choices},
    field="activations.sampler",
)
"""``SAMPLERS[table.sampler](table, top_k)`` gives the run's sampler."""


def _independent(
    top_k: int,
    probabilities: FloatArray,
    tokens: int,
    rng: np.random.Generator,
    previous: ChoiceArray | None,  # noqa: ARG001
) -> ChoiceArray:
    return plackett_luce(probabilities, top_k, tokens, rng)


def _sticky(
    top_k: int,
    repeat_probability: float,
    probabilities: FloatArray,
    tokens: int,
    rng: np.random.Generator,
    previous: ChoiceArray | None,
) -> ChoiceArray:
    return sticky(
        probabilities,
        top_k,
        tokens,
        rng,
        repeat_probability=repeat_probability,
        previous=previous,
    )


def check_enough(probabilities: FloatArray, top_k: int) -> None:
    """Raise `InputError` if a layer has fewer than K experts of positive weight."""
    positive = np.count_nonzero(probabilities, axis=1)
    if positive.min() < top_k:
        layer = int(positive.argmin())
        raise InputError(
            f"activations: layer {layer} has {positive[layer]} experts of positive probability, "
            f"too few for top-{top_k}"
        )


@njit(cache=True)  # type: ignore[untyped-decorator]
def _draw(
    probabilities: FloatArray, uniforms: FloatArray, keep: FloatArray, previous: ChoiceArray
) -> ChoiceArray:
    """Turn one uniform number a choice into experts; the first also decides about keeping."""
    tokens, layers, top_k = uniforms.shape
    choices = np.empty((tokens, layers, top_k), np.int32)
    for layer in range(layers):
        weights = probabilities[layer].copy()
        last = previous[layer]
        for token in range(tokens):
            for k in range(top_k):
                x = uniforms[token, layer, k]
                if k == 0:
                    kept = x < keep[layer]
                    # What is left of x beyond `keep` is uniform again.
                    if not kept:
                        x = (x - keep[layer]) / (1.0 - keep[layer])
                        last = _pick(weights, x)
                    choice = last
                else:
                    choice = _pick(weights, x)
                choices[token, layer, k] = choice
                weights[choice] = 0.0
            for k in range(top_k):
                choice = choices[token, layer, k]
                weights[choice] = probabilities[layer, choice]
    return choices


@njit(cache=True)  # type: ignore[untyped-decorator]
def _pick(weights: FloatArray, x: float) -> np.int32:
    """Index at which the running sum passes the share `x` of the total."""
    target = 0.0
    for weight in weights:
        target += x * weight
    running = 0.0
    found = 0
    for index in range(weights.size):
        if weights[index] > 0.0:
            running += weights[index]
            found = index
            if running > target:
                break
    return np.int32(found)
