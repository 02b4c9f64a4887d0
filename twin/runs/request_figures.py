"""The figures of requests: how many, how long they took, how many were good."""

from collections.abc import Callable
from typing import Final

import numpy as np

from twin.runs.rules import LESS, MORE, NEITHER, Floats
from twin.runs.run_figure import Bools, Requested, RunFigure, RunTotals
from twin.runs.steady import half_width_share, jain


def _figure(
    name: str,
    label: str,
    sentence: str,
    draw: Callable[[Requested], float | None],
    *,
    unit: str = "",
    better: int = LESS,
    scale: float = 1.0,
    share: bool = False,
) -> RunFigure:
    def drawn(run: RunTotals) -> float | None:
        return None if run.requests is None else draw(run.requests)

    return RunFigure(
        name=name,
        label=label,
        unit=unit,
        better=better,
        scale=scale,
        share=share,
        sentence=sentence,
        draw=drawn,
        of_requests=True,
    )


MEAN: Final = 0
"""Stands for the mean among ranks of percentiles."""
_WORDS: Final = {50: "median", 95: "95th percentile", 99: "99th percentile", MEAN: "mean"}


def _times(
    name: str, label: str, sentence: str, values: Callable[[Requested], Floats], *ranks: int
) -> list[RunFigure]:
    return [
        _figure(
            f"request_{name}_p{rank}_s" if rank else f"request_{name}_mean_s",
            f"{label}, {_WORDS[rank]}",
            f"{_WORDS[rank].capitalize()} over the counted requests that were served: {sentence}",
            lambda done, rank=rank: _of_served(  # type: ignore[misc]
                values(done)[done.counted & done.served], rank
            ),
            unit="s",
        )
        for rank in ranks
    ]


def _share(done: Requested, of: Bools) -> float | None:
    counted = done.counted
    return float(of[counted].mean()) if counted.any() else None


def _of_served(values: Floats, rank: int) -> float:
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan")
    return float(np.percentile(known, rank) if rank else known.mean())


def _half_width(done: Requested) -> float:
    served = np.flatnonzero(done.counted & done.served)
    order = served[np.argsort(done.asked_s[served], kind="stable")]
    return half_width_share(done.e2e_s[order])


def _waits_by_site(done: Requested) -> Floats:
    """Mean waiting of the requests of each site; of those not let in, until the end of the run."""
    outside = done.unfinished & np.isnan(done.admitted_s)
    wait_s = np.where(outside, done.end_s - done.asked_s, done.waiting_s)
    known = done.counted & np.isfinite(wait_s)
    sites, place = np.unique(done.site[known], return_inverse=True)
    total = np.bincount(place, wait_s[known], len(sites))
    return np.asarray(total / np.maximum(np.bincount(place, minlength=len(sites)), 1))


def _most_to_median(done: Requested) -> float:
    waits = _waits_by_site(done)
    median = float(np.median(waits)) if len(waits) > 1 else 0.0
    return float(waits.max()) / median if median > 0.0 else float("nan")


def _fairness(done: Requested) -> float:
    waits = _waits_by_site(done)
    return jain(waits) if len(waits) > 1 else float("nan")


def _oldest_s(done: Requested) -> float:
    without = done.unfinished & np.isnan(done.ttft_s)
    return done.end_s - float(done.asked_s[without].min()) if without.any() else 0.0


REQUESTS = [
    _figure(
        "requests_counted",
        "requests counted",
        "Requests asked after the warm-up and before arrivals stop, which figures are of.",
        lambda done: float(done.counted.sum()),
        better=NEITHER,
    ),
    _figure(
        "request_warm_up_s",
        "warm-up left out",
        "Time at the start that does not count, by MSER-5 on the times to first tokens; none where "
        "what comes changes over the run, or it is overloaded.",
        lambda done: done.warm_up_s,
        unit="s",
        better=NEITHER,
    ),
    _figure(
        "requests_overloaded",
        "overloaded (1: yes)",
        "Whether more is asked than can be served: in the second half of the arrivals the number "
        "inside grows beyond noise and by 2 % or more of what comes.",
        lambda done: None if done.overloaded is None else float(done.overloaded),
    ),
    _figure(
        "requests_growth_per_s",
        "growth of the number inside",
        "How many more requests are inside a second, in the second half of the arrivals.",
        lambda done: done.growth_per_s,
        unit="1/s",
    ),
    _figure(
        "requests_ended",
        "requests ended",
        "Requests that ended within the run, served or not.",
        lambda done: float((~done.unfinished).sum()),
        better=MORE,
    ),
    _figure(
        "requests_served_share",
        "requests served",
        "Requests served, of those counted; one that the end of the run finds inside is not.",
        lambda done: _share(done, done.served),
        unit="%",
        scale=100.0,
        share=True,
        better=MORE,
    ),
    _figure(
        "requests_inside",
        "requests inside at the end",
        "Requests that the end of the run found on their way, waiting or served in part.",
        lambda done: float(done.unfinished.sum()),
    ),
    *_times(
        "ttft",
        "first token of a request",
        "from asking until the first token is at the user, with waiting, the prompt and both ways.",
        lambda done: done.ttft_s,
        MEAN,
        50,
        95,
        99,
    ),
    *_times(
        "tpot",
        "further token of a request",
        "time of each further token, mean of a request, at the user.",
        lambda done: done.tpot_s,
        MEAN,
        50,
        95,
        99,
    ),
    *_times(
        "e2e",
        "request from end to end",
        "from asking until the last token is at the user.",
        lambda done: done.e2e_s,
        MEAN,
        50,
        95,
        99,
    ),
    _figure(
        "request_e2e_half_width_share",
        "half-width of the mean end to end",
        "Half-width of the 95 % interval of a run's own mean, as a share of it, by means of 20 "
        "batches of requests in the order in which they were asked.",
        _half_width,
        unit="%",
        scale=100.0,
    ),
    *_times(
        "gap",
        "longest gap of a request",
        "longest time between two of its tokens at the user, hand-overs of the site included.",
        lambda done: done.longest_gap_s,
        50,
        99,
    ),
    _figure(
        "tokens_out_per_s",
        "tokens made",
        "Tokens of answers a second, over the whole run.",
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
        "Requests a second, of those counted, that were served within both targets of the "
        "scenario; one that the end of the run finds inside misses them.",
        lambda done: float((done.good & done.counted).sum()) / done.window_s,
        unit="1/s",
        better=MORE,
    ),
    _figure(
        "goodput_share",
        "requests within both targets",
        "The same as a share of the requests counted.",
        lambda done: _share(done, done.good),
        unit="%",
        scale=100.0,
        share=True,
        better=MORE,
    ),
    _figure(
        "wait_fairness",
        "fairness of waiting",
        "Jain's index over the mean waiting of the sites' requests: 1 where all wait alike.",
        _fairness,
        better=MORE,
    ),
    _figure(
        "wait_max_to_median",
        "longest waiting of a site",
        "Mean waiting at the site where it is longest, by that at the median site.",
        _most_to_median,
    ),
    _figure(
        "oldest_wait_s",
        "oldest wait at the end",
        "How long the oldest request that the end of the run finds without a first token has "
        "waited for it.",
        _oldest_s,
        unit="s",
    ),
    _figure(
        "request_energy_per_token_j",
        "energy of a token of an answer",
        "What computing takes beyond idling, and bits on links beyond what terminals draw anyway, "
        "of all requests, prompts included, by the tokens that they made. Idle power belongs to "
        "the fleet; work that was cancelled or lost is not in it.",
        lambda done: done.energy_j / done.made_tokens if done.made_tokens else None,
        unit="J a token",
    ),
]

REQUEST_TIMES = tuple(
    figure.name
    for figure in REQUESTS
    if figure.unit == "s" and figure.name.split("_")[1] in ("ttft", "tpot", "e2e", "gap")
)
"""How long requests took."""
