"""How long a part of the model takes on a satellite: the roofline.

n tokens take the longer of reading the part's weights and computing, then the time of reading the
cached keys and values, and an overhead:

    max(weight bytes / bandwidth, FLOP * n / peak) + cache bytes / bandwidth + overhead

(Williams, Waterman and Patterson, "Roofline", CACM 2009; the cache is read beside the weights).
"""

from typing import Final

import numpy as np

from twin.moe.spec import ModelCard, Precision
from twin.serving.engine.records import Rows

MANY: Final = 1_000_000


def set_times(
    parts: Rows,
    card: ModelCard,
    *,
    precision: Precision,
    flops_per_s: float,
    bytes_per_s: float = np.inf,
    overhead_s: float = 0.0,
    experts_only: bool = False,
) -> None:
    """Write each part's times on a satellite of speed 1 into the engine's table of parts.

    Parameters
    ----------
    parts : (layers + 1 + columns,) records
        Gateways of the layers, the LM head, copies of experts.
    card : ModelCard
    precision : {"fp16", "int8"}
        Of the weights.
    flops_per_s, bytes_per_s : float
        Peak of computing and bandwidth of memory.
    overhead_s : float
        Of each service.
    experts_only : bool
        Whether gateways and the head take no time.
    """
    layers = card.layers
    parts["overhead_s"] = overhead_s
    experts = parts[layers + 1 :]
    experts["token_s"] = card.expert_flops / flops_per_s
    experts["weight_s"] = card.expert_bytes(precision) / bytes_per_s
    if experts_only:
        parts["overhead_s"][: layers + 1] = 0.0
        return
    dense = np.zeros(layers)
    dense[: len(card.dense_before)] = card.dense_before
    plain = card.attention_projection_flops + card.router_flops + card.shared_flops
    flops = plain + dense * (card.attention_projection_flops + card.dense_ffn_flops)
    gateways = parts[:layers]
    gateways["token_s"] = flops / flops_per_s
    gateways["score_s"] = (1 + dense) * card.attention_flops_per_context_token / flops_per_s
    gateways["read_s"] = (1 + dense) * card.kv_bytes_per_token_per_layer / bytes_per_s
    gateways["weight_s"] = card.gateway_bytes(precision) / bytes_per_s
    head = parts[layers : layers + 1]
    head["token_s"] = card.lm_head_flops / flops_per_s
    head["weight_s"] = card.vocab * card.hidden * 2 / bytes_per_s


def gaining_tokens(parts: Rows) -> int:
    """Tokens up to which a service gains by being larger: until computing takes as long as reading.

    More make each other wait, and travel in clumps that leave satellites idle.
    """
    if parts["overhead_s"].any():
        return MANY
    computing = parts["token_s"] > 0.0
    ratio = parts["weight_s"][computing] / parts["token_s"][computing]
    return max(int(ratio.max(initial=1.0)), 1)
