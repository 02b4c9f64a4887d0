"""How long a part of the model takes on a satellite: the roofline.

n tokens take the longer of reading the part's weights and computing, then the time of reading the
cached keys and values, and an overhead:

    max(weight bytes / bandwidth, FLOP * n / peak) + cache bytes / bandwidth + overhead

(Williams, Waterman and Patterson, "Roofline", CACM 2009; the cache is read beside the weights).
"""

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from twin.moe.spec import BYTES_PER_PARAM, ModelCard

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Computer:
    """What every satellite computes with.

    Attributes
    ----------
    flops_per_s : float
        As far as it is reached.
    bytes_per_s : float
        From memory, as far as it is reached.
    overhead_s : float
        Of each part of the model that is worked on.
    bytes_per_param : int
        Of the weights.
    """

    flops_per_s: float
    bytes_per_s: float = inf
    overhead_s: float = 0.0
    bytes_per_param: int = BYTES_PER_PARAM["fp16"]


@dataclass(frozen=True, kw_only=True)
class PartTimes:
    """Times of the gateways of L layers, of the LM head and of an expert, (L + 2,) each.

    Attributes
    ----------
    weight_s : (L + 2,) float64
        To read the weights.
    token_s : (L + 2,) float64
        To compute a token.
    score_s : (L + 2,) float64
        To compute what a token has to do with one token before it.
    read_s : (L + 2,) float64
        To read what is cached of one token.
    overhead_s : (L + 2,) float64
        Of each service.
    """

    weight_s: FloatArray
    token_s: FloatArray
    score_s: FloatArray
    read_s: FloatArray
    overhead_s: FloatArray

    def one_token_s(self, context_tokens: int) -> FloatArray:
        """Time of each part for one token behind `context_tokens` others, (L + 2,)."""
        busy_s = np.maximum(self.weight_s, self.token_s + context_tokens * self.score_s)
        return np.asarray(busy_s + context_tokens * self.read_s + self.overhead_s)


def part_times(card: ModelCard, on: Computer) -> PartTimes:
    """Return the times of a model's parts on a computer."""
    layers = card.layers
    dense = np.zeros(layers)
    dense[: len(card.dense_before)] = card.dense_before
    plain = card.attention_projection_flops + card.router_flops + card.shared_flops
    flops = plain + dense * (card.attention_projection_flops + card.dense_ffn_flops)
    params = card.attention_params + card.router_params + card.shared * card.expert_params
    head = card.vocab * card.hidden
    cached = (1 + dense) * card.kv_bytes_per_token_per_layer
    scored = (1 + dense) * card.attention_flops_per_context_token
    none = np.zeros(2)
    return PartTimes(
        weight_s=np.append(params + dense * card.dense_params, [head, card.expert_params])
        * (on.bytes_per_param / on.bytes_per_s),
        token_s=np.append(flops, [card.lm_head_flops, card.expert_flops]) / on.flops_per_s,
        score_s=np.append(scored, none) / on.flops_per_s,
        read_s=np.append(cached, none) / on.bytes_per_s,
        overhead_s=np.full(layers + 2, on.overhead_s),
    )
