"""A table of a report on runs: why requests were not served."""

from collections import Counter

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


def _causes(case: Case) -> Counter[str | None]:
    found: Counter[str | None] = Counter()
    for run in case.runs:
        found.update(run.table("requests", ["cause"])["cause"].to_pylist())
    return found
