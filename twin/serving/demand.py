"""What a scenario's requests ask of the constellation, in the mean."""

from dataclasses import dataclass

import numpy as np

from twin.moe.inference import Inference
from twin.planning.problems import Asked
from twin.scenario.schema import Scenario
from twin.serving import traces


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """Means of a scenario's requests.

    Attributes
    ----------
    passed : float
        Tokens that pass the layers: all of a prompt and of its answer but the last.
    scored : float
        Pairs of a token that passes and one up to it.
    made : float
        Tokens of the answer.
    """

    passed: float
    scored: float
    made: float


def mean_lengths(scenario: Scenario) -> Lengths:
    """Means of a scenario's requests; of a trace, over all that the scenario may ask."""
    table = scenario.requests
    if table.arrivals == "trace":
        trace = traces.read(table)
        passed, made = trace.prompt + trace.output - 1.0, float(trace.output.mean())
        square, mean = float((passed**2).mean()), float(passed.mean())
    else:
        cvs = (table.prompt_cv, table.output_cv) if table.lengths == "lognormal" else (0.0, 0.0)
        made, mean = table.output_tokens, table.prompt_tokens + table.output_tokens - 1.0
        square = mean**2 + (cvs[0] * table.prompt_tokens) ** 2 + (cvs[1] * made) ** 2
    return Lengths(passed=mean, scored=(square + mean) / 2.0, made=made)


def request_work_s(scenario: Scenario, inference: Inference) -> float:
    """Time that a mean request keeps a satellite of speed 1 busy computing, all work counted.

    Reading weights and caches is not counted: the larger the batches, the less of it there is.
    """
    parts, layers, asked = inference.times, inference.card.layers, mean_lengths(scenario)
    experts = scenario.compute.accounting == "experts-only"
    counts = 0.0 if experts else 1.0
    layer_s = counts * parts.token_s[:layers].sum()
    layer_s += layers * inference.card.top_k * parts.token_s[layers + 1]
    score_s = counts * parts.score_s[:layers].sum()
    head_s = counts * parts.token_s[layers]
    return float(asked.passed * layer_s + asked.scored * score_s + asked.made * head_s)


def asked_by_requests(scenario: Scenario, step_s: float) -> Asked | None:
    """Mean tokens a second of the requests; None where none are served, or waiting does not count.

    Those of a trace are counted, from the start of the run to when arrivals stop. A rate that
    swings over the day counts as its mean.

    Parameters
    ----------
    scenario : Scenario
    step_s : float
    """
    table = scenario.requests
    if scenario.serving.mode != "requests" or scenario.placement.waiting == "none":
        return None
    if table.arrivals == "trace":
        trace = traces.read(table)
        stops_s = max(scenario.simulation.steps * step_s - table.drain_s, step_s)
        here = slice(0, int(np.searchsorted(trace.at_s / table.trace_speed, stops_s)))
        rate_per_s = table.trace_share / stops_s
        prompt, output = trace.prompt[here], trace.output[here]
    else:
        rate_per_s = table.rate_per_s
        prompt, output = np.array([table.prompt_tokens]), np.array([table.output_tokens])
    chunk = scenario.serving.chunk_tokens
    whole, rest = np.divmod(prompt, chunk)
    made = float(output.sum())
    tokens = float(prompt.sum()) + made
    return Asked(
        tokens_per_s=rate_per_s * tokens,
        made_share=made / max(tokens, 1.0),
        group_tokens=(float((whole * chunk**2 + rest**2).sum()) + made) / max(tokens, 1.0),
    )
