"""What is said of how much a constellation carries."""

from collections.abc import Sequence
from typing import Any

from twin.runs.figures import FIGURES
from twin.runs.statistics import estimate
from twin.serving import traces
from twin.study.answers import Plot, Series, point
from twin.study.capacity import SHARE, Found, Trial, loaded

_SHOWN = (
    "goodput_per_s",
    "tokens_out_per_s",
    "request_ttft_p95_s",
    "request_tpot_p99_s",
    "request_energy_per_token_j",
)
HEADER = [
    "case",
    "carries, requests/s",
    "not",
    "of the bound, %",
    *(FIGURES[name].label for name in _SHOWN),
]


def offered_per_s(found: Found, trial: Trial) -> float:
    """Requests a second that are asked at a load; in a closed loop those that are answered."""
    table = found.case.scenario.requests
    if table.arrivals == "closed":
        return estimate(trial.values("goodput_per_s")).mean
    if table.arrivals == "trace":
        at_s = traces.read(table).at_s
        return float(len(at_s) / at_s[-1] * table.trace_speed * trial.load)
    return table.rate_per_s * trial.load


def rows(found: Sequence[Found], bounds: Sequence[float]) -> list[list[str]]:
    """One row a case."""
    lines = []
    for one, bound in zip(found, bounds, strict=True):
        carried, refused = one.carried, one.refused
        if carried is None:
            why = one.error or "not even a small part of what the scenario asks"
            lines.append([one.case.name, why, "", "", *[""] * len(_SHOWN)])
            continue
        per_s = offered_per_s(one, carried)
        above = "" if refused is None else f"{offered_per_s(one, refused):.4g}"
        figures = [
            f"{scale * estimate(carried.values(name)).mean:.4g}"
            for name, scale in ((name, FIGURES[name].scale) for name in _SHOWN)
        ]
        lines.append([one.case.name, f"{per_s:.4g}", above, f"{100 * per_s / bound:.1f}", *figures])
    return lines


def as_json(found: Sequence[Found], bounds: Sequence[float]) -> dict[str, Any]:
    """Every load that was tried, with what decided it."""
    return {
        one.case.name: {
            "error": one.error,
            "bound_per_s": bound,
            "carried_load": None if one.carried is None else one.carried.load,
            "refused_load": None if one.refused is None else one.refused.load,
            "carried_per_s": None if one.carried is None else offered_per_s(one, one.carried),
            "trials": [
                {
                    "load": trial.load,
                    "carried": trial.carried,
                    "share": estimate(trial.values(SHARE))._asdict(),
                    "replicates": trial.runs,
                }
                for trial in sorted(one.trials, key=lambda t: t.load)
            ],
        }
        for one, bound in zip(found, bounds, strict=True)
    }


def plots(found: Sequence[Found]) -> list[Plot]:
    """Every load that was tried: what is in time, and goodput against waiting and energy.

    A line a case, in the order of loads; loads that are not carried are hollow.
    """
    return [
        _plot(found, "Within both targets", SHARE, None),
        _plot(found, "Goodput and the first token", "goodput_per_s", "request_ttft_p95_s"),
        _plot(found, "Goodput and energy", "goodput_per_s", "request_energy_per_token_j"),
    ]


def _plot(found: Sequence[Found], title: str, name: str, along: str | None) -> Plot:
    """One figure of every load against another, or against the load itself."""
    series = []
    for number, one in enumerate(found):
        points, scenarios = [], []
        for trial in sorted(one.trials, key=lambda t: t.load):
            x = offered_per_s(one, trial)
            if along is not None:
                x = FIGURES[along].scale * estimate(trial.values(along)).mean
            y = estimate(trial.values(name))
            mark = point(x, y, solid=bool(trial.carried), scale=FIGURES[name].scale)
            if mark is not None:
                points.append(mark)
                scenarios.append(loaded(one.case.scenario, trial.load))
        series.append(
            Series(
                label=one.case.name,
                hue=number,
                shape=number,
                joined=True,
                points=points,
                scenarios=scenarios,
            )
        )
    asked = "requests asked, a second" if along is None else FIGURES[along].header
    return Plot(title=title, x=asked, y=FIGURES[name].header, series=series)


def draw(found: Sequence[Found], figure: Any) -> None:
    """Draw each case at the load that it carries: goodput against first token, and energy."""
    axes = figure.subplots(1, 2)
    for axis, name in zip(axes, ("request_ttft_p95_s", "request_energy_per_token_j"), strict=True):
        for one in found:
            if one.carried is None:
                continue
            goodput = estimate(one.carried.values("goodput_per_s")).mean
            axis.plot(estimate(one.carried.values(name)).mean, goodput, "o", label=one.case.name)
        axis.set_xlabel(f"{FIGURES[name].label}, {FIGURES[name].unit}")
        axis.set_ylabel("goodput, requests/s")
        axis.ticklabel_format(useOffset=False)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
