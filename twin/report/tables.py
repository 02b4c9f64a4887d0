"""Tables of a report on runs: key figures, differences, tokens, losses, events, links."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from twin.report.page import Table
from twin.runs.cells import Cell, whole
from twin.runs.figures import FIGURES, PERCENTILES
from twin.runs.repeats import Case, difference
from twin.runs.statistics import Estimate
from twin.vocabulary import CAUSES, EVENTS, REQUEST_CAUSES

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

_TOGETHER = " All runs of a case together."


def _first_figures() -> list[str]:
    """Figures of the first table; the others are in tables of their own."""
    return [
        name
        for name, figure in FIGURES.items()
        if not figure.link_kind and not name.startswith(("lost_", "battery_"))
    ]


def key_figures(cases: Sequence[Case], names: Sequence[str] = (), name: str = "figures") -> Table:
    """Figures, all main ones by default, a column a case: means over repetitions if there are."""
    rows: list[list[Cell]] = []
    for key in names or _first_figures():
        joined = np.concatenate([case.values(key) for case in cases])
        if np.isfinite(joined).any() and not (key in _QUIET and (joined == 0).all()):
            rows.append([FIGURES[key].header, *(_cell(case.shown(key)) for case in cases)])
    runs = sorted({len(case.runs) for case in cases})
    note = (
        f"Mean ± 95 % confidence interval (Student's t) over {' to '.join(map(str, runs))} runs "
        "of a case."
        if runs[-1] > 1
        else "A case has one run and therefore no confidence interval. Repetitions "
        "(--set simulation.replicate=1, 2, …) give intervals."
    )
    if runs[0] == 1 < runs[-1]:
        note += " A case with a single run has none."
    return Table(
        name=name,
        title="Key figures",
        header=_header("figure", cases),
        rows=rows,
        note=note if names else f"{note} {PERCENTILES}",
    )


def differences(cases: Sequence[Case]) -> Table:
    """How the others differ from the first case."""
    first, others = cases[0], cases[1:]
    rows: list[list[Cell]] = []
    for name in _first_figures():
        header, scale = FIGURES[name].header, FIGURES[name].scale
        found = [difference(case, first, name) for case in others]
        if any(np.isfinite(d.mean) and d.mean != 0 for d in found):
            rows.append([header, *(_cell(d.scaled(scale)) for d in found)])
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


def losses(cases: Sequence[Case]) -> Table:
    """Tokens lost by cause: number, and share of those asked."""
    return _by_cause(
        cases,
        name="losses",
        title="Tokens lost, by cause",
        header="tokens lost",
        whole="those asked",
        told={cause.word: (cause.word, cause.meaning.sentence) for cause in CAUSES},
        counts=[{c.word: int(case.total(f"lost_{c.word}")) for c in CAUSES} for case in cases],
        totals=[int(case.total("tokens_asked")) for case in cases],
        note="The first reason that a token meets on its way counts.",
    )


def unserved(cases: Sequence[Case]) -> Table:
    """Requests that were not served by cause: number, and share of all."""
    counts = [_request_causes(case) for case in cases]
    return _by_cause(
        cases,
        name="requests-not-served",
        title="Requests that were not served, by cause",
        header="requests not served",
        whole="all",
        told={c.word: (c.meaning.label, c.meaning.sentence) for c in REQUEST_CAUSES},
        counts=counts,
        totals=[count.total() for count in counts],
        note="Of all requests, those in the warm-up included.",
    )


def _by_cause(
    cases: Sequence[Case],
    *,
    name: str,
    title: str,
    header: str,
    whole: str,
    told: Mapping[str, tuple[str, str]],
    counts: Sequence[Mapping[str, int]],
    totals: Sequence[int],
    note: str,
) -> Table:
    """Numbers of what went wrong and shares of a whole, a row a cause that was met."""
    columns = ["cause", "what it means"]
    for case in cases:
        before = f"{case.label}: " if len(cases) > 1 else ""
        columns += [f"{before}{header}", f"{before}% of {whole}"]
    rows: list[list[Cell]] = [
        [*words, *(cell for count, total in zip(counts, totals, strict=True)
                   for cell in (count[cause], 100 * count[cause] / max(total, 1)))]
        for cause, words in told.items()
        if any(count[cause] for count in counts)
    ]  # fmt: skip
    several = max(len(case.runs) for case in cases) > 1
    note += _TOGETHER if several else ""
    return Table(name=name, title=title, header=tuple(columns), rows=rows, note=note)


def _request_causes(case: Case) -> Counter[str]:
    """Requests of all runs by the cause for which they were not served; "" where they were."""
    if case.scenario.serving.mode != "requests":
        return Counter()
    return Counter(cause or "" for cause in case.table("requests", ["cause"])["cause"].to_pylist())


def instances(cases: Sequence[Case]) -> Table:
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


def _instances(case: Case) -> Iterator[list[Cell]]:
    requests = case.table("requests", ["instance", "cause", "ttft_s"])
    steps = case.table("instances")
    ended, then = requests["instance"].to_numpy(), steps["instance"].to_numpy()
    served, first_s = requests["cause"].is_null().to_numpy(), requests["ttft_s"].to_numpy()
    made, is_open, waiting = (steps[name].to_numpy() for name in ("tokens_out", "open", "waiting"))
    for instance in range(int(case.scenario.placement.instances)):
        mine, now = ended == instance, then == instance
        good = mine & served
        yield [
            int(mine.sum()),
            100 * float(good.sum() / mine.sum()) if mine.any() else None,
            float(np.median(first_s[good])) if good.any() else None,
            int(made[now].sum()),
            100 * float(is_open[now].mean()),
            int(waiting[now].max()),
        ]


def events(cases: Sequence[Case]) -> Table:
    """How many events of each kind and cause each case had, runs together."""
    counts = [_event_counts(case) for case in cases]
    order = {kind: place for place, kind in enumerate(EVENTS)}
    there = sorted(
        {key for count in counts for key in count},
        key=lambda key: (order.get(key[0], len(order)), key),
    )
    return Table(
        name="events",
        title="Events",
        header=("kind", "cause", *(case.label for case in cases)),
        rows=[[kind, cause, *(c[kind, cause] for c in counts)] for kind, cause in there],
    )


def _event_counts(case: Case) -> Counter[tuple[str, str]]:
    table = case.table("events", ["kind", "cause"])
    columns = (
        table[name].cast(pa.string()).fill_null("").to_pylist() for name in ("kind", "cause")
    )
    return Counter(zip(*columns, strict=True))


def links(cases: Sequence[Case]) -> Table:
    """Links and batteries at the end of each run, from its manifest."""
    kinds = {kind for case in cases for kind in case.runs[0].manifest["conclusion"]["links"]}
    names = [
        name
        for name, figure in FIGURES.items()
        if figure.link_kind in kinds or name.startswith("battery_")
    ]
    return Table(
        name="links",
        title="Links and batteries",
        header=_header("figure", cases),
        rows=[[FIGURES[n].header, *(_cell(case.shown(n)) for case in cases)] for n in names],
        note="From the runs' manifests: known only at the end of a run.",
    )


def versions(columns: Mapping[str, Mapping[str, Cell]]) -> Table:
    """Versions of the software and what else is to be known of each run, a column each."""
    names = dict.fromkeys(name for known in columns.values() for name in known)
    return Table(
        name="versions",
        title="Versions",
        header=("", *columns),
        rows=[[name, *(known.get(name, "") for known in columns.values())] for name in names],
    )


def _cell(found: Estimate) -> Cell:
    if np.isfinite(found.ci95):
        return found
    return whole(found.mean)


def _header(first: str, cases: Sequence[Case]) -> tuple[str, ...]:
    return (first, *(case.label for case in cases))
