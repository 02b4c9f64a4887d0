"""The figures of requests: how many, how long they took, how many were good."""

from collections.abc import Callable

import numpy as np

from twin.runs.rules import LESS, MORE, Floats
from twin.runs.run_figure import Requested, RunFigure, RunTotals


def _figure(
    name: str,
    label: str,
    sentence: str,
    draw: Callable[[Requested], float | None],
    *,
    unit: str = "",
    better: int = LESS,
    scale: float = 1.0,
) -> RunFigure:
    def drawn(run: RunTotals) -> float | None:
        return None if run.requests is None else draw(run.requests)

    return RunFigure(
        name=name,
        label=label,
        unit=unit,
        better=better,
        scale=scale,
        sentence=sentence,
        draw=drawn,
        of_requests=True,
    )


def _times(
    name: str, label: str, sentence: str, values: Callable[[Requested], Floats], *ranks: int
) -> list[RunFigure]:
    words = {50: "median", 95: "95th percentile", 99: "99th percentile"}
    return [
        _figure(
            f"request_{name}_p{rank}_s",
            f"{label}, {words[rank]}",
            f"{words[rank].capitalize()} over all requests served: {sentence}",
            lambda done, rank=rank: _percentile(values(done), rank),  # type: ignore[misc]
            unit="s",
        )
        for rank in ranks
    ]


def _percentile(values: Floats, rank: int) -> float:
    known = values[np.isfinite(values)]
    return float(np.percentile(known, rank)) if len(known) else float("nan")


def _good(done: Requested) -> float:
    in_time = done.served & (done.ttft_s <= done.ttft_target_s)
    # A request of one token has no further one.
    in_time &= np.isnan(done.tpot_s) | (done.tpot_s <= done.tpot_target_s)
    return float(in_time.sum()) / done.duration_s


REQUESTS = [
    _figure(
        "requests_ended",
        "requests ended",
        "Requests that ended within the run, served or not.",
        lambda done: done.asked,
        better=MORE,
    ),
    _figure(
        "requests_served_share",
        "requests served",
        "Requests served, of those that ended.",
        lambda done: float(done.served.mean()) if done.asked else None,
        unit="%",
        scale=100.0,
        better=MORE,
    ),
    _figure(
        "requests_inside",
        "requests inside at the end",
        "Requests that the end of the run found waiting or served in part.",
        lambda done: done.inside,
    ),
    *_times(
        "ttft",
        "first token of a request",
        "from asking to the first token, with waiting, the prompt and both ways to the ground.",
        lambda done: done.ttft_s,
        50,
        95,
        99,
    ),
    *_times(
        "tpot",
        "further token of a request",
        "time of each further token, mean of a request.",
        lambda done: done.tpot_s,
        50,
        95,
        99,
    ),
    *_times(
        "e2e",
        "request from end to end",
        "from asking to the last token.",
        lambda done: done.e2e_s,
        50,
        95,
        99,
    ),
    *_times(
        "gap",
        "longest gap of a request",
        "longest time between two of its tokens.",
        lambda done: done.longest_gap_s,
        50,
        99,
    ),
    _figure(
        "tokens_out_per_s",
        "tokens made",
        "Tokens of answers a second, of requests that ended.",
        lambda done: done.made_tokens / done.duration_s,
        unit="tokens/s",
        better=MORE,
    ),
    _figure(
        "tokens_in_per_s",
        "prompt tokens taken in",
        "Tokens of prompts a second, of requests that ended.",
        lambda done: done.prompt_tokens / done.duration_s,
        unit="tokens/s",
        better=MORE,
    ),
    _figure(
        "goodput_per_s",
        "goodput",
        "Requests a second that were served within both deadlines of the scenario.",
        _good,
        unit="1/s",
        better=MORE,
    ),
]
