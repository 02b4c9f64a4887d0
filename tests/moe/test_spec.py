"""Model cards against the published configurations and parameter counts."""

from dataclasses import FrozenInstanceError

import pytest

from twin.errors import InputError
from twin.moe.presets import MODEL_CARDS, card

MEASURED = {
    "layers": "moe_layers",
    "total_layers": "layers",
    "experts": "experts",
    "top_k": "top_k",
    "shared": "shared",
    "hidden": "hidden",
    "vocab": "vocab",
    "expert_params": "params_per_expert",
    "attention_params": "attn_params_per_layer",
    "expert_flops": "flops_expert",
    "shared_flops": "flops_shared",
    "attention_projection_flops": "flops_attn_proj",
    "router_flops": "flops_router",
    "lm_head_flops": "flops_lm_head",
    "kv_bytes_per_token_per_layer": "kv_bytes_per_token_per_layer_fp16",
    "hidden_bytes": "hidden_state_bytes_fp16",
    "total_params": "total_params",
}


def test_every_figure_agrees_with_the_collected_cards(oracle):
    table = oracle("model_cards.json")
    collected = {
        title: dict(zip(table["fields"], row, strict=True)) for title, row in table["cards"].items()
    }
    ours = {c.title: c for c in MODEL_CARDS.values() if c.verified != "ours" and c.experts > 1}
    assert ours.keys() == collected.keys()
    for title, row in collected.items():
        for mine, theirs in MEASURED.items():
            assert getattr(ours[title], mine) == row[theirs], (title, mine)
        if ours[title].mla is None:  # the collected figures of the others restore keys and values
            per_context_token = ours[title].attention_flops_per_context_token
            assert per_context_token == row["flops_attn_per_ctx_token"], title
        for precision in ("fp16", "int8"):
            megabytes = ours[title].expert_bytes(precision) / 1e6
            assert megabytes == pytest.approx(row[f"expert_MB_{precision}"], abs=0.006)


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("llama-moe-3.5b-2of8", 6.74),  # LLaMA-2-7B, from which it is cut (arXiv 2307.09288)
        ("mixtral-8x7b", 46.7),  # arXiv 2401.04088: "47B"
        ("olmoe-1b-7b", 6.92),  # arXiv 2409.02060: "6.9B"
        ("deepseek-v2-lite", 15.7),  # arXiv 2405.04434, appendix B: 15.7B
        ("deepseek-v3", 671.0),  # arXiv 2412.19437: 671B
        ("qwen3-30b-a3b", 30.5),  # arXiv 2505.09388: 30.5B
        ("qwen3-235b-a22b", 235.0),  # arXiv 2505.09388: 235B
        ("gpt-oss-20b", 20.9),  # arXiv 2508.10925, table 1: 20.91B
        ("gpt-oss-120b", 116.8),  # arXiv 2508.10925, table 1: 116.83B
    ],
)
def test_total_parameters_are_the_published_ones(name, billions):
    assert card(name).total_params / 1e9 == pytest.approx(billions, rel=2e-3)


def test_llama_moe_in_numbers():
    llama = card("llama-moe-3.5b-2of8")
    assert llama.expert_flops == 33_816_576
    assert llama.expert_bytes("fp16") == 33_816_576
    assert llama.layers * llama.kv_bytes_per_token_per_layer == 524_288
    assert card("mixtral-8x7b").layers * card("mixtral-8x7b").kv_bytes_per_token_per_layer == (
        131_072
    )


@pytest.mark.parametrize(
    ("name", "heads", "flops"), [("deepseek-v3", 128, 278_528), ("deepseek-v2-lite", 16, 34_816)]
)
def test_latent_attention_reads_its_cache_as_it_is(name, heads, flops):
    """One cached token: a dot product of 512 + 64 and a sum of 512, a head, 2 FLOP each."""
    assert flops == 2 * heads * ((512 + 64) + 512)
    assert card(name).attention_flops_per_context_token == flops


def test_llama_moe_forward_of_4096_tokens_takes_the_published_36_tflop():
    """36.3 TFLOP (arXiv 2605.00515): all parts, each token scored against all 4096."""
    llama = card("llama-moe-3.5b-2of8")
    layer = (
        llama.attention_projection_flops
        + 4096 * llama.attention_flops_per_context_token
        + llama.router_flops
        + llama.top_k * llama.expert_flops
    )
    forward = 4096 * (llama.layers * layer + llama.lm_head_flops)
    assert forward / 1e12 == pytest.approx(36.3, abs=0.05)


@pytest.mark.parametrize("name", MODEL_CARDS)
def test_gateways_experts_and_embedding_hold_the_whole_model(name):
    entry = card(name)
    assert entry.name == name
    assert 1 <= entry.top_k <= entry.experts
    assert entry.total_bytes("fp16") == 2 * entry.total_bytes("int8")
    parts = entry.embedding_bytes("int8")
    parts += entry.layers * (
        entry.gateway_bytes("int8") + entry.experts * entry.expert_bytes("int8")
    )
    # Only where dense layers are uneven does the heaviest gateway stand for more than there is.
    heaviest = max(entry.dense_before, default=0)
    excess = heaviest * entry.layers - sum(entry.dense_before)
    assert parts - entry.total_bytes("int8") == excess * entry.dense_params
    assert entry.gateway_bytes("int8") >= entry.attention_bytes("int8")


def test_the_teaching_card_says_that_it_is_made_up():
    toy = card("toy-8x4")
    assert (toy.layers, toy.experts, toy.top_k) == (8, 4, 2)
    assert toy.verified == "ours"


def test_an_unknown_card_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"model\.card: unknown .* 'gpt-5'; known: .*mixtral-8x7b"):
        card("gpt-5")


def test_cards_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        card("toy-8x4").experts = 5
