"""What a scenario's requests ask of the constellation, in the mean."""

import numpy as np

from twin.planning.problems import Asked
from twin.scenario.schema import Scenario
from twin.serving import traces


def asked_by_requests(scenario: Scenario, *, step_s: float) -> Asked | None:
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
        prompt, output = float(trace.prompt[here].sum()), float(trace.output[here].sum())
    else:
        rate_per_s, prompt, output = table.rate_per_s, table.prompt_tokens, table.output_tokens
    tokens = prompt + output
    if not tokens:
        return Asked(tokens_per_s=0.0, made_share=0.0)
    return Asked(tokens_per_s=rate_per_s * tokens, made_share=output / tokens)
