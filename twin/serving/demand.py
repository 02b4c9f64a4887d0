"""What a scenario's requests ask of the constellation, in the mean."""

import numpy as np

from twin.planning.problems import Asked
from twin.scenario.schema import Scenario
from twin.serving import traces


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
