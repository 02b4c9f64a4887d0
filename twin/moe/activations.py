"""Which experts tokens activate.

A router is modelled by one weight an expert and layer, and tokens choose their top-K from these
weights without replacement: the Plackett-Luce model, which is what Gumbel top-K or a race of
exponential clocks gives (Plackett 1975; Kool et al., arXiv 1903.06059). Layers are independent.

Measured activations are marginals, how often each expert was chosen, not traces of tokens: the
weights are fitted to reproduce them, and everything beyond the marginals is the model's.
"""

import json
from collections.abc import Callable
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from twin.errors import InputError
from twin.moe.selection import fit_weights
from twin.scenario.schema import Activations

FloatArray = NDArray[np.float64]
ChoiceArray = NDArray[np.int32]
Sampler = Callable[[int, np.random.Generator], ChoiceArray]
"""Draws the experts of so many tokens: (tokens, layers, top_k), in the order of choice."""

_SUBJECTS = (
    "college_computer_science",
    "college_medicine",
    "high_school_biology",
    "high_school_mathematics",
    "high_school_us_history",
    "international_law",
    "machine_learning",
)
MIXTRAL_TOPICS: Final = tuple(
    f"{variant}/{subject}" for variant in ("instruct", "original") for subject in _SUBJECTS
)
"""Measured topics: Mixtral-8x7B, fine-tuned and base, on subjects of the MMLU benchmark."""

_MIXTRAL_SHAPE = (32, 8)
_MIXTRAL_TOP_K = 2


def expert_probabilities(
    activations: Activations,
    *,
    layers: int,
    experts: int,
    rng: np.random.Generator,
    top_k: int = 1,
) -> FloatArray:
    """Return the router weights that a scenario asks for.

    Parameters
    ----------
    activations : Activations
        The scenario's table.
    layers, experts : int
        Shape of the model.
    rng : numpy.random.Generator
        Ranks the experts of each layer (``zipf`` only).
    top_k : int
        How many experts each counted token chose (``counts`` only; the Mixtral topics are
        top-2). The weights then make a top-K draw reproduce the counts.

    Returns
    -------
    (layers, experts) float
        Probability to be a token's first choice; rows sum to 1.

    Raises
    ------
    InputError
        If a topic is unknown, a file unreadable, or either does not fit the model.
    """
    shape = (layers, experts)
    if activations.kind == "counts":
        rows = fit_weights(_read_counts(str(activations.file), shape, top_k), top_k)
    elif activations.kind == "mixtral":
        rows = fit_weights(_mixtral_shares(str(activations.topic), shape), _MIXTRAL_TOP_K)
    else:
        exponent = activations.exponent if activations.kind == "zipf" else 0.0
        law = np.arange(1.0, experts + 1.0) ** -exponent
        rows = np.tile(law / law.sum(), (layers, 1))
        if activations.kind == "zipf":
            rows = rng.permuted(rows, axis=1)
    _check_enough(rows, top_k)
    return rows


def _read_counts(file: str, shape: tuple[int, int], top_k: int) -> FloatArray:
    label = f"activations.file {file}"
    try:
        # Parsed apart from the rest: a ragged list is refused by numpy, a deep one by json.
        counts = np.array(json.loads(Path(file).read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"{label}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{label}: not a JSON array of {shape[0]} x {shape[1]} counts") from None
    if counts.shape != shape or counts.dtype.kind not in "iuf":
        raise InputError(f"{label}: must be {shape[0]} layers x {shape[1]} experts of numbers")
    counts = np.asarray(counts, np.float64)
    if not np.isfinite(counts).all() or (counts < 0.0).any():
        raise InputError(f"{label}: counts must be finite and not negative")
    shares: FloatArray = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-300)
    for layer, row in enumerate(shares):
        if np.count_nonzero(row) < top_k:
            raise InputError(f"{label}: layer {layer} needs counts of at least {top_k} experts")
        if row.max() * top_k > 1.0 + 1e-9:
            raise InputError(
                f"{label}: layer {layer} gives one expert {row.max():.3f} of all choices; "
                f"with top-{top_k} it can have at most {1 / top_k:.3f}"
            )
    return shares


def _mixtral_shares(topic: str, shape: tuple[int, int]) -> FloatArray:
    if topic not in MIXTRAL_TOPICS:
        raise InputError(
            f"activations.topic: unknown {topic!r}; known: {', '.join(MIXTRAL_TOPICS)}"
        )
    if shape != _MIXTRAL_SHAPE:
        raise InputError(
            "activations.kind: 'mixtral' was measured on 32 layers x 8 experts, the model has "
            f"{shape[0]} x {shape[1]}; use a 32 x 8 model card, or kind 'zipf' or 'uniform'"
        )
    text = resources.files("twin.moe").joinpath("mixtral_topics.json").read_text("utf-8")
    shares: FloatArray = np.array(json.loads(text)["topics"][topic], dtype=np.float64)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


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
    _check_enough(probabilities, top_k)
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
    _check_enough(probabilities, top_k)
    chance = np.sum(probabilities**2, axis=1)
    # A layer with one certain expert repeats anyway; the floor only keeps 0/0 away.
    keep = np.maximum(repeat_probability - chance, 0.0) / np.maximum(1.0 - chance, 1e-12)
    uniforms = rng.random((tokens, len(probabilities), top_k))
    choices: ChoiceArray = _draw(
        np.array(probabilities, order="C"), uniforms, keep, previous.astype(np.int32)
    )
    return choices


class StickySampler:
    """`sticky` as a `Sampler` that remembers the last token."""

    def __init__(self, probabilities: FloatArray, top_k: int, repeat_probability: float) -> None:
        self._next = partial(sticky, probabilities, top_k, repeat_probability=repeat_probability)
        self._previous: ChoiceArray | None = None

    def __call__(self, tokens: int, rng: np.random.Generator) -> ChoiceArray:
        """Draw the tokens that follow those of the call before."""
        choices = self._next(tokens, rng, previous=self._previous)
        self._previous = choices[-1, :, 0].copy() if tokens else self._previous
        return choices


SAMPLERS: Final[dict[str, Callable[[Activations, FloatArray, int], Sampler]]] = {
    "plackett-luce": lambda _table, p, top_k: partial(plackett_luce, p, top_k),
    "sticky": lambda table, p, top_k: StickySampler(p, top_k, table.repeat_probability),
}
"""``SAMPLERS[table.sampler](table, probabilities, top_k)`` gives the run's sampler."""


def _check_enough(probabilities: FloatArray, top_k: int) -> None:
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
