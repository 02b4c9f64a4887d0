"""A report's sentences on requests: how they come, how they are served, what became of them."""

from typing import Final

import numpy as np

from twin.runs.cells import text
from twin.runs.repeats import Case
from twin.scenario.attachments import shown
from twin.scenario.schema import Scenario
from twin.scenario.serving import Requests

_PRECISE: Final = 0.05
"""Half-width of a mean, as a share of it, that is aimed at."""


def requests_in_words(scenario: Scenario) -> list[str]:
    """How requests come and are served, in a paragraph; none where only tokens are."""
    if scenario.serving.mode == "tokens":
        return []
    table = scenario.requests
    return [
        "Beside these single tokens requests are served, which do queue. "
        f"{_arrivals(table)} {_targets(table)}{_overload(scenario)}{_length(scenario)} "
        + _handover(scenario)
        + _copies(scenario)
    ]


def outcome(case: Case) -> list[str]:
    """What became of a case's requests, in short; nothing where only tokens are served."""
    if case.scenario.serving.mode == "tokens":
        return []
    counted = case.values("requests_counted").sum()
    if not counted:
        return ["No request was asked that counts."]
    told = (
        f"{text(int(counted))} requests count{_warm_up(case)}: "
        f"{100 * case.values('requests_served_share').mean():.4g} % were served, "
        f"{100 * case.values('goodput_share').mean():.4g} % within both targets "
        f"({text(float(case.values('goodput_per_s').mean()))} a second)."
    )
    first_s = float(np.nanmean(case.values("request_ttft_p50_s"))) if _served(case) else np.nan
    if np.isfinite(first_s):
        told += f" Half of those served had their first token within {text(first_s)} s."
    return [told, *_steadiness(case)]


def _served(case: Case) -> bool:
    return bool((case.values("requests_served_share") > 0).any())


def _warm_up(case: Case) -> str:
    warm_up_s = float(case.values("request_warm_up_s").mean())
    left_out = f", asked after a warm-up of {text(warm_up_s)} s (MSER-5)"
    return left_out if warm_up_s else ""


def _steadiness(case: Case) -> list[str]:
    """Whether it could go on like this."""
    found = case.values("requests_overloaded")
    if (found == 1).any():
        growth = 3600 * float(case.values("requests_growth_per_s").mean())
        return [
            f"Overloaded: more is asked than can be served. The number of requests inside grew by "
            f"{text(growth)} an hour to the end of arrivals, and how long they took depends on how "
            "long the run is."
        ]
    if case.scenario.requests.daily or case.scenario.requests.arrivals == "trace":
        return ["What comes changes over the run, so that its figures are of a transient."]
    if np.isnan(found).any():
        return ["It cannot be said whether this could go on: the run is short, or few ask."]
    return _precision(case)


def _precision(case: Case) -> list[str]:
    """How well a run knows its mean time."""
    share = float(np.max(case.values("request_e2e_half_width_share")))
    precise = case.scenario.requests.half_width or _PRECISE
    if np.isnan(share):
        return ["Fewer than 100 requests count: how well their mean times are known is not."]
    known = f"A run's mean time from end to end is known within {100 * share:.2g} % (95 %)"
    known += _prolonged(case)
    if share <= precise:
        return [f"{known}."]
    return [f"{known}, which is more than {100 * precise:g} %: a longer one would say more."]


def _prolonged(case: Case) -> str:
    """How long runs took that went on until then."""
    if not case.scenario.requests.half_width:
        return ""
    steps = sorted(run.scenario.simulation.steps for run in case.runs)
    took = f"{steps[0]:,}" if steps[0] == steps[-1] else f"{steps[0]:,} to {steps[-1]:,}"
    return f" after {took} steps"


def _arrivals(table: Requests) -> str:
    if table.arrivals == "trace":
        return _trace(table)
    if table.arrivals == "closed":
        varies = "exponential" if table.think == "exponential" else "always the same"
        return (
            f"{table.users:,} users ask again and again, {table.think_s:g} s after each answer on "
            f"average ({varies}). {_lengths(table)}"
        )
    gaps = f", in bursts whose gaps have a coefficient of variation of {table.burst_cv:g}"
    swing = f", {100 * table.daily:g} % more at 15 h and fewer at 3 h at their site"
    return (
        f"They come at random, {table.rate_per_s:g} a second on average"
        f"{gaps if table.arrivals == 'bursts' else ''}{swing if table.daily else ''}. "
        f"{_lengths(table)}"
    )


def _trace(table: Requests) -> str:
    speed = f", {table.trace_speed:g} times as fast" if table.trace_speed != 1.0 else ""
    share = f"; {100 * table.trace_share:g} % of them are kept, at random"
    cuts = [
        f"{name} longer than {most:,} tokens are cut to that"
        for name, most in (("prompts", table.prompt_most), ("answers", table.output_most))
        if most is not None
    ]
    reuse = (
        f" Prompts that begin alike, by the hashes of pieces of {table.prefix_tokens:,} tokens, "
        "use what is cached of that, as long as there is memory."
    )
    return (
        f"They come at the times of the trace {shown(str(table.trace))}, counted from its first "
        f"request{speed}{share if table.trace_share < 1.0 else ''}. Their lengths are the trace's"
        f"{''.join(f'; {cut}' for cut in cuts)}.{reuse if table.prefix_reuse else ''}"
    )


def _lengths(table: Requests) -> str:
    prompt, output = (f"{mean:,.10g}" for mean in (table.prompt_tokens, table.output_tokens))
    if table.lengths == "fixed":
        return f"A prompt has {prompt} tokens and an answer {output}."
    return (
        f"A prompt has {prompt} tokens on average and an answer {output}, both lognormal, with "
        f"coefficients of variation of {table.prompt_cv:g} and {table.output_cv:g}."
    )


def _overload(scenario: Scenario) -> str:
    """What becomes of requests that wait too long, or are too many."""
    table, serving = scenario.requests, scenario.serving
    found = ""
    if table.patience_s is not None:
        found += f" A user leaves who has no first token after {table.patience_s:g} s."
    if serving.drop_late:
        found += " A request that still waits when its first token is late is dropped."
    if serving.max_queue < type(serving).model_fields["max_queue"].default:
        found += f" Where {serving.max_queue:,} requests wait, others are refused."
    return found


_WAITING: Final = {
    "forward": "is sent to the new host",
    "drain": "is served by the old one first, and its results go on from there",
    "lose": "is lost, and its requests are tried again as retries allow",
}


def _handover(scenario: Scenario) -> str:
    """What becomes of work where a part of the model moves, or a satellite goes down."""
    return (
        "Where a part of the model moves to another satellite at the start of a step, what waits "
        f"for it {_WAITING[scenario.serving.handover]}. A satellite with a brown-out serves until "
        "the step ends, and has lost all that it holds when the next one begins."
    )


def _copies(scenario: Scenario) -> str:
    """How many copies of the model serve, and how requests find one."""
    copies, delay_s = scenario.placement.instances, scenario.controller.telemetry_delay_s
    if copies == 1:
        return ""
    known = f"reports that are {text(delay_s)} s old" if delay_s else "reports of the last step"
    return (
        f" {copies} copies of the model serve. Each request is sent to one of them by the dispatch "
        f"'{scenario.serving.dispatch}', on {known} and on what was sent since. What waits for a "
        "copy whose first gateway is down is sent again from its site. Single tokens are followed "
        "on the first copy."
    )


def _length(scenario: Scenario) -> str:
    """Until when a run goes on."""
    share, most = scenario.requests.half_width, scenario.simulation.most_steps
    if not share:
        return ""
    return (
        f" The run goes on after its steps until its mean time from end to end is known within "
        f"{100 * share:g} % (95 %), to {most:,} steps at most."
    )


def _targets(table: Requests) -> str:
    return (
        f"An answer is good if its first token comes within {table.ttft_target_s:g} s and each "
        f"further one within {table.tpot_target_s:g} s on average."
    )
