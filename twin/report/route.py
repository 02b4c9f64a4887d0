"""The path between two places in words, as tables and as a plot."""

from typing import Any

import numpy as np

from twin.export.routes import Route
from twin.report.drawing import COLOURS, INK, legend_below, time_axis
from twin.report.page import Picture

type TableText = tuple[str, list[str], list[list[str]]]


def title(route: Route) -> str:
    """Both ends and the range of the round-trip time, in a sentence."""
    figures = route.as_json()
    ends = f"{route.start.name} to {route.end.name}, by the {_BY[route.by]}"
    if figures["rtt_mean_ms"] is None:
        return f"{ends}: no path at any time"
    low, mean, high = (figures[f"rtt_{name}_ms"] for name in ("min", "mean", "max"))
    return (
        f"{ends}: there and back in {low:.3f} to {high:.3f} ms, {mean:.3f} on average; "
        f"{figures['path_changes']} changes of path, none for "
        f"{figures['interrupted_s']:.6g} of {len(route.t_s) * route.step_s:.6g} s"
    )


_BY = {"serving": "satellites that serve them", "best": "pair in sight with the shortest path"}


def tables(route: Route, most: int) -> list[TableText]:
    """The first paths, and the first interruptions, as title, header and rows."""
    columns = route.columns
    with_path = [row for row, way in enumerate(route.paths) if way]
    chosen = sorted({*with_path[:1], *route.changes, *_after_gaps(route)})
    rows = [
        [
            f"{columns['t_s'][row]:.3f}",
            f"{columns['rtt_ms'][row]:.3f}",
            str(columns["hops"][row]),
            ", ".join(route.names[satellite] for satellite in route.paths[row]),
        ]
        for row in chosen[:most]
    ]
    when = f"seconds after {route.epoch_utc}"
    gaps = route.interruptions
    return [
        (f"paths, {len(rows)} of {len(chosen)}; {when}", ["s", "RTT ms", "hops", "path"], rows),
        (
            f"interruptions, {min(most, len(gaps))} of {len(gaps)}; {when}",
            ["from s", "to s", "cause"],
            [[f"{gap.from_s:.3f}", f"{gap.to_s:.3f}", gap.cause] for gap in gaps[:most]],
        ),
    ]


def _after_gaps(route: Route) -> list[int]:
    """Rows at which a path comes back."""
    return [
        row
        for row in range(1, len(route.paths))
        if route.paths[row] and not route.paths[row - 1] and any(route.paths[:row])
    ]


def route_picture(route: Route) -> Picture:
    """Round-trip time and hops over time, with changes of path and interruptions."""

    def draw(figure: Any) -> None:
        unit_s, label = time_axis(float(route.t_s[-1] + route.step_s))
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        # A step holds until the next one; the last too.
        t = np.append(route.t_s, route.t_s[-1] + route.step_s) / unit_s
        above.plot(route.t_s / unit_s, route.rtt_s * 1e3, color=COLOURS[0], lw=1.4)
        hops = np.where(route.hops > 0, route.hops, np.nan)
        below.step(t, np.append(hops, hops[-1]), where="post", color=COLOURS[2], lw=1.4)
        changes = route.t_s[route.changes] / unit_s
        foot = above.get_xaxis_transform()
        marks = {"color": INK, "marker": "|", "ls": "", "transform": foot}
        above.plot(changes, np.full(len(changes), 0.02), label="change of path", **marks)
        for i, gap in enumerate(route.interruptions):
            span = gap.from_s / unit_s, gap.to_s / unit_s
            for axes in (above, below):
                named = {"label": "no path"} if i == 0 and axes is above else {}
                axes.axvspan(*span, color=COLOURS[1], alpha=0.25, lw=0, **named)
        below.set(xlabel=label, ylabel="hops")
        below.yaxis.get_major_locator().set_params(integer=True)
        title = f"{route.start.name} to {route.end.name}"
        above.set(ylabel="round-trip time (ms)", title=title)
        legend_below(figure, above)

    return Picture(
        name="route",
        title=f"The path from {route.start.name} to {route.end.name} over time",
        caption="Ticks at the foot are changes of path; shaded times have none.",
        size_in=(8, 4.5),
        draw=draw,
    )
