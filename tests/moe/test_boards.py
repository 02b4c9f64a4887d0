"""Boards and the roofline: published figures, and what they make of known models."""

import numpy as np
import pytest

from twin.errors import InputError
from twin.moe.boards import BOARDS, computer, memory_gb, power_w
from twin.moe.presets import card
from twin.moe.roofline import part_times
from twin.scenario.spacecraft import Compute


@pytest.mark.parametrize(
    ("board", "precision", "tokens"),
    [
        ("orin", "fp16", 208),
        ("versal", "int8", 1300),
        ("tpu-v6e", "fp16", 560),
        ("h100", "fp16", 295),
    ],
)
def test_peak_by_bandwidth_is_as_known(board, precision, tokens):
    """Decoding is one FLOP a byte of fp16 weights (two a byte of int8): n* = peak / bandwidth."""
    on = computer(Compute(board=board), precision)
    assert on.flops_per_s / on.bytes_per_s == pytest.approx(tokens, rel=0.01)


def test_the_paper_s_board_counts_no_memory():
    """33.8 MFLOP an expert at 7.28 GFLOPS: 4.645 ms (arXiv 2605.00515)."""
    times = part_times(card("llama-moe-3.5b-2of8"), computer(Compute(), "fp16"))
    assert times.one_token_s(0)[-1] == pytest.approx(4.645e-3, abs=5e-7)
    assert not times.weight_s.any()
    assert not times.read_s.any()


def test_mixtral_on_orin_reads_its_weights():
    """25.2 GB of active weights without embedding: 124 ms a token at 204.8 GB/s, however fast."""
    mixtral = card("mixtral-8x7b")
    for gflops in (20_000.0, 42_500.0, 1e9):
        times = part_times(mixtral, computer(Compute(board="orin", gflops=gflops), "fp16"))
        alone = times.one_token_s(0)
        token_s = alone[: mixtral.layers].sum() + mixtral.layers * mixtral.top_k * alone[-1]
        assert token_s == pytest.approx(0.124, rel=0.01)


def test_the_cache_of_a_context_caps_a_gateway():
    """4,096 tokens of 4,096 bytes in a layer, at 204.8 GB/s: 12,200 a second."""
    times = part_times(card("mixtral-8x7b"), computer(Compute(board="orin"), "fp16"))
    assert 1 / (4096 * times.read_s[0]) == pytest.approx(12_200, rel=0.01)


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_says_where_its_figures_come_from(name):
    board = BOARDS[name]
    assert board.source
    assert board.gflops <= board.gflops_int8
    assert memory_gb(Compute(board=name)) == board.memory_gb
    drawn_w = power_w(Compute(board=name))
    assert drawn_w is None or 0 < drawn_w[0] < drawn_w[1]


def test_any_figure_may_be_given():
    on = computer(Compute(board="h100", gflops=10.0, memory_gb_per_s=5.0, overhead_us=3.0), "int8")
    assert (on.flops_per_s, on.bytes_per_s, on.overhead_s) == (1e10, 5e9, 3e-6)
    assert memory_gb(Compute(board="h100", memory_gb=1.0)) == 1.0


def test_times_of_many_tokens_are_linear_where_computing_bounds():
    on = computer(Compute(board="orin"), "fp16")
    times = part_times(card("qwen3-30b-a3b"), on)
    many = np.maximum(times.weight_s, 1000 * times.token_s)
    np.testing.assert_array_less(times.weight_s, many)


def test_unknown_board():
    with pytest.raises(InputError, match="orin"):
        computer(Compute(board="nonesuch"), "fp16")
