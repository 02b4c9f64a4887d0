"""Plots of a report on runs, each with a sentence that says what it shows."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from twin.report.curves import distribution, in_a_row, layers, percent, told_of
from twin.report.drawing import grid, legend_below, lines_of, panels, time_axis
from twin.report.page import Picture
from twin.report.panels import (
    AREA_POINTS,
    MOST_PANELS,
    areas_over_time,
    ends_of,
    least_of,
    lines_over_time,
)
from twin.report.words import CAUSES
from twin.runs.cells import text
from twin.runs.figures import STEP_FIGURES
from twin.runs.fleet_figures import LINK_CAUSES
from twin.runs.repeats import Case
from twin.runs.rules import Floats
from twin.vocabulary import EVENTS

_STRIPS = 400
"""Columns of the timeline of events."""


def run_pictures(cases: list[Case]) -> list[Picture]:
    """All plots that show something."""
    found = [
        _distribution(cases),
        _layers(cases),
        _latency(cases),
        _first_token(cases),
        _losses(cases),
        _energy(cases),
        _trouble(cases),
        _links(cases),
        _migration(cases),
        *(_timeline(case, i) for i, case in enumerate(cases[:MOST_PANELS])),
    ]
    return [picture for picture in found if picture is not None]


def _distribution(cases: list[Case]) -> Picture | None:
    return distribution([(c.label, c.distribution) for c in cases if c.distribution is not None])


def _layers(cases: list[Case]) -> Picture | None:
    return layers([(case.label, *case.by_layer()) for case in cases])


def _latency(cases: list[Case]) -> Picture | None:
    return lines_over_time(
        "latency-over-time",
        "Latency over time",
        cases,
        ("latency_p50_s", "latency_p95_s", "latency_p99_s"),
        "latency of a token, s",
        lambda case: (
            f"the median of a step lies between {ends_of(case, 'latency_p50_s')} s, the 99th "
            f"percentile between {ends_of(case, 'latency_p99_s')} s"
        ),
    )


def _first_token(cases: list[Case]) -> Picture | None:
    return lines_over_time(
        "first-token",
        "Time to the first token, users on the ground",
        cases,
        ("ttft_p50_s", "ttft_p99_s"),
        "time to first token, s",
        lambda case: (
            f"the median of a step lies between {ends_of(case, 'ttft_p50_s')} s, the 99th "
            f"percentile between {ends_of(case, 'ttft_p99_s')} s"
        ),
    )


def _energy(cases: list[Case]) -> Picture | None:
    return lines_over_time(
        "energy",
        "Charge and sunlight",
        cases,
        ("soc_min", "soc_mean", "sunlit_mean"),
        "%",
        lambda case: (
            f"the emptiest battery falls to {percent(least_of(case, 'soc_min'))}, the mean to "
            f"{percent(least_of(case, 'soc_mean'))}; between {ends_of(case, 'sunlit_mean', 100)} % "
            "of the satellites are in sunlight"
        ),
    )


def _trouble(cases: list[Case]) -> Picture | None:
    columns = ("unpowered", "low", "throttled", "faulty")
    there = [n for n in columns if any(case.total(n) for case in cases)]
    return lines_over_time(
        "satellites",
        "Satellites in trouble",
        cases,
        there,
        "satellites, most at once",
        lambda case: ", ".join(
            f"{STEP_FIGURES[n].label}: {text(int(max(s[n].max() for s in case.steps)))}"
            for n in there
        ),
    )


def _losses(cases: list[Case]) -> Picture | None:
    def shares(case: Case) -> tuple[Floats, dict[str, Floats]]:
        parts = {c: case.over_time(f"lost_{c}_share", AREA_POINTS) for c in CAUSES}
        t_s = next(iter(parts.values()))[0]
        return t_s, {c: 100 * np.nan_to_num(values) for c, (_, values) in parts.items()}

    def told(case: Case) -> str:
        asked = case.total("tokens_asked")
        counts = {c: case.total(f"lost_{c}") for c in CAUSES}
        first = max(counts, key=lambda c: counts[c])
        if not counts[first]:
            return "no token is lost"
        return (
            f"{percent(sum(counts.values()) / asked)} of the tokens are lost, most of them "
            f"({percent(counts[first] / asked)} of all) as '{first}': {CAUSES[first]}"
        )

    return areas_over_time(
        "losses-over-time", "Tokens lost, by cause", cases, shares, "tokens lost, % of asked", told
    )


def _links(cases: list[Case]) -> Picture | None:
    def shares(case: Case) -> tuple[Floats, dict[str, Floats]]:
        t_s, up = case.over_time("links_up", AREA_POINTS)
        parts = {
            why: case.over_time(f"links_down_{state.name.lower()}", AREA_POINTS)[1]
            for state, why in LINK_CAUSES.items()
        }
        links = up + sum(parts.values())
        return t_s, {name: 100 * values / links for name, values in parts.items()}

    def told(case: Case) -> str:
        down = {
            why: case.total(f"links_down_{state.name.lower()}")
            for state, why in LINK_CAUSES.items()
        }
        every = case.total("links_up") + sum(down.values())
        first = max(down, key=lambda name: down[name])
        return (
            f"{percent(sum(down.values()) / every)} of the links are down on average, most often "
            f"for '{first}' ({percent(down[first] / every)})"
        )

    return areas_over_time(
        "links-down", "Links down, by cause", cases, shares, "links down, %", told
    )


def _migration(cases: list[Case]) -> Picture | None:
    if not any(case.total("migrated_bytes") for case in cases):
        return None
    unit_s, label = time_axis(max(case.steps[0]["t_s"][-1] for case in cases))

    def draw(figure: Any) -> None:
        left, right = panels(figure, 2, columns=2)
        for case, style in zip(cases, lines_of(len(cases)), strict=True):
            t_s, sent = case.over_time("migrated_bytes")
            sent = STEP_FIGURES["migrated_bytes"].scale * sent.cumsum()
            left.plot(t_s / unit_s, sent, **style, label=case.label)
            right.plot(t_s / unit_s, case.over_time("under_way")[1], **style)
        left.set_ylabel("moved since the start, GB")
        right.set_ylabel(STEP_FIGURES["under_way"].header)
        for axes in (left, right):
            axes.set_xlabel(label)
            axes.margins(x=0)
            grid(axes)
        if len(cases) > 1:
            legend_below(figure, left, most=4)

    told = [
        f"{told_of(case.label, len(cases))}{text(float(case.values('migrated_gb').mean()))} GB are "
        f"moved between satellites, over {text(_plans(case))} placements."
        for case in cases
    ]
    return Picture(
        name="migration",
        title="Migration",
        caption=in_a_row(told),
        size_in=(8, 3.2),
        draw=draw,
    )


def _timeline(case: Case, number: int) -> Picture | None:
    """Events of a case's first run: a row a kind, darker where there are more."""
    table = case.runs[0].table("events", ["t_s", "kind"])
    t_s = np.asarray(table["t_s"].to_numpy(), np.float64)
    kind = np.asarray(table["kind"].cast(pa.string()).to_pylist(), object)
    there = [k for k in (*EVENTS, *sorted(set(kind) - set(EVENTS))) if (kind == k).any()]
    if not there:
        return None
    end_s = max(case.steps[0]["t_s"][-1], t_s.max(), 1.0)
    edges = np.linspace(0, end_s, _STRIPS + 1)
    counts = np.array([np.histogram(t_s[kind == k], edges)[0] for k in there])
    unit_s, label = time_axis(end_s)

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        extent = (0, end_s / unit_s, len(there) - 0.5, -0.5)
        axes.imshow(_strokes(counts), aspect="auto", interpolation="nearest", extent=extent)
        rows = zip(there, counts.sum(axis=1), strict=True)
        axes.set_yticks(range(len(there)), [f"{k}  {n:,}" for k, n in rows])
        axes.tick_params(axis="y", length=0)
        axes.spines[["left"]].set_visible(False)
        axes.set_xlabel(label)

    busiest = there[int(np.argmax(counts.sum(axis=1)))]
    grave = {kind for kind, event in EVENTS.items() if event.grave}
    of_kind = dict(zip(there, counts.sum(axis=1), strict=True))
    trouble = [f"{n:,} of '{k}'" for k, n in of_kind.items() if k in grave]
    first = f" of {case.label}" if number or case.label != case.scenario.placement.strategy else ""
    return Picture(
        name=f"timeline-{number + 1}" if number else "timeline",
        title=f"Timeline of events{first}",
        caption=f"{len(t_s):,} events, most of them '{busiest}'"
        + (f"; among them {', '.join(trouble)}" if trouble else "")
        + ". A stroke is darker where there are more of its kind; the numbers count them.",
        size_in=(8, 0.9 + 0.23 * len(there)),
        draw=draw,
    )


def _strokes(counts: NDArray[np.integer]) -> Floats:
    """Pixels of a timeline, RGBA: rows of strokes, darker where there are more, with gaps."""
    depth = 0.3 + 0.7 * counts / counts.max(axis=1, keepdims=True)
    blue = np.array([0x00, 0x72, 0xB2]) / 255
    pixels = np.dstack([np.broadcast_to(blue, (*counts.shape, 3)), np.where(counts, depth, 0)])
    pixels = np.repeat(pixels, 8, axis=0)
    pixels[7::8, :, 3] = 0  # a gap to the next row
    return pixels


def _plans(case: Case) -> int:
    return int(max(steps["placement"].max() for steps in case.steps)) + 1
