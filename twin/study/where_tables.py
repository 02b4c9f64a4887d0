"""What is said of where inference should live."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from twin.runs.statistics import Estimate
from twin.study.answers import Plot, Series, point
from twin.study.plots import strategy_colours
from twin.study.where import DAY, WhereCase

_MARKERS = "osD^vPX*"


def _number(value: float, digits: int = 3) -> str:
    return "none" if np.isnan(value) else f"{value:.{digits}g}"


def _per_kw(case: WhereCase) -> float:
    return 1e3 * case.carried("tokens_out_per_s") / case.power_w if case.power_w else np.nan


_COLUMNS: dict[str, Callable[[WhereCase], str]] = {
    "place": lambda case: case.place,
    "board": lambda case: case.board,
    "machines": lambda case: _number(case.mean("machines"), 4),
    "served, %": lambda case: _number(100 * case.mean("requests_served_share"), 4),
    "in time, %": lambda case: _number(100 * case.mean("goodput_share"), 4),
    "TTFT, s": lambda case: _number(case.mean("request_ttft_p50_s")),
    "p95": lambda case: _number(case.mean("request_ttft_p95_s")),
    "TPOT, s": lambda case: _number(case.mean("request_tpot_p50_s")),
    "p99": lambda case: _number(case.mean("request_tpot_p99_s")),
    "J/token": lambda case: _number(case.mean("request_energy_per_token_j")),
    "carried, requests/s": lambda case: _number(case.carried("goodput_per_s")),
    "per machine": lambda case: _number(case.carried("goodput_per_s") / case.mean("machines")),
    "tokens/s per kW": lambda case: _number(_per_kw(case)),
}
HEADER = list(_COLUMNS)


def rows(cases: Sequence[WhereCase]) -> list[list[str]]:
    """One row a case."""
    return [
        [case.place, case.board, "see Notes", *[""] * (len(HEADER) - 3)]
        if case.error
        else [show(case) for show in _COLUMNS.values()]
        for case in cases
    ]


def as_json(cases: Sequence[WhereCase]) -> list[dict[str, Any]]:
    """Plain data."""
    return [
        {
            "place": case.place,
            "board": case.board,
            "model": case.model,
            "error": case.error,
            "machines": _plain(case.mean("machines")),
            "day": {name: _plain(case.mean(name)) for name in DAY},
            "carried_per_s": _plain(case.carried("goodput_per_s")),
            "carried_tokens_per_s": _plain(case.carried("tokens_out_per_s")),
            "power_w": _plain(case.power_w),
        }
        for case in cases
    ]


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def plots(cases: Sequence[WhereCase]) -> list[Plot]:
    """Time of a further token against what a kilowatt carries, a plot a model.

    Colours are boards, marks are places, of which there are more; cases that carry nothing within
    the deadlines are hollow.
    """
    places = list(dict.fromkeys(case.place for case in cases))
    boards = list(dict.fromkeys(case.board for case in cases))
    made: dict[str, list[Series]] = {case.model: [] for case in cases}
    for case in cases:
        if case.error or not case.days:
            continue
        carried, tpot_s = _per_kw(case), case.mean("request_tpot_p50_s")
        solid = not np.isnan(carried)
        found = point(tpot_s, Estimate(carried if solid else 0.0, float("nan")), solid=solid)
        made[case.model].append(
            Series(
                label=f"{case.place}, {case.board}",
                hue=boards.index(case.board),
                shape=places.index(case.place),
                joined=False,
                points=[found] if found else [],
                scenarios=[case.scenario] if found and case.scenario else [],
            )
        )
    x, y = "time of a further token, median, s", "tokens/s within the deadlines, per kW of boards"
    return [Plot(title=model, x=x, y=y, series=series) for model, series in made.items()]


def draw(cases: Sequence[WhereCase], figure: Any) -> None:
    """Draw time of a further token against what a kilowatt carries, a panel a model.

    Cases that carry nothing within the deadlines are hollow, at 0.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    models = list(dict.fromkeys(case.model for case in cases))
    places = list(dict.fromkeys(case.place for case in cases))
    boards = list(dict.fromkeys(case.board for case in cases))
    colours = strategy_colours(places)
    for number, model in enumerate(models, start=1):
        axes = figure.add_subplot(1, len(models), number)
        for case in cases:
            if case.model != model or case.error or not case.days:
                continue
            carries = not np.isnan(_per_kw(case))
            axes.plot(
                case.mean("request_tpot_p50_s"),
                _per_kw(case) if carries else 0.0,
                _MARKERS[boards.index(case.board) % len(_MARKERS)],
                color=colours[case.place],
                fillstyle="full" if carries else "none",
                label=f"{case.place}, {case.board}",
            )
        axes.set_xscale("log")
        axes.set_yscale("symlog", linthresh=1.0)
        axes.set_ylim(-0.2, max(2.0, 2.0 * axes.dataLim.y1))
        wide = axes.dataLim.x1 > 1e3 * axes.dataLim.x0
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlabel("time of a further token, median, s")
        axes.set_ylabel("tokens/s within the deadlines, per kW of boards")
        axes.set_title(model)
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=6)
