"""What a study found: means over the replicates, with intervals."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from twin.runs.cells import text
from twin.runs.statistics import Estimate, estimate

_NOT_AXES = ("strategy", "policy", "points", "failed", "metrics")

type Group = dict[str, Any]
"""A place on the axes with a strategy and a policy: points that ended, failures, estimates."""


def summarise_points(table: pa.Table, fields: Sequence[str], metrics: Sequence[str]) -> list[Group]:
    """Mean and 95 % interval of each metric over the replicates of each place on the axes.

    Parameters
    ----------
    table : pyarrow.Table
        The study's points, in their order.
    fields : sequence of str
        The axes'.
    metrics : sequence of str
        Where no replicate has one, its estimate is None.
    """
    keys = [*fields, "strategy", "policy"]
    groups: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
    for row in table.select([*keys, "status", *metrics]).to_pylist():
        at = {key: row[key] for key in keys}
        groups.setdefault(json.dumps(at), (at, []))[1].append(row)
    return [
        {
            **at,
            "points": len(rows),
            "failed": sum(row["status"] == "failed" for row in rows),
            "metrics": {name: _estimate([row[name] for row in rows]) for name in metrics},
        }
        for at, rows in groups.values()
    ]


def tables(groups: Sequence[Group]) -> list[tuple[str, list[str], list[list[str]]]]:
    """Title, header and rows of each table to print.

    Of a study with axes a table a metric, a row for each place on the axes and a column a case;
    without axes one table, a row a case. Names are broken at their underscores, so that they fold
    where the terminal is narrow.
    """
    cases = list(dict.fromkeys(_case(group) for group in groups))
    axes = [key for key in groups[0] if key not in _NOT_AXES]
    metrics = list(groups[0]["metrics"])
    if not axes:
        rows = [[_name(_case(g), cases), *map(_cell, g["metrics"].values())] for g in groups]
        return [("", ["", *map(_words, metrics)], rows)]
    places: dict[tuple[str, ...], dict[tuple[str, str], Group]] = {}
    for group in groups:
        places.setdefault(tuple(_text(group[axis]) for axis in axes), {})[_case(group)] = group
    header = [*map(_words, axes), *(_name(case, cases) for case in cases)]
    return [
        (
            metric,
            header,
            [
                [*place, *(_cell(of_case[case]["metrics"][metric]) for case in cases)]
                for place, of_case in places.items()
            ],
        )
        for metric in metrics
    ]


def as_json(groups: Sequence[Group]) -> list[Group]:
    """The same as plain data."""
    return [
        group | {"metrics": {n: v and v._asdict() for n, v in group["metrics"].items()}}
        for group in groups
    ]


def _estimate(values: list[float | None]) -> Estimate | None:
    found = estimate(np.array(values, np.float64))
    return found if np.isfinite(found.mean) else None


def _case(group: Group) -> tuple[str, str]:
    return group["strategy"], group["policy"]


def _name(case: tuple[str, str], cases: Sequence[tuple[str, str]]) -> str:
    """Strategy, and policy where there are several."""
    return case[0] if len({policy for _, policy in cases}) == 1 else " ".join(case)


def _words(name: str) -> str:
    return name.rpartition(".")[2].replace("_", " ")


def _cell(value: Estimate | None) -> str:
    return "none" if value is None else text(value)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
