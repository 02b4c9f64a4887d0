"""Plots as PNG files."""

import io
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from twin.runs import outputs

OKABE_ITO = (
    "#D55E00",
    "#F0E442",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#0072B2",
    "#56B4E9",
)
"""Colour-blind readers can distinguish them. Black is left out: it is for outlines."""

COLOURS = {
    "rand-place": "#999999",
    "rand-intra": "#E69F00",
    "rand-intra-cg": "#009E73",
    "compact-random": "#CC79A7",
    "space-xnet": "#0072B2",
    "single-satellite": "#56B4E9",
    "joint": "#D55E00",
    "packed": "#882255",
    "energy-aware": "#117733",
    "tiled": "#332288",
}
"""The same in every plot."""


def strategy_colours(names: Sequence[str]) -> dict[str, str]:
    """A colour for each strategy: its own, or else the next free one.

    After the whole palette come its darker shades.
    """
    own = {name: COLOURS[name] for name in names if name in COLOURS}
    free = (shade for depth in count() for shade in _shaded(depth) if shade not in COLOURS.values())
    return {name: own[name] if name in own else next(free) for name in names}


def _shaded(depth: int) -> list[str]:
    """Okabe and Ito's colours, each `depth` times 35 % darker."""
    parts = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in OKABE_ITO]
    return ["#" + "".join(f"{round(p * 0.65**depth):02X}" for p in rgb) for rgb in parts]


def blank_plot(width: float, height: float) -> tuple[Any, Any]:
    """An empty plot of a size in inches, and pyplot, without a screen."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(width, height), layout="constrained")
    return figure, plt


def save_plot(figure: Any, plt: Any, path: Path) -> None:
    """Write a plot as PNG and close it."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=150)
    plt.close(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    outputs.write(path, drawn.getvalue())
