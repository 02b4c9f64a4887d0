"""The figures of a step's tokens: how many, what became of them, how long they took."""

from twin import vocabulary
from twin.runs.rules import (
    FIRST,
    LESS,
    MORE,
    NUMBER,
    SUM,
    Mean,
    Quantile,
    Ratio,
    Rule,
    StepFigure,
    column,
    share,
)
from twin.vocabulary import lost_column

_ASKED = ("tokens_asked", "tokens_waiting")
_SERVED = Mean("tokens_served")

CAUSES = {cause: (cause.meaning.phrase, cause.meaning.sentence) for cause in vocabulary.CAUSES}
"""Why tokens are lost: in a few words, and in a sentence."""


def _seconds(name: str, label: str, rule: Rule, sentence: str) -> StepFigure:
    return column(name, label, rule, sentence, unit="s", better=LESS, of_run=True)


def _percentiles(quantity: str, label: str, sentence: str, *ranks: int) -> list[StepFigure]:
    words = {50: "median", 95: "95th percentile", 99: "99th percentile"}
    return [
        _seconds(
            f"{quantity}_p{rank}_s",
            f"{label}, {words[rank]}",
            Quantile(quantity, rank / 100),
            f"{words[rank].capitalize()} over all tokens served: {sentence}",
        )
        for rank in ranks
    ]


TIME = [
    column("step", "step", FIRST, "Number of the step, from 0.", kind=NUMBER),
    column("t_s", "time", FIRST, "Start of the step, since the start of the run.", unit="s"),
]

LATENCY = [
    _seconds(
        "latency_mean_s",
        "latency of a token, mean",
        _SERVED,
        "Time in orbit from the first layer to the last, mean over all tokens served.",
    ),
    *_percentiles(
        "latency", "latency", "time in orbit from the first layer to the last.", 50, 95, 99
    ),
    _seconds(
        "expected_latency_s",
        "latency, exact expectation",
        Mean("expected_served"),
        "Expected latency of a token that finds all its experts, over all choices of these.",
    ),
    share(
        "expected_served",
        "tokens served, exact expectation",
        Mean(),
        "Probability that a token finds all its experts, mean over the steps.",
        better=MORE,
    ),
    _seconds(
        "propagation_mean_s",
        "time on the way, mean",
        _SERVED,
        "Part of the latency that light and switching take, mean over all tokens served.",
    ),
    _seconds(
        "compute_mean_s",
        "time computing, mean",
        _SERVED,
        "Part of the latency that computing takes, mean over all tokens served.",
    ),
    *_percentiles(
        "ttft",
        "first token",
        "time from the user's request to the first token, with waiting and both ways to the "
        "ground.",
        50,
        99,
    ),
]

TOKENS = [
    column(
        "tokens_asked",
        "tokens asked",
        SUM,
        "New tokens; one that is tried again is not asked again.",
        kind=NUMBER,
        of_run=True,
    ),
    column(
        "tokens_waiting",
        "tokens waiting at the start",
        FIRST,
        "Tokens of earlier steps that are tried again in the first step.",
        kind=NUMBER,
    ),
    column("tokens_served", "tokens served", SUM, "Tokens served.", kind=NUMBER, better=MORE),
    share(
        "tokens_served_share",
        "tokens served",
        Ratio(("tokens_served",), _ASKED),
        "Tokens served, of those asked in these steps or waiting at their start; at most 100 %.",
        unit="% of those asked",
        better=MORE,
        of_run=True,
    ),
    column(
        "tokens_retried",
        "attempts put off to the next step",
        SUM,
        "Attempts at tokens of an earlier step.",
        kind=NUMBER,
        better=LESS,
        of_run=True,
    ),
    column("tokens_lost", "tokens lost", SUM, "Tokens given up.", kind=NUMBER, better=LESS),
    share(
        "tokens_lost_share",
        "tokens lost",
        Ratio(("tokens_lost",), _ASKED),
        "Tokens given up, of those asked in these steps or waiting at their start.",
        unit="% of those asked",
        better=LESS,
        of_run=True,
    ),
    *(
        column(
            lost_column(cause),
            f"tokens lost {label}",
            SUM,
            f"Tokens given up because {sentence}.",
            kind=NUMBER,
            better=LESS,
            of_run=True,
        )
        for cause, (label, sentence) in CAUSES.items()
    ),
    *(
        share(
            f"{lost_column(cause)}_share",
            f"tokens lost {label}",
            Ratio((lost_column(cause),), _ASKED),
            f"Share of the tokens asked that were given up because {sentence}.",
            unit="% of those asked",
            better=LESS,
            of_run=True,
        )
        for cause, (label, sentence) in CAUSES.items()
    ),
    column(
        "tokens_represented",
        "tokens served, with those not followed",
        SUM,
        "Tokens that the served ones stand for, where only a sample is followed.",
    ),
    column(
        "throughput_per_s",
        "throughput of the busiest satellite",
        Mean(),
        "Tokens a second that the satellite with most work a token keeps up with at full speed, "
        "mean over the steps.",
        unit="tokens/s",
        better=MORE,
        of_run=True,
    ),
]
