"""Figures of a report on a study: sensitivity to each axis, and trade-offs."""

from functools import partial
from typing import Any

import numpy as np

from twin.metrics import estimate
from twin.study.compare import non_dominated
from twin.study.report_data import Floats, StudyData
from twin.study.report_drawing import grid, legend_below, panels, points_of
from twin.study.report_page import Picture, text

type Key = tuple[Any, ...]
"""Strategy, policy, and a value of every axis field."""

OBJECTIVES = {"throughput_per_s": -1, "energy_per_token_j": 1, "tokens_served_share": -1}
"""What is held against latency; 1 where less is better."""


class Cells:
    """Points of a study, put together over replicates."""

    def __init__(self, data: StudyData) -> None:
        self.data = data
        self.fields = tuple(field for axis in data.axes for field in axis)
        self._rows = data.points.to_pylist()
        self.status = [row["status"] for row in self._rows]
        self.keys: list[Key] = sorted(
            {self._key(row) for row in self._rows},
            key=lambda key: [(isinstance(v, str), v if isinstance(v, str) else str(v).zfill(24))
                             for v in key],
        )  # fmt: skip
        self.cases = list(dict.fromkeys(key[:2] for key in self.keys))

    def _key(self, row: dict[str, Any]) -> Key:
        values = [row[f] for f in self.fields]
        plain = (v if isinstance(v, int | float | str) else str(v) for v in values)
        return (row["strategy"], row["policy"], *plain)

    def by_cell(self, metric: str) -> dict[Key, Floats]:
        """Values over the replicates that did not fail, in their order."""
        found: dict[Key, list[tuple[int, float]]] = {}
        for row in self._rows:
            if row["status"] == "ok" and row[metric] is not None:
                found.setdefault(self._key(row), []).append((row["replicate"], row[metric]))
        return {key: np.array([v for _, v in sorted(pairs)]) for key, pairs in found.items()}

    def along(self, metric: str, field: str) -> dict[Key, dict[Any, Floats]]:
        """By case and value of a field: for each replicate, the mean over all other axes.

        Replicates of which a point failed are left out, so that no mean is over other points.
        """
        at = 2 + self.fields.index(field)
        found: dict[Key, dict[Any, dict[int, list[float]]]] = {}
        for row in self._rows:
            key = self._key(row)
            value = row[metric] if row["status"] == "ok" else None
            of_case = found.setdefault(key[:2], {}).setdefault(key[at], {})
            of_case.setdefault(row["replicate"], []).append(np.nan if value is None else value)
        out: dict[Key, dict[Any, Floats]] = {}
        for case, by_value in found.items():
            for value, runs in by_value.items():
                means = np.array([np.mean(v) for v in runs.values()])
                if np.isfinite(means).any():
                    out.setdefault(case, {})[value] = means[np.isfinite(means)]
        return out

    def name(self, key: Key) -> str:
        """A cell in words."""
        pairs = zip(self.fields, key[2:], strict=False)
        return ", ".join([*map(str, key[:2]), *(f"{f.partition('.')[2]} {v}" for f, v in pairs)])


def study_pictures(cells: Cells) -> list[Picture]:
    """Each metric against each axis, and latency against what else one may want."""
    made = [_sensitivity(cells, m, axis[0]) for m in cells.data.metrics for axis in cells.data.axes]
    made += [_trade_off(cells, other) for other in OBJECTIVES]
    return [picture for picture in made if picture is not None]


def _sensitivity(cells: Cells, metric: str, field: str) -> Picture | None:
    found = cells.along(metric, field)
    if not found:
        return None
    values = list(dict.fromkeys(v for by_value in found.values() for v in by_value))
    numbers = all(isinstance(v, int | float) for v in values)
    values = sorted(values) if numbers else values
    place = {v: v if numbers else i for i, v in enumerate(values)}

    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        for (case, by_value), style in zip(found.items(), points_of(len(found)), strict=True):
            there = [v for v in values if v in by_value]
            mean, half = np.array([estimate(by_value[v]) for v in there]).T
            x = [place[v] for v in there]
            axes.errorbar(x, mean, np.nan_to_num(half), **style, ms=4, capsize=3,
                          label=", ".join(case))  # fmt: skip
        if not numbers:
            axes.set_xticks(range(len(values)), [str(v) for v in values])
        axes.set_xlabel(field)
        axes.set_ylabel(metric)
        grid(axes)
        legend_below(figure, axes, most=3)

    told = []
    for case, by_value in found.items():
        low = min(by_value, key=lambda v: by_value[v].mean())
        high = max(by_value, key=lambda v: by_value[v].mean())
        told.append(
            f"{', '.join(case)}: least {text(float(by_value[low].mean()))} at {low}, most "
            f"{text(float(by_value[high].mean()))} at {high}."
        )
    others = " Means over the other axes." if len(cells.data.axes) > 1 else ""
    return Picture(
        name=f"sensitivity-{metric}-{field.replace('.', '-')}",
        title=f"{metric} against {field}",
        caption=" ".join(told) + others + " Whiskers: 95 % interval over replicates.",
        size_in=(8, 3.6 + 0.2 * -(-len(found) // 3)),
        draw=draw,
    )


def _trade_off(cells: Cells, other: str) -> Picture | None:
    latency = "latency_mean_s"
    if not {latency, other} <= set(cells.data.metrics):
        return None
    x, y = cells.by_cell(latency), cells.by_cell(other)
    keys = [key for key in x if key in y]
    if not keys:
        return None
    points = np.array([[x[k].mean(), OBJECTIVES[other] * y[k].mean()] for k in keys])
    best = np.asarray(non_dominated(points), bool)
    draw = partial(_draw_trade_off, cells, keys, x, y, best, other)
    names = [cells.name(k) for k, good in zip(keys, best, strict=True) if good]
    return Picture(
        name=f"pareto-{other}",
        title=f"{latency} against {other}",
        caption="Outlined are the cells that no other beats in both: " + "; ".join(names) + ".",
        size_in=(8, 4.2),
        draw=draw,
    )


def _draw_trade_off(
    cells: Cells,
    keys: list[Key],
    x: dict[Key, Floats],
    y: dict[Key, Floats],
    best: Any,
    other: str,
    figure: Any,
) -> None:
    (axes,) = panels(figure, 1, columns=1)
    styles = dict(zip(cells.cases, points_of(len(cells.cases)), strict=True))
    seen: set[Key] = set()
    for key, good in zip(keys, best, strict=True):
        style = {n: v for n, v in styles[key[:2]].items() if n != "ls"}
        a, b = estimate(x[key]), estimate(y[key])
        axes.errorbar(
            a.mean, b.mean, np.nan_to_num(b.ci95), np.nan_to_num(a.ci95), ls="none", **style,
            ms=8 if good else 5, mec="black" if good else style["color"], capsize=2,
            label=None if key[:2] in seen else ", ".join(key[:2]),
        )  # fmt: skip
        seen.add(key[:2])
    axes.set_xlabel("latency_mean_s (less is better)")
    axes.set_ylabel(f"{other} ({'less' if OBJECTIVES[other] > 0 else 'more'} is better)")
    grid(axes)
    legend_below(figure, axes, most=3)
