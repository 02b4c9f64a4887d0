"""A report on runs, side by side where there are several."""

from collections.abc import Iterator, Sequence

import numpy as np

from twin.report import curves, marks, plots, tables
from twin.report.findings import rank
from twin.report.page import Code, Document, Items, Part, Section, Table, words
from twin.report.rerun import commands
from twin.report.scenario import agreement, scenario_parts
from twin.report.story import story
from twin.runs.figures import FIGURES
from twin.runs.repeats import Case, make_cases
from twin.runs.rules import Floats
from twin.runs.store import Run
from twin.vocabulary import ALONE, CAUSES, lost_column

_TOKENS = (
    "latency_mean_s", "latency_p99_s", "ttft_p50_s", "tokens_served_share", "throughput_per_s",
    "energy_per_token_j", "idle_energy_per_token_j", "network_energy_per_token_j",
    "compute_energy_per_token_j", "soc_min",
)  # fmt: skip
_REQUESTS = (
    "goodput_share", "requests_served_share", "request_ttft_p50_s", "request_tpot_mean_s",
    "request_e2e_mean_s", "request_e2e_p95_s", "goodput_per_s", "request_energy_per_token_j",
    "soc_min",
)  # fmt: skip
"""Figures of the first table."""

_RANKED = {
    False: ("latency_mean_s", "tokens_served_share"),
    True: ("goodput_share", "request_e2e_mean_s"),
}
"""Figures that cases are ranked by, of tokens and of requests."""

_PRECISE = 0.05
"""Half-width of a mean, as a share of it, that is aimed at."""

MOST_IN_LEAD = 4
"""Cases that the first table has room for."""


def runs_document(found: Sequence[Run]) -> Document:
    """Report on runs; those that differ only in seed and replicate are repetitions of one case."""
    cases = make_cases(found)
    names = list(dict.fromkeys(case.scenario.name for case in cases))
    told = dict.fromkeys(case.scenario.description.rstrip(".") for case in cases)
    ids = [run.manifest["run_id"] for case in cases for run in case.runs]
    requests = any(case.scenario.serving.mode == "requests" for case in cases)
    lead = tables.key_figures(cases[:MOST_IN_LEAD], _REQUESTS if requests else _TOKENS, "lead")
    scenarios, labels = [case.scenario for case in cases], [case.label for case in cases]
    notes = marks.marks(cases)
    first, *others = plots.run_pictures(cases, notes)
    sections = [
        Section("Results", tuple(_results(cases))),
        *([Section("Plots", tuple(others))] if others else []),
        *([Section("Notes", (marks.table(notes),))] if any(notes) else []),
        Section("Losses and events", tuple(_what_happened(cases))),
        *scenario_parts(scenarios, labels),
        Section("How to rerun", tuple(_rerun(cases)), folded=True),
        Section("Versions", (_versions(cases), *_notes(cases)), folded=True),
    ]
    return Document(
        title=" and ".join(names) if len(names) < 4 else f"{names[0]} and {len(names) - 1} others",
        subtitle=" ".join(f"{text}." for text in (*told, f"Report on {', '.join(ids)}") if text),
        question=_question(cases),
        finding=_told(cases[0]) if len(cases) == 1 else _ranked(cases, requests=requests),
        lead=(first, lead),
        sections=tuple(sections),
    )


def _question(cases: Sequence[Case]) -> str:
    if len(cases) > 1:
        return f"How do these cases differ: {', '.join(case.label for case in cases)}?"
    of = "requests" if cases[0].scenario.serving.mode == "requests" else "tokens"
    return f"How fast and how surely are {of} served?"


def _told(case: Case) -> str:
    """What became of one case."""
    lost = {cause: case.total(lost_column(cause)) for cause in CAUSES}
    worst = max(lost, key=lambda cause: lost[cause])
    steps = sorted({run.scenario.simulation.steps for run in case.runs})
    return words(
        "run",
        case=case,
        worst=worst.meaning.sentence if lost[worst] else "",
        steps=" to ".join(f"{number:,}" for number in steps[:: max(len(steps) - 1, 1)]),
        precise=_PRECISE,
    )


def _ranked(cases: Sequence[Case], *, requests: bool) -> str:
    """How cases differ in what counts most."""
    labels = [case.label for case in cases]
    rankings = [rank(name, labels, _aligned(cases, name)) for name in _RANKED[requests]]
    return words("cases", rankings=[ranking for ranking in rankings if ranking is not None])


def _aligned(cases: Sequence[Case], name: str) -> Floats:
    """A figure of each case and repetition as it is shown, in pairs where all have the same."""
    keys = [case.keys for case in cases]
    if any(set(mine) != set(keys[0]) for mine in keys):
        keys = [tuple((i, *key) for key in mine) for i, mine in enumerate(keys)]  # type: ignore[misc]
    places = {key: i for i, key in enumerate(sorted({key for mine in keys for key in mine}))}
    found = np.full((len(cases), len(places)), np.nan)
    for i, case in enumerate(cases):
        found[i, [places[key] for key in keys[i]]] = case.values(name)
    return FIGURES[name].scale * found


def _results(cases: Sequence[Case]) -> Iterator[Part]:
    if len(cases) > 1:
        yield Items(tuple(f"{case.label}: {_told(case)}" for case in cases))
        yield agreement(cases)
    if any(case.scenario.serving.mode == "tokens" for case in cases):
        yield ALONE
    yield tables.key_figures(cases)
    if len(cases) > 1:
        yield tables.differences(cases)
    yield curves.percentiles(cases)
    layers = curves.layer_times(cases)
    if layers.rows:
        yield layers
    yield plots.over_steps(cases)


def _what_happened(cases: Sequence[Case]) -> Iterator[Part]:
    lost = tables.losses(cases)
    yield lost if lost.rows else "No token was lost."
    yield from (t for t in (tables.unserved(cases), tables.instances(cases)) if t.rows)
    if len(cases) == 1:
        told = story(cases[0].runs[0])
        yield from [told] if told.rows else []
    yield tables.events(cases)
    yield tables.links(cases)


def _rerun(cases: Sequence[Case]) -> Iterator[Part]:
    runs = [run for case in cases for run in case.runs]
    yield (
        "The same scenario with the same versions gives the same tables, byte for byte. Where a "
        "run's folder is not at hand, its scenario stands in full above: save it as a .toml file "
        "and give twin run that."
    )
    yield Code("\n".join(line for case in cases for line in commands(case)))
    yield "This report again, and the run on the page:"
    page = f"twin app --run {runs[0].path.name} --runs-dir {runs[0].path.parent}"
    yield Code(f"twin report {' '.join(str(run.path) for run in runs)}\n{page}")


def _versions(cases: Sequence[Case]) -> Table:
    return tables.versions(
        {
            run.manifest["run_id"]: {
                "written, UTC": run.manifest["written_utc"],
                "scenario, SHA-256": run.manifest["scenario_hash"][:16],
                **run.manifest["versions"],
            }
            for case in cases
            for run in case.runs
        }
    )


def _notes(cases: Sequence[Case]) -> Iterator[Part]:
    notes = []
    for run in (run for case in cases for run in case.runs):
        told = [*run.manifest["notes"], *run.remarks]
        if run.manifest["left_out"]:
            told.append(f"{len(run.manifest['left_out'])} satellites of the file left out")
        notes += [f"{run.manifest['run_id']}: {note}" for note in told]
    if notes:
        yield Items(tuple(notes))
