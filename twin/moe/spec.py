"""What a mixture-of-experts model costs: FLOP and bytes, derived from its architecture.

A multiply-add counts as two FLOP. Norms, biases and activation functions are left out: together
they are below 0.1 % of every card. All FLOP figures are for one token.
"""

from dataclasses import dataclass
from typing import Final, Literal

Precision = Literal["fp16", "int8"]

BYTES_PER_PARAM: Final[dict[Precision, int]] = {"fp16": 2, "int8": 1}
"""Size of one weight."""

ACTIVATION_BYTES: Final = 2
"""Size of one activation or cached value: fp16, whatever the precision of the weights."""


@dataclass(frozen=True, kw_only=True)
class LatentAttention:
    """Widths of multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1).

    Attributes
    ----------
    query_rank : int
        Rank of the compressed query, 0 where queries are projected directly.
    kv_rank : int
        Rank of the compressed keys and values, which is what gets cached.
    rope_dim, nope_dim : int
        Width of a head's key with and without rotary position.
    value_dim : int
        Width of a head's value.
    """

    query_rank: int
    kv_rank: int
    rope_dim: int
    nope_dim: int
    value_dim: int


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """Architecture of a mixture-of-experts language model.

    Attributes
    ----------
    name, title : str
        Key of the card, and how a reader knows the model.
    layers : int
        Mixture-of-experts layers: the ones placed, each with its gateway and its experts.
    experts, top_k, shared : int
        Routed experts a layer, how many of them a token activates, and experts every token uses.
    hidden, expert_ff : int
        Width of the hidden state, and the inner width of an expert.
    ffn_mats : int
        Matrices of a feed-forward block: 3 if gated (SwiGLU), 2 if not.
    heads, kv_heads, head_dim : int
        Attention; `kv_heads` < `heads` is grouped-query attention.
    mla : LatentAttention or None
        Latent attention, which then replaces `kv_heads` and `head_dim`.
    vocab : int
        Tokens of the vocabulary.
    tied_embedding : bool
        Whether input embedding and LM head share one matrix.
    dense_ff : int
        Inner width of the dense layers' feed-forward block.
    dense_before : tuple of int
        How many dense layers stand before each mixture-of-experts layer; layers beyond its end
        have none. They run on the gateway of the layer they precede.
    source, verified : str
        Where the figures come from, and how sure they are.
    """

    name: str
    title: str
    layers: int
    experts: int
    top_k: int
    shared: int = 0
    hidden: int
    expert_ff: int
    ffn_mats: int = 3
    heads: int
    kv_heads: int
    head_dim: int
    mla: LatentAttention | None = None
    vocab: int
    tied_embedding: bool = False
    dense_ff: int = 0
    dense_before: tuple[int, ...] = ()
    source: str
    verified: str

    @property
    def total_layers(self) -> int:
        """All layers, dense ones included."""
        return self.layers + sum(self.dense_before)

    @property
    def expert_params(self) -> int:
        """Weights of one expert."""
        return self.ffn_mats * self.hidden * self.expert_ff

    @property
    def attention_params(self) -> int:
        """Weights of one layer's attention."""
        if self.mla is None:
            return 2 * self.hidden * (self.heads + self.kv_heads) * self.head_dim
        mla = self.mla
        key_dim = mla.nope_dim + mla.rope_dim
        query_input = mla.query_rank or self.hidden
        query = self.hidden * mla.query_rank + query_input * self.heads * key_dim
        down = self.hidden * (mla.kv_rank + mla.rope_dim)
        up = mla.kv_rank * self.heads * (mla.nope_dim + mla.value_dim)
        return query + down + up + self.heads * mla.value_dim * self.hidden

    @property
    def router_params(self) -> int:
        """Weights of one layer's router."""
        return self.hidden * self.experts

    @property
    def dense_params(self) -> int:
        """Weights of one dense layer: attention and feed-forward block."""
        return self.attention_params + self.ffn_mats * self.hidden * self.dense_ff

    @property
    def embedding_params(self) -> int:
        """Weights of input embedding and LM head."""
        return (1 if self.tied_embedding else 2) * self.vocab * self.hidden

    @property
    def total_params(self) -> int:
        """All weights."""
        experts = (self.experts + self.shared) * self.expert_params
        layer = self.attention_params + self.router_params + experts
        dense = sum(self.dense_before) * self.dense_params
        return self.layers * layer + dense + self.embedding_params

    @property
    def expert_flops(self) -> int:
        """One expert."""
        return 2 * self.expert_params

    @property
    def shared_flops(self) -> int:
        """The shared experts of one layer, together."""
        return self.shared * self.expert_flops

    @property
    def attention_projection_flops(self) -> int:
        """Attention of one layer without the part that grows with the context."""
        return 2 * self.attention_params

    @property
    def attention_flops_per_context_token(self) -> int:
        """Scores and weighted sum of one layer, for each token already cached.

        Latent attention works on what is cached: a head's scores take the compressed keys and
        their rotary part, its weighted sum the compressed values. The matrices that would restore
        keys and values act on the query and on the sum instead, once a token (arXiv 2405.04434,
        section 2.1.2), and count as projections.
        """
        if self.mla is None:
            return 4 * self.heads * self.head_dim
        return 2 * self.heads * (2 * self.mla.kv_rank + self.mla.rope_dim)

    @property
    def router_flops(self) -> int:
        """The router of one layer."""
        return 2 * self.router_params

    @property
    def dense_ffn_flops(self) -> int:
        """The feed-forward block of one dense layer."""
        return 2 * self.ffn_mats * self.hidden * self.dense_ff

    @property
    def lm_head_flops(self) -> int:
        """Logits over the vocabulary."""
        return 2 * self.hidden * self.vocab

    @property
    def hidden_bytes(self) -> int:
        """The hidden state of one token: what an inter-satellite link carries."""
        return ACTIVATION_BYTES * self.hidden

    @property
    def kv_bytes_per_token_per_layer(self) -> int:
        """Keys and values cached for one token by one layer."""
        if self.mla is None:
            return ACTIVATION_BYTES * 2 * self.kv_heads * self.head_dim
        return ACTIVATION_BYTES * (self.mla.kv_rank + self.mla.rope_dim)

    def expert_bytes(self, precision: Precision) -> int:
        """One expert."""
        return BYTES_PER_PARAM[precision] * self.expert_params

    def attention_bytes(self, precision: Precision) -> int:
        """The attention of one layer."""
        return BYTES_PER_PARAM[precision] * self.attention_params

    def gateway_bytes(self, precision: Precision) -> int:
        """What the gateway of a layer holds: attention, router, shared experts, dense layers.

        Where layers differ, the most any of them needs. Embedding and LM head are apart.
        """
        layer = self.attention_params + self.router_params + self.shared * self.expert_params
        dense = max(self.dense_before, default=0) * self.dense_params
        return BYTES_PER_PARAM[precision] * (layer + dense)

    def embedding_bytes(self, precision: Precision) -> int:
        """Input embedding and LM head; both belong to the first gateway, where the ring closes."""
        return BYTES_PER_PARAM[precision] * self.embedding_params

    def head_bytes(self, precision: Precision) -> int:
        """LM head."""
        return BYTES_PER_PARAM[precision] * self.vocab * self.hidden

    def total_bytes(self, precision: Precision) -> int:
        """All weights."""
        return BYTES_PER_PARAM[precision] * self.total_params
