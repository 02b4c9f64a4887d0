"""What planners are given of the requests that a scenario asks."""

import json

import numpy as np
import pytest

from twin.errors import InputError
from twin.scenario import loader
from twin.serving.demand import asked_by_requests
from twin.study.place import problem_of

REQUESTS = {
    "serving.mode": "requests",
    "serving.chunk_tokens": 8,
    "placement.waiting": "m/g/1",
    "requests.rate_per_s": 0.5,
    "requests.prompt_tokens": 20.0,
    "requests.output_tokens": 5.0,
}


def asked(**changes):
    return asked_by_requests(loader.load("small", REQUESTS | changes), 10.0)


def test_the_mean_of_prompts_and_answers_is_asked():
    found = asked()
    assert found.tokens_per_s == pytest.approx(0.5 * 25)
    assert found.made_share == pytest.approx(0.2)
    # Twice 8 tokens, once 4, and 5 by themselves.
    assert found.group_tokens == pytest.approx((2 * 8 * 8 + 4 * 4 + 5) / 25)
    assert asked(**{"serving.chunk_tokens": 1}).group_tokens == pytest.approx(1.0)


def test_a_trace_is_counted_as_far_as_the_run_asks(tmp_path):
    rng = np.random.default_rng(5)
    at_ms = np.sort(rng.integers(0, 400_000, 300))
    prompt, output = rng.integers(1, 60, 300), rng.integers(1, 9, 300)
    lines = [
        {"timestamp": int(t), "input_length": int(p), "output_length": int(o), "hash_ids": []}
        for t, p, o in zip(at_ms, prompt, output, strict=True)
    ]
    file = tmp_path / "trace.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    found = asked(
        **{
            "requests.arrivals": "trace",
            "requests.trace": str(file),
            "requests.trace_speed": 2.0,
            "requests.trace_share": 0.5,
            "requests.drain_s": 50.0,
            "simulation.steps": 15,
        }
    )
    tokens = made = groups = 0
    for t, p, o in zip((at_ms - at_ms[0]) / 1000, prompt, output, strict=True):
        if t < 2.0 * 100.0:
            tokens += p + o
            made += o
            groups += sum(min(8, p - first) ** 2 for first in range(0, p, 8)) + o
    assert found.tokens_per_s == pytest.approx(0.5 * tokens / 100.0)
    assert found.made_share == pytest.approx(made / tokens)
    assert found.group_tokens == pytest.approx(groups / tokens)


def test_problems_have_it_only_where_waiting_counts():
    problem = problem_of(loader.load("small", REQUESTS))
    assert (problem.waiting, problem.rate_per_s) == (True, 12.5)
    assert problem.head_s > 0
    assert problem.head_share == 0.2
    assert problem.demand_s[0] == problem.stage_s[0] + 0.2 * problem.head_s
    apart = problem_of(loader.load("small", REQUESTS | {"serving.head_satellites": 1}))
    assert apart.head_s == 0.0
    assert asked(**{"placement.waiting": "none"}) is None
    plain = problem_of(loader.load("small", REQUESTS | {"placement.waiting": "none"}))
    tokens = problem_of(loader.load("small", {"placement.waiting": "m/g/1"}))
    assert plain.rate_per_s == tokens.rate_per_s == problem_of(loader.load("small")).rate_per_s
    assert (plain.waiting, tokens.waiting) == (False, True)
    assert (tokens.head_s, tokens.group_tokens) == (0.0, 1.0)
    np.testing.assert_array_equal(plain.demand_s, plain.gateway_s)


def test_who_asks_again_after_the_answer_has_no_rate():
    with pytest.raises(InputError, match=r"placement\.waiting must be 'none' where .* 'closed'"):
        loader.load("small", REQUESTS | {"requests.arrivals": "closed"})
    loader.load("small", {"placement.waiting": "m/g/1", "requests.arrivals": "closed"})
