"""Plots of a report on runs, and what they say in numbers."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.report import curves, marks
from twin.report.drawing import legend_below, lines_of, panels, stacked, time_axis
from twin.report.marks import Mark, Marks
from twin.report.page import Picture, Table
from twin.runs.distribution import Distribution
from twin.runs.figures import FIGURES, STEP_FIGURES
from twin.runs.fleet_figures import LINK_CAUSES
from twin.runs.repeats import MOST_POINTS, Case
from twin.runs.requested import requested
from twin.runs.rules import Floats
from twin.vocabulary import CAUSES, EVENTS, links_column, lost_column

_MOST_PANELS = 6
"""Cases that get a panel of their own; with more they would be too small to read."""

_AREA_POINTS = 96
"""Along the time of stacked areas, whose hatches need room."""

_STRIPS = 400
"""Columns of the timeline of events."""

_OVER_TIME = {
    "latency-over-time": ("Latency over time", "latency_p50_s", "latency_p95_s", "latency_p99_s"),
    "first-token": ("Time to the first token, users on the ground", "ttft_p50_s", "ttft_p99_s"),
    "energy": ("Charge and sunlight", "soc_min", "soc_mean", "sunlit_mean"),
    "satellites": ("Satellites in trouble", "unpowered", "low", "throttled", "faulty"),
}
"""Plots over time: name, title, figures."""


def run_pictures(cases: Sequence[Case], notes: Marks) -> list[Picture]:
    """All plots that show something, first of all how long requests or tokens took."""
    thinned = _thinned(cases, MOST_POINTS)
    found = [
        _requests(cases),
        curves.latency_curves(cases),
        _areas(
            "losses-over-time", "Tokens lost, by cause", cases, "tokens lost, % of asked", notes
        ),
        curves.layers(cases),
        *(
            curves.over_time(
                name, _OVER_TIME[name][0], cases, there, thinned, marks.together(notes)
            )
            for name, there in _told(cases).items()
            if there
        ),
        _areas("links-down", "Links down, by cause", cases, "links down, %", notes),
        _migration(cases, notes),
        *(_timeline(case, i, notes[i]) for i, case in enumerate(cases[:_MOST_PANELS])),
    ]
    return [picture for picture in found if picture is not None]


def over_steps(cases: Sequence[Case]) -> Table:
    """Least and most of what is drawn over time."""
    return curves.ends(cases, [n for names in _told(cases).values() for n in names])


def _told(cases: Sequence[Case]) -> dict[str, list[str]]:
    """Of each plot over time the figures that show something."""
    return {
        name: [column for column in columns if _shows(cases, column)]
        for name, (_, *columns) in _OVER_TIME.items()
    }


def _shows(cases: Sequence[Case], column: str) -> bool:
    """Whether a figure is known at some step; a number of satellites if it is ever above 0."""
    if STEP_FIGURES[column].unit:
        return any(np.isfinite(case.all_steps(column)).any() for case in cases)
    return any(case.total(column) for case in cases)


def _requests(cases: Sequence[Case]) -> Picture | None:
    """How long the counted requests took, cumulated."""
    times: dict[str, list[tuple[str, Distribution]]] = {"ttft_s": [], "tpot_s": [], "e2e_s": []}
    for case in cases:
        done = [one for one in map(requested, case.runs) if one is not None]
        for name, lines in times.items():
            parts = [getattr(one, name)[one.counted & one.served] for one in done]
            known = np.concatenate([part[np.isfinite(part)] for part in parts] or [np.empty(0)])
            if known.size:
                lines.append(
                    (case.label, Distribution.weighted(known, np.ones(len(known), np.int64)))
                )
    by_axis = {
        f"{FIGURES[f'request_{name[:-2]}_mean_s'].label.removesuffix(', mean')}, s": lines
        for name, lines in times.items()
    }
    title = "How long requests took"
    return curves.cumulated("requests-cdf", title, by_axis, "requests_counted")


def _shares_of(case: Case, name: str) -> tuple[Floats, dict[str, Floats]]:
    """Seconds, and what is stacked, %."""
    if name == "losses-over-time":
        lost = {c.word: case.over_time(f"{lost_column(c)}_share", _AREA_POINTS) for c in CAUSES}
        t_s = next(iter(lost.values()))[0]
        return t_s, {word: 100 * np.nan_to_num(values) for word, (_, values) in lost.items()}
    t_s, up = case.over_time("links_up", _AREA_POINTS)
    down = {
        why: case.over_time(links_column(state), _AREA_POINTS)[1]
        for state, why in LINK_CAUSES.items()
    }
    return t_s, {why: 100 * values / (up + sum(down.values())) for why, values in down.items()}


def _areas(name: str, title: str, cases: Sequence[Case], unit: str, notes: Marks) -> Picture | None:
    """Shares by cause over time, stacked; a panel a case."""
    found = [(case, *_shares_of(case, name)) for case in cases[:_MOST_PANELS]]
    order = list(found[0][2])
    there = [c for c in order if any((parts[c] > 0).any() for _, _, parts in found)]
    if not there:
        return None
    unit_s, label = time_axis(max(t_s[-1] for _, t_s, _ in found))
    columns = 1 if len(found) == 1 else 2

    def draw(figure: Any) -> None:
        made = panels(figure, len(found), columns=columns, share_y=True)
        for axes, (case, t_s, parts), mine in zip(made, found, notes, strict=False):
            stacked(axes, t_s / unit_s, {c: parts[c] for c in there}, order)
            marks.draw(axes, mine, unit_s)
            axes.set(xlabel=label, ylabel=unit, title=case.label if len(found) > 1 else "")
        legend_below(figure, made[0])

    about = "tokens_lost_share" if name == "losses-over-time" else "links_up_share"
    left_out = f"Shown are the first {_MOST_PANELS} cases." if len(cases) > _MOST_PANELS else ""
    return Picture(
        name=name,
        title=title,
        caption=curves.caption_of((about,), left_out, _thinned(cases, _AREA_POINTS)),
        size_in=(8, 0.7 + 2.6 * -(-len(found) // columns)),
        draw=draw,
    )


def _thinned(cases: Sequence[Case], points: int) -> str:
    """How many steps a point stands for, if not for one."""
    each = -(-len(cases[0].steps[0]["t_s"]) // points)
    return f"A point stands for {each} steps." if each > 1 else ""


def _migration(cases: Sequence[Case], notes: Marks) -> Picture | None:
    if not any(case.total("migrated_bytes") for case in cases):
        return None
    unit_s, label = time_axis(max(case.steps[0]["t_s"][-1] for case in cases))
    moved, under_way = STEP_FIGURES["migrated_bytes"], STEP_FIGURES["under_way"]

    def draw(figure: Any) -> None:
        left, right = panels(figure, 2, columns=2)
        for case, style in zip(cases, lines_of(len(cases)), strict=True):
            t_s, sent = case.over_time(moved.name)
            left.plot(t_s / unit_s, moved.scale * sent.cumsum(), **style, label=case.label)
            right.plot(t_s / unit_s, case.over_time(under_way.name)[1], **style)
        left.set_ylabel(f"moved since the start, {moved.unit}")
        right.set_ylabel(under_way.header)
        for axes in (left, right):
            axes.set_xlabel(label)
            axes.margins(x=0)
            marks.draw(axes, marks.together(notes), unit_s)
        legend_below(figure, left, least=2)

    return Picture(
        name="migration",
        title="Migration",
        caption=curves.caption_of((moved.name, under_way.name)),
        size_in=(8, 3.2),
        draw=draw,
    )


def _timeline(case: Case, number: int, notes: Sequence[Mark]) -> Picture | None:
    """Events of a case's first run: a row a kind, darker where there are more."""
    table = case.runs[0].table("events", ["t_s", "kind"])
    t_s = np.asarray(table["t_s"].to_numpy(), np.float64)
    kind = np.asarray(table["kind"].cast(pa.string()).to_pylist(), object)
    there = [k for k in (*EVENTS, *sorted(set(kind) - set(EVENTS))) if (kind == k).any()]
    if not there:
        return None
    end_s = max(case.steps[0]["t_s"][-1], t_s.max(), 1.0)
    edges = np.linspace(0, end_s, _STRIPS + 1)
    counts = {k: np.histogram(t_s[kind == k], edges)[0] for k in there}
    first = f" of {case.label}" if number or case.label != case.scenario.placement.strategy else ""
    return Picture(
        name=f"timeline-{number + 1}" if number else "timeline",
        title=f"Timeline of events{first}",
        caption="A stroke is darker where there are more of its kind; the numbers count them.",
        size_in=(8, 0.9 + 0.23 * len(there)),
        draw=partial(_draw_timeline, counts, end_s, notes),
    )


def _draw_timeline(
    counts: dict[str, NDArray[np.integer]], end_s: float, notes: Sequence[Mark], figure: Any
) -> None:
    axes = figure.add_subplot()
    unit_s, label = time_axis(end_s)
    extent = (0, end_s / unit_s, len(counts) - 0.5, -0.5)
    strokes = _strokes(np.array(list(counts.values())))
    axes.imshow(strokes, aspect="auto", interpolation="nearest", extent=extent)
    axes.set_yticks(range(len(counts)), [f"{k}  {n.sum():,}" for k, n in counts.items()])
    axes.tick_params(axis="y", length=0)
    axes.spines[["left"]].set_visible(False)
    axes.grid(visible=False)
    axes.set_xlabel(label)
    marks.draw(axes, notes, unit_s)


def _strokes(counts: NDArray[np.integer]) -> Floats:
    """Pixels of a timeline, RGBA: rows of strokes, darker where there are more, with gaps."""
    depth = 0.3 + 0.7 * counts / counts.max(axis=1, keepdims=True)
    blue = np.array([0x00, 0x72, 0xB2]) / 255
    pixels = np.dstack([np.broadcast_to(blue, (*counts.shape, 3)), np.where(counts, depth, 0)])
    pixels = np.repeat(pixels, 8, axis=0)
    pixels[7::8, :, 3] = 0  # a gap to the next row
    return pixels
