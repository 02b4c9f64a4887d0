"""Tables of a report on runs: key figures, differences, tokens, losses, events, links."""

from collections import Counter

import numpy as np
import pyarrow as pa

from twin.report.page import Table
from twin.report.words import CAUSES
from twin.runs.cells import Cell
from twin.runs.figures import FIGURES, PERCENTILES
from twin.runs.repeats import Case, difference
from twin.runs.statistics import Estimate, estimate
from twin.vocabulary import EVENTS

_QUIET = (
    "throttlings",
    "brown_outs",
    "ground_handovers",
    "satellites_without_power",
    "compute_deficit_share",
    "migrated_gb",
    "tokens_retried",
    "tokens_lost_share",
)
"""Left out where they are 0 in every case."""

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def _first_figures() -> list[str]:
    """Figures of the first table; the others are in tables of their own."""
    return [
        name
        for name, figure in FIGURES.items()
        if not figure.link_kind and not name.startswith(("lost_", "battery_"))
    ]


def key_figures(cases: list[Case]) -> Table:
    """The main figures, a column a case: means over repetitions where there are any."""
    rows: list[list[Cell]] = []
    for name in _first_figures():
        found = [case.values(name) * FIGURES[name].scale for case in cases]
        joined = np.concatenate(found)
        if np.isfinite(joined).any() and not (name in _QUIET and (joined == 0).all()):
            rows.append([FIGURES[name].header, *(_over_runs(values) for values in found)])
    runs = [len(case.runs) for case in cases]
    note = (
        f"Mean ± 95 % confidence interval (Student's t) over {_counts(runs)} runs of a case."
        if max(runs) > 1
        else "A case has one run and therefore no confidence interval; how its tokens spread is in "
        "the next table. Repetitions (--set simulation.replicate=1, 2, …) give intervals."
    )
    if 1 in runs and max(runs) > 1:
        note += " A case with a single run has none."
    note += f" {PERCENTILES}"
    return Table(
        name="figures", title="Key figures", header=_header("figure", cases), rows=rows, note=note
    )


def differences(cases: list[Case]) -> Table | None:
    """How the others differ from the first case."""
    if len(cases) < 2:
        return None
    first, others = cases[0], cases[1:]
    rows: list[list[Cell]] = []
    for name in _first_figures():
        header, scale = FIGURES[name].header, FIGURES[name].scale
        found = [difference(case, first, name) for case in others]
        if any(np.isfinite(d.mean) and d.mean != 0 for d in found):
            rows.append([header, *(_cell(d.mean * scale, d.ci95 * scale) for d in found)])
    paired = all(set(case.keys) == set(first.keys) for case in others) and len(first.runs) > 1
    return Table(
        name="differences",
        title=f"More (or, with a minus, less) than {first.label}",
        header=_header("figure", others),
        rows=rows,
        note="Mean ± 95 % confidence interval of the differences between runs with the same seed "
        "and replicate."
        if paired
        else "Differences of means; no interval, for want of repetitions that match.",
    )


def token_percentiles(cases: list[Case]) -> Table:
    """Latency that a share of all tokens served did not exceed."""
    rows: list[list[Cell]] = []
    rows.append(["fastest", *(case.latency_at(0.0) for case in cases)])
    rows += [
        [f"{100 * share:g} % took at most", *(case.latency_at(share) for case in cases)]
        for share in SHARES
    ]
    rows.append(["slowest", *(case.latency_at(1.0) for case in cases)])
    return Table(
        name="tokens",
        title="Latency over all tokens served, s",
        header=_header("tokens", cases),
        rows=rows,
        note=PERCENTILES,
    )


def losses(cases: list[Case]) -> Table:
    """Tokens lost by cause: number, and share of those asked."""
    rows: list[list[Cell]] = []
    header = ["cause", "what it means"]
    for case in cases:
        before = f"{case.label}: " if len(cases) > 1 else ""
        header += [f"{before}tokens lost", f"{before}% of those asked"]
    for cause, meaning in CAUSES.items():
        counts = [case.total(f"lost_{cause}") for case in cases]
        if any(counts):
            cells: list[Cell] = []
            for case, lost in zip(cases, counts, strict=True):
                share = FIGURES[f"lost_{cause}_share"]
                cells += [int(lost), share.scale * lost / case.total("tokens_asked")]
            rows.append([cause, meaning, *cells])
    return Table(
        name="losses",
        title="Tokens lost, by cause",
        header=tuple(header),
        rows=rows,
        note="The first reason that a token meets on its way counts."
        + (" All runs of a case together." if max(len(c.runs) for c in cases) > 1 else ""),
    )


def event_counts(case: Case) -> Counter[tuple[str, str]]:
    """Number of events by kind and cause, over all runs of a case."""
    counts: Counter[tuple[str, str]] = Counter()
    for run in case.runs:
        table = run.table("events", ["kind", "cause"])
        kinds, causes = (table[n].cast(pa.string()).to_pylist() for n in ("kind", "cause"))
        counts.update((kind, cause or "") for kind, cause in zip(kinds, causes, strict=True))
    return counts


def events(cases: list[Case]) -> Table:
    """Number of events by kind and cause."""
    counts = [event_counts(case) for case in cases]
    known = {kind: i for i, kind in enumerate(EVENTS)}
    there = sorted({k for c in counts for k in c}, key=lambda k: (known.get(k[0], len(known)), k))
    return Table(
        name="events",
        title="Events",
        header=("kind", "cause", *(case.label for case in cases)),
        rows=[[kind, cause, *(c[kind, cause] for c in counts)] for kind, cause in there],
    )


def links(cases: list[Case]) -> Table:
    """Links and batteries at the end of each run, from its manifest."""
    names: list[str] = []
    for kind in dict.fromkeys(k for c in cases for k in c.runs[0].manifest["conclusion"]["links"]):
        names += [name for name, figure in FIGURES.items() if figure.link_kind == kind]
    names += [name for name in FIGURES if name.startswith("battery_")]
    rows: list[list[Cell]] = [
        [FIGURES[n].header, *(_over_runs(FIGURES[n].scale * case.values(n)) for case in cases)]
        for n in names
    ]
    return Table(
        name="links",
        title="Links and batteries",
        header=_header("figure", cases),
        rows=rows,
        note="From the runs' manifests: known only at the end of a run.",
    )


def versions(cases: list[Case]) -> Table:
    """Versions of the software, and other differences between runs."""
    runs = [run for case in cases for run in case.runs]
    found = dict.fromkeys(name for run in runs for name in run.manifest["versions"])
    rows: list[list[Cell]] = [
        ["written, UTC", *(run.manifest["written_utc"] for run in runs)],
        ["scenario, SHA-256", *(run.manifest["scenario_hash"][:16] for run in runs)],
        *([n, *(run.manifest["versions"].get(n, "") for run in runs)] for n in found),
    ]
    return Table(
        name="versions",
        title="Versions",
        header=("", *(run.manifest["run_id"] for run in runs)),
        rows=rows,
    )


def _over_runs(values: np.ndarray) -> Cell:
    return _cell(*estimate(values))


def _cell(mean: float, ci95: float) -> Cell:
    if np.isfinite(ci95):
        return Estimate(float(mean), float(ci95))
    return int(mean) if float(mean).is_integer() else float(mean)


def _header(first: str, cases: list[Case]) -> tuple[str, ...]:
    return (first, *(case.label for case in cases))


def _counts(runs: list[int]) -> str:
    return str(runs[0]) if len(set(runs)) == 1 else f"{min(runs)} to {max(runs)}"
