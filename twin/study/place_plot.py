"""What `place` found, as rows for the terminal and as a plot."""

from pathlib import Path

import numpy as np

from twin.study.place import Placed
from twin.study.plots import blank_plot, save_plot, strategy_colours


def place_rows(result: list[Placed]) -> tuple[list[str], list[list[str]]]:
    """Header and rows."""
    header = [
        "strategy",
        "s/token",
        "bound",
        "gap",
        "tokens/s",
        "J/token",
        "available",
        "satellites",
    ]
    rows = []
    for entry in result:
        if entry.infeasible:
            rows.append([entry.name, "infeasible", *[""] * (len(header) - 2)])
            continue
        latency = entry.estimate("latency_s")
        rows.append(
            [
                entry.name,
                f"{latency.mean:.4f} ± {latency.ci95:.4f}",
                f"{np.mean(entry.bounds_s):.4f}",
                f"{entry.gap.mean:.1%}",
                f"{entry.estimate('throughput_per_s').mean:.4g}",
                f"{entry.estimate('energy_per_token_j').mean:.3g}",
                f"{entry.estimate('availability').mean:.2%}",
                f"{np.mean(entry.satellites):.0f}",
            ]
        )
    return header, rows


def place_plot(result: list[Placed], scenario: str, path: Path) -> None:
    """Latency against throughput, and the bound below which no placement can lie."""
    figure, plt = blank_plot(8, 5)
    axes = figure.add_subplot()
    feasible = [entry for entry in result if not entry.infeasible]
    colours = strategy_colours(list(dict.fromkeys(entry.strategy for entry in feasible)))
    for strategy, colour in colours.items():
        mine = [entry for entry in feasible if entry.strategy == strategy]
        latency = [entry.estimate("latency_s") for entry in mine]
        x = [entry.estimate("throughput_per_s").mean for entry in mine]
        order = np.argsort(x)
        axes.errorbar(
            np.array(x)[order],
            np.array([of.mean for of in latency])[order],
            yerr=np.array([of.ci95 for of in latency])[order],
            color=colour,
            marker="o",
            capsize=3,
            label=strategy,
        )
    # A bound holds up to the throughput that was asked for; without a floor it holds everywhere.
    bound = sorted({(entry.floor_per_s, float(np.mean(entry.bounds_s))) for entry in feasible})
    left = min(entry.estimate("throughput_per_s").mean for entry in feasible)
    bound = [(max(floor, left), s) for floor, s in bound]
    axes.step(*zip(*bound, strict=True), where="post", color="black", ls=":", label="lower bound")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("{x:g}")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("throughput of the busiest satellite (tokens/s)")
    axes.set_ylabel("seconds per token")
    axes.set_title(f"Placements of scenario {scenario}", fontsize=10)
    axes.legend(frameon=False)
    save_plot(figure, plt, path)
