"""What `place` found, as rows for the terminal and as a plot."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twin.study.place import Placed
from twin.study.plots import blank_plot, save_plot, strategy_colours

_MARKERS = "ovs^DPX*"
"""Of the lines of several instances, floor by floor."""


def place_rows(result: list[Placed]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: of one instance each, or of several."""
    many = any(entry.asked != 1 for entry in result)
    columns = _MANY if many else _ONE
    header = ["strategy", *columns]
    rows = []
    for entry in result:
        if entry.infeasible:
            rows.append([entry.name, "infeasible", *[""] * (len(header) - 2)])
        else:
            rows.append([entry.name, *(show(entry) for show in columns.values())])
    return header, rows


def _latency(entry: Placed) -> str:
    latency = entry.estimate("latency_s")
    return f"{latency.mean:.4f} ± {latency.ci95:.4f}"


def _satellites(entry: Placed) -> str:
    return f"{entry.estimate('satellites').mean:.0f}"


_ONE: dict[str, Callable[[Placed], str]] = {
    "s/token": _latency,
    "bound": lambda entry: f"{entry.bound('latency_s').mean:.4f}",
    "gap": lambda entry: f"{entry.gap.mean:.1%}",
    "tokens/s": lambda entry: f"{entry.estimate('throughput_per_s').mean:.4g}",
    "J/token": lambda entry: f"{entry.estimate('energy_per_token_j').mean:.3g}",
    "available": lambda entry: f"{entry.estimate('availability').mean:.2%}",
    "satellites": _satellites,
}
_MANY: dict[str, Callable[[Placed], str]] = {
    "instances": lambda entry: f"{entry.estimate('instances').mean:g}",
    "tokens/s": lambda entry: f"{entry.estimate('throughput_per_s').mean:.1f}",
    "at most": lambda entry: f"{entry.bound('throughput_per_s').mean:.1f}",
    "least": lambda entry: f"{entry.estimate('least_per_s').mean:.2f}",
    "s/token": _latency,
    "bound": _ONE["bound"],
    "gap": _ONE["gap"],
    "slowest": lambda entry: f"{entry.estimate('worst_s').mean:.4f}",
    "satellites": _satellites,
}


def place_plot(result: list[Placed], scenario: str, path: Path) -> None:
    """Latency against throughput, and the bound below which no placement can lie."""
    figure, plt = blank_plot(8, 5)
    axes = figure.add_subplot()
    feasible = [entry for entry in result if not entry.infeasible]
    many = any(entry.asked != 1 for entry in feasible)
    colours = strategy_colours(list(dict.fromkeys(entry.strategy for entry in feasible)))
    floors = sorted({entry.floor_per_s for entry in feasible})
    lines: dict[tuple[str, float], list[Placed]] = {}
    for entry in feasible:
        # Of several instances, those of one floor make a line; of one, those of all floors.
        lines.setdefault((entry.strategy, entry.floor_per_s if many else 0.0), []).append(entry)
    for (strategy, floor), line in lines.items():
        label = f"{strategy} at {floor:g}/s each" if many and floor else strategy
        marker = _MARKERS[floors.index(floor) % len(_MARKERS)] if many else "o"
        _draw(axes, line, color=colours[strategy], marker=marker, label=label)
    _draw_bounds(axes, feasible, many)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("" if many else "{x:g}")
    axes.set_ylim(bottom=0)
    of = "all instances" if many else "the busiest satellite"
    axes.set_xlabel(f"throughput of {of} (tokens/s)")
    axes.set_ylabel("seconds per token")
    axes.set_title(f"Placements of scenario {scenario}", fontsize=10)
    axes.legend(frameon=False, fontsize=8 if many else None)
    save_plot(figure, plt, path)


def _draw(axes: Any, line: list[Placed], **style: Any) -> None:
    """Points of a line in the order of their throughput, with intervals."""
    line = sorted(line, key=lambda entry: entry.estimate("throughput_per_s").mean)
    latency = [entry.estimate("latency_s") for entry in line]
    axes.errorbar(
        [entry.estimate("throughput_per_s").mean for entry in line],
        [of.mean for of in latency],
        yerr=[of.ci95 for of in latency],
        capsize=3,
        **style,
    )


def _draw_bounds(axes: Any, result: list[Placed], many: bool) -> None:
    """A mark below each point; for one instance each, steps from floor to floor."""
    if many:
        x = [entry.estimate("throughput_per_s").mean for entry in result]
        y = [entry.bound("latency_s").mean for entry in result]
        axes.plot(x, y, ls="", marker="_", ms=10, color="black", label="lower bound")
        most = max(entry.bound("throughput_per_s").mean for entry in result)
        axes.axvline(most, color="black", ls=":", label="most that satellites can compute")
        return
    # A bound holds up to the throughput that was asked for; without a floor it holds everywhere.
    bound = sorted({(entry.floor_per_s, entry.bound("latency_s").mean) for entry in result})
    left = min(entry.estimate("throughput_per_s").mean for entry in result)
    bound = [(max(floor, left), s) for floor, s in bound]
    axes.step(*zip(*bound, strict=True), where="post", color="black", ls=":", label="lower bound")
