"""What a study found: means over the replicates, with intervals."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from twin.metrics import Estimate, estimate
from twin.study.report_page import text

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


def table_rows(groups: Sequence[Group]) -> tuple[list[str], list[list[str]]]:
    """Header and rows to print; columns of policies and of failures only where there are some.

    Names are broken at their underscores, so that they fold where the terminal is narrow.
    """
    at = [key for key in groups[0] if key not in ("points", "failed", "metrics")]
    if len({group["policy"] for group in groups}) == 1:
        at.remove("policy")
    failures = any(group["failed"] for group in groups)
    header = [key.rpartition(".")[2].replace("_", " ") for key in [*at, *groups[0]["metrics"]]]
    header += ["failed"] if failures else []
    rows = []
    for group in groups:
        row = [_text(group[key]) for key in at]
        row += [text(value) for value in group["metrics"].values()]
        rows.append([*row, *([str(group["failed"])] if failures else [])])
    return header, rows


def as_json(groups: Sequence[Group]) -> list[Group]:
    """The same as plain data."""
    return [
        group | {"metrics": {n: v and v._asdict() for n, v in group["metrics"].items()}}
        for group in groups
    ]


def _estimate(values: list[float | None]) -> Estimate | None:
    known = np.array([value for value in values if value is not None], np.float64)
    return estimate(known) if known.size else None


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
