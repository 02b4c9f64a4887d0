"""Where router weights come from.

A router is modelled by one weight an expert and layer, from which tokens draw (see `sampling`).
Measured activations are marginals, how often each expert was chosen, not traces of tokens: the
weights are fitted to reproduce them, and everything beyond the marginals is the model's.
"""

import json
from copy import deepcopy
from dataclasses import dataclass
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError
from twin.moe.sampling import check_enough
from twin.moe.selection import fit_weights
from twin.scenario.attachments import is_kept, read_text, shown
from twin.scenario.schema import Activations

FloatArray = NDArray[np.float64]

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

OLMOE_TOPICS: Final = ("arxiv", "book", "c4", "github", "wikipedia", "tulu")
"""Measured domains of OLMoE-1B-7B: kinds of text it was trained on, and its instruction data."""


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """A shipped table of shares of choices."""

    file: str
    topics: tuple[str, ...]
    shape: tuple[int, int]
    top_k: int


_MEASURED: Final = {
    "mixtral": _Measured(file="mixtral_topics.json", topics=MIXTRAL_TOPICS, shape=(32, 8), top_k=2),
    "olmoe": _Measured(file="olmoe_domains.json", topics=OLMOE_TOPICS, shape=(16, 64), top_k=8),
}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Router weights over time: topics that follow each other in a cycle.

    Between two topics the weights are interpolated linearly. Marginals are not: in general they
    have no such blend.

    Attributes
    ----------
    weights : (topics, L, E) float
        Router weights of each topic; rows sum to 1.
    topic_s : float
        Time from one topic to the next.
    """

    weights: FloatArray
    topic_s: float

    @property
    def constant(self) -> bool:
        """Whether there is one topic only."""
        return len(self.weights) == 1

    def at(self, t_s: float) -> FloatArray:
        """Router weights at a time since the start, (L, E); rows sum to 1."""
        if self.constant:
            return np.asarray(self.weights[0])
        topic, share = divmod(t_s / self.topic_s, 1.0)
        present, coming = (self.weights[(int(topic) + k) % len(self.weights)] for k in (0, 1))
        return np.asarray((1.0 - share) * present + share * coming)


def activation_profile(
    activations: Activations,
    *,
    layers: int,
    experts: int,
    rng: np.random.Generator,
    top_k: int = 1,
) -> Profile:
    """Return the router weights over time that a scenario asks for.

    Parameters and errors are those of `expert_probabilities`; every topic draws alike from `rng`.
    """
    weights = [
        expert_probabilities(
            activations.model_copy(update={"topic": topic}),
            layers=layers,
            experts=experts,
            rng=deepcopy(rng),
            top_k=top_k,
        )
        for topic in activations.topics or (activations.topic,)
    ]
    return Profile(weights=np.stack(weights), topic_s=activations.topic_s)


def expert_probabilities(
    activations: Activations,
    *,
    layers: int,
    experts: int,
    rng: np.random.Generator,
    top_k: int = 1,
) -> FloatArray:
    """Return the router weights of a scenario's kind and `topic`.

    Kind ``olmoe`` has measurements of three of the model's sixteen layers. A layer without
    measurements is assumed to have the shares of the nearest layer with them (the earlier of two).
    Its experts are in an order drawn from `rng`, so that layers do not share their favourites.

    Parameters
    ----------
    activations : Activations
        The scenario's table; `topics` is left to `activation_profile`.
    layers, experts : int
        Shape of the model.
    rng : numpy.random.Generator
        Orders the experts of layers (``zipf``, and unmeasured ones of ``olmoe``).
    top_k : int
        How many experts each counted token chose (``counts`` only; the measured topics know).
        The weights then make a top-K draw reproduce the counts.

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
    elif activations.kind in _MEASURED:
        rows = _measured(activations.kind, str(activations.topic), shape, rng)
    else:
        exponent = activations.exponent if activations.kind == "zipf" else 0.0
        law = np.arange(1.0, experts + 1.0) ** -exponent
        rows = np.tile(law / law.sum(), (layers, 1))
        if activations.kind == "zipf":
            rows = rng.permuted(rows, axis=1)
    check_enough(rows, top_k)
    return rows


def _read_counts(file: str, shape: tuple[int, int], top_k: int) -> FloatArray:
    label = f"activations.file {shown(file) if is_kept(file) else file}"
    text = read_text(file, told=label)
    try:
        # Parsed apart from the rest: a ragged list is refused by numpy, a deep one by json.
        counts = np.array(json.loads(text))
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


def _measured(
    kind: str, topic: str, shape: tuple[int, int], rng: np.random.Generator
) -> FloatArray:
    measured = _MEASURED[kind]
    if topic not in measured.topics:
        raise InputError(
            f"activations.topic, topics: unknown {topic!r}; known: {', '.join(measured.topics)}"
        )
    layers, experts = measured.shape
    if shape != measured.shape:
        raise InputError(
            f"activations.kind: {kind!r} was measured on {layers} layers x {experts} experts, the "
            f"model has {shape[0]} x {shape[1]}; use a {layers} x {experts} model card, or kind "
            "'zipf' or 'uniform'"
        )
    table = json.loads(resources.files("twin.moe").joinpath(measured.file).read_text("utf-8"))
    counts = np.array(table["topics"][topic], dtype=np.float64)
    weights = fit_weights(counts / counts.sum(axis=1, keepdims=True), measured.top_k)
    known = np.array(table.get("layers", range(layers)))
    nearest = np.abs(np.arange(layers)[:, None] - known).argmin(axis=1)
    order = rng.permuted(np.tile(np.arange(experts), (layers, 1)), axis=1)
    order[known] = np.arange(experts)
    return np.asarray(np.take_along_axis(weights[nearest], order, axis=1))
