"""Tables of a report on runs: why requests were not served, what each copy of the model did."""

from collections import Counter

import numpy as np
import pyarrow as pa

from twin.report.page import Table
from twin.runs.cells import Cell
from twin.runs.repeats import Case
from twin.vocabulary import REQUEST_CAUSES


def unserved(cases: list[Case]) -> Table:
    """Requests that were not served by cause: number, and share of all."""
    counts = [_causes(case) for case in cases]
    header = ["cause", "what it means"]
    for case in cases:
        before = f"{case.label}: " if len(cases) > 1 else ""
        header += [f"{before}requests not served", f"{before}% of all"]
    rows: list[list[Cell]] = []
    for cause in REQUEST_CAUSES:
        if any(count[cause.word] for count in counts):
            cells: list[Cell] = []
            for count in counts:
                share = 100 * count[cause.word] / count.total() if count else 0.0
                cells += [count[cause.word], share]
            rows.append([cause.meaning.label, cause.meaning.sentence, *cells])
    return Table(
        name="requests-not-served",
        title="Requests that were not served, by cause",
        header=tuple(header),
        rows=rows,
        note="Of all requests, those in the warm-up included."
        + (" All runs of a case together." if max(len(c.runs) for c in cases) > 1 else ""),
    )


def by_instance(cases: list[Case]) -> Table:
    """What each copy of the model did, runs of a case together."""
    rows: list[list[Cell]] = []
    for case in cases:
        if case.scenario.serving.mode == "requests" and case.scenario.placement.instances != 1:
            rows += [[case.label, i, *found] for i, found in enumerate(_instances(case))]
    header = (
        "case", "copy", "requests that ended", "served, %", "first token, median s",
        "tokens of answers", "open, % of the time", "most that waited",
    )  # fmt: skip
    return Table(
        name="instances",
        title="Copies of the model",
        header=header,
        rows=rows,
        note="Of all requests, those in the warm-up included. A copy is open while its first "
        "gateway is up and it takes requests.",
    )


def _instances(case: Case) -> list[list[Cell]]:
    requests = pa.concat_tables(
        [run.table("requests", ["instance", "cause", "ttft_s"]) for run in case.runs]
    )
    steps = pa.concat_tables([run.table("instances") for run in case.runs])
    ended, then = requests["instance"].to_numpy(), steps["instance"].to_numpy()
    served, first_s = requests["cause"].is_null().to_numpy(), requests["ttft_s"].to_numpy()
    made, is_open, waiting = (steps[name].to_numpy() for name in ("tokens_out", "open", "waiting"))
    found: list[list[Cell]] = []
    for instance in range(int(case.scenario.placement.instances)):
        mine, now = ended == instance, then == instance
        good = mine & served
        found.append(
            [
                int(mine.sum()),
                100 * float(good.sum() / mine.sum()) if mine.any() else float("nan"),
                float(np.median(first_s[good])) if good.any() else float("nan"),
                int(made[now].sum()),
                100 * float(is_open[now].mean()),
                int(waiting[now].max()),
            ]
        )
    return found


def _causes(case: Case) -> Counter[str | None]:
    found: Counter[str | None] = Counter()
    for run in case.runs:
        found.update(run.table("requests", ["cause"])["cause"].to_pylist())
    return found
