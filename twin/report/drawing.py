"""How the plots of a report look: their style, as SVG for the page and as PNG."""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.report.page import Picture
from twin.runs import outputs

INK = "#16202c"
"""Text and axes; becomes the page's own colour of text, which is light on dark."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C7A00")
"""Of Okabe and Ito; their yellow darker, for lines on white."""

DASHES = ("-", "--", ":", "-.", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 3)))
MARKERS = "osD^vP*X"
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----", "++++", "oooo")
"""Lines, points and areas differ in these too, to stay distinct in a grey print."""

_HANDLE_IN, _LETTER_IN = 0.6, 0.075
"""Room that an entry of a legend takes, and a letter of it."""

_ENTRIES = 4
"""Of a legend, beside each other."""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.formatter.useoffset": False,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "font.size": 9,
    "grid.alpha": 0.2,
    "grid.color": INK,
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.4,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
}


def svg(picture: Picture) -> str:
    """Draw a picture as an SVG element to stand in a page, with ids that no other has."""
    with _drawn(picture) as figure:
        out = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(out, format="svg", transparent=True, metadata=nothing)
    element = out.getvalue()
    element = element[element.index("<svg") :].strip()
    element = re.sub(r' xmlns(:xlink)?="[^"]*"', "", element)
    for before in (' id="', "url(#", 'href="#'):
        element = element.replace(before, f"{before}{picture.name}-")
    element = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", element)
    label = f'role="img" aria-label="{picture.title}" '
    return element.replace(INK, "currentColor").replace("<svg ", f"<svg {label}", 1)


def png(picture: Picture, path: Path) -> None:
    """Draw a picture into a PNG file."""
    drawn = io.BytesIO()
    with _drawn(picture) as figure:
        figure.savefig(drawn, format="png", dpi=150)
    path.parent.mkdir(parents=True, exist_ok=True)
    outputs.write(path, drawn.getvalue())


@contextmanager
def _drawn(picture: Picture) -> Iterator[Any]:
    """A picture as a figure of matplotlib, without a screen."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=picture.size_in, layout="constrained")
    try:
        # Ids in an SVG are hashes with this salt: the same picture gives the same text.
        with plt.rc_context({**_STYLE, "svg.hashsalt": picture.name}):
            picture.draw(figure)
            yield figure
    finally:
        plt.close(figure)


def lines_of(n: int) -> list[dict[str, Any]]:
    """Colour, dashes and width of each of `n` lines; no two are alike up to 49.

    A line is thinner than the one before it, so that where both run along it shows both.
    """
    colours, widths = len(COLOURS), np.linspace(2.4, 1.2, n) if n > 1 else [1.4]
    return [
        {
            "color": COLOURS[i % colours],
            "ls": DASHES[(i + i // colours) % len(DASHES)],
            "lw": float(widths[i]),
        }
        for i in range(n)
    ]


def points_of(n: int) -> list[dict[str, Any]]:
    """Colour, dashes and marker of each of `n` lines through points."""
    styles = zip(lines_of(n), cycle(MARKERS), strict=False)
    return [style | {"marker": marker} for style, marker in styles]


def time_axis(t_end_s: float) -> tuple[float, str]:
    """Seconds of a unit of time that suits the run's length, and the label of its axis."""
    if t_end_s > 3 * 3600:
        return 3600.0, "hours since the start"
    if t_end_s > 600:
        return 60.0, "minutes since the start"
    return 1.0, "seconds since the start"


def stacked(
    axes: Any, x: NDArray[np.float64], parts: dict[str, NDArray[np.float64]], order: Sequence[str]
) -> None:
    """Areas on top of each other; a part keeps its colour and hatch by its place in `order`."""
    places = [order.index(name) for name in parts]
    axes.stackplot(
        x,
        *map(np.nan_to_num, parts.values()),
        labels=[*parts],
        colors=[COLOURS[place % len(COLOURS)] for place in places],
        hatch=[HATCHES[place % len(HATCHES)] for place in places],
        step="mid",
        edgecolor=INK,
        lw=0,
    )
    axes.set_ylim(bottom=0)
    axes.margins(x=0)


def panels(figure: Any, n: int, *, columns: int, share_y: bool = False) -> list[Any]:
    """`n` axes in rows of `columns`."""
    rows = -(-n // columns)
    made: list[Any] = []
    for i in range(n):
        made.append(
            figure.add_subplot(rows, columns, i + 1, sharey=made[0] if share_y and made else None)
        )
    return made


def legend_below(figure: Any, axes: Any, *, least: int = 1) -> None:
    """One legend for a whole plot, below it, of what `axes` shows; of `least` entries and more."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) < least:
        return
    width_in = figure.bbox.width / figure.figure.dpi  # of a part of a figure, too
    room = int(width_in / (_HANDLE_IN + _LETTER_IN * max(map(len, labels), default=0)))
    columns = max(1, min(len(labels), _ENTRIES, room))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns)
