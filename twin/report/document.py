"""Put a report together: on one or several runs, or on a study."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from twin.errors import InputError
from twin.report import drawing, tables
from twin.report.page import Code, Document, Items, Part, Section, csv_text, html
from twin.report.plots import run_pictures
from twin.report.request_tables import by_instance, unserved
from twin.report.request_words import outcome
from twin.report.rerun import commands
from twin.report.study import study_document
from twin.report.study_data import is_study, read_study_data
from twin.report.words import CAUSES, agreement, scenario_in_words, scenario_table
from twin.runs.cells import text
from twin.runs.outputs import write as write_file
from twin.runs.outputs import write_all
from twin.runs.repeats import Case, make_cases
from twin.runs.store import Run, open_run
from twin.scenario import loader
from twin.study.reproduce import assumptions


def report(folders: Sequence[Path]) -> Document:
    """Report on runs, side by side where there are several, or on one study.

    Parameters
    ----------
    folders : sequence of Path
        Of complete runs, or of one complete study.

    Raises
    ------
    InputError
        If one is neither, was interrupted, is given twice, or a study is not alone.
    """
    again = [str(f) for i, f in enumerate(folders) if f.resolve() in _resolved(folders[:i])]
    if again:
        raise InputError(f"{again[0]}: given twice")
    studies = [folder for folder in folders if is_study(folder)]
    if not studies:
        return runs_document([open_run(folder) for folder in folders])
    if len(folders) > 1:
        raise InputError(f"{studies[0]}: is a study, and a report on a study takes nothing beside")
    return study_document(read_study_data(studies[0]))


def runs_document(found: Sequence[Run]) -> Document:
    """Report on runs; those that differ only in seed and replicate are repetitions of one case."""
    cases = make_cases(found)
    names = list(dict.fromkeys(case.scenario.name for case in cases))
    ids = [run.manifest["run_id"] for case in cases for run in case.runs]
    sections = [
        Section("In short", (Items(tuple(_in_short(cases))),)),
        Section("Question", tuple(_question(cases))),
        Section("Scenario", tuple(_scenario(cases))),
        Section("Assumptions", tuple(_assumptions(cases))),
        Section("Results", tuple(_results(cases))),
        Section("Plots", tuple(run_pictures(cases))),
        Section("Losses and events", tuple(_what_happened(cases))),
        Section("How to rerun", tuple(_rerun(cases))),
        Section("Versions", (tables.versions(cases), *_notes(cases))),
    ]
    return Document(
        title=" and ".join(names) if len(names) < 4 else f"{names[0]} and {len(names) - 1} others",
        subtitle=f"Report on {'run' if len(ids) == 1 else 'runs'} {', '.join(ids)}",
        sections=tuple(sections),
    )


def write(
    document: Document, file: Path, *, png_dir: Path | None = None, csv_dir: Path | None = None
) -> None:
    """Write the report, and its plots and tables one by one where that is asked for.

    Raises
    ------
    InputError
        If something cannot be written; all else is.
    """
    page = html(document, drawing.svg)
    made: list[tuple[str, Callable[[], object]]] = [(str(file), lambda: write_file(file, page))]
    if png_dir is not None:
        for picture in document.pictures():
            plot = png_dir / f"{picture.name}.png"
            made.append((str(plot), partial(drawing.png, picture, plot)))
    if csv_dir is not None:
        made.append((str(csv_dir), partial(csv_dir.mkdir, parents=True, exist_ok=True)))
        for table in document.tables():
            sheet = csv_dir / f"{table.name}.csv"
            made.append((str(sheet), partial(write_file, sheet, csv_text(table))))
    write_all(*made)


def _resolved(folders: Sequence[Path]) -> set[Path]:
    return {folder.resolve() for folder in folders}


def _in_short(cases: list[Case]) -> list[str]:
    """The main findings, one case after the other."""
    told = []
    for case in cases:
        before = f"{case.label}: " if len(cases) > 1 else ""
        asked, served = case.total("tokens_asked"), case.total("tokens_served")
        causes = {c: case.total(f"lost_{c}") for c in CAUSES}
        lost, worst = sum(causes.values()), max(causes, key=lambda c: causes[c])
        if asked:
            told.append(
                f"{before}{text(int(asked))} tokens were asked, {100 * served / asked:.4g} % "
                f"served and {100 * lost / asked:.4g} % lost{_because(worst, causes[worst], lost)}."
            )
        summary = case.summaries[0]
        if case.distribution is not None:
            way = case.values("propagation_mean_s").mean() / case.values("latency_mean_s").mean()
            told.append(
                f"{before}A token took {text(float(case.values('latency_mean_s').mean()))} s on "
                f"average, {100 * way:.3g} % of it on the way between satellites; half of all "
                f"tokens came within {text(case.latency_at(0.5))} s, 95 % within "
                f"{text(case.latency_at(0.95))} s."
            )
        if summary["ttft_p50_s"] is not None:
            told.append(
                f"{before}Users had service "
                f"{100 * case.values('ground_availability').mean():.4g} % of the time and waited "
                f"{text(float(case.values('ttft_p50_s').mean()))} s for the first token (median)."
            )
        told += [f"{before}{line}" for line in outcome(case)]
        told.append(f"{before}{_power(case)}")
    return told


def _because(cause: str, most: float, lost: float) -> str:
    return f", {100 * most / lost:.3g} % of these because {CAUSES[cause]}" if lost else ""


def _power(case: Case) -> str:
    charge, dark = case.values("soc_min").min(), case.values("brown_outs").sum()
    if not dark:
        return f"No satellite ran out of power; the emptiest battery fell to {100 * charge:.3g} %."
    return (
        f"Batteries fell to {100 * charge:.3g} %: {text(int(dark))} brown-outs, up to "
        f"{text(int(case.values('satellites_without_power').max()))} satellites without power "
        "at once."
    )


def _question(cases: list[Case]) -> list[Part]:
    described = dict.fromkeys(case.scenario.description for case in cases)
    told: list[Part] = [f"{text}." for text in (d.rstrip(".") for d in described) if text]
    if len(cases) == 1:
        told.append("What happens to the tokens, the links and the satellites in this scenario?")
    else:
        names = ", ".join(case.label for case in cases)
        told.append(f"How do these cases differ: {names}?")
    return [*told, *agreement(cases)]


def _scenario(cases: list[Case]) -> list[Part]:
    first = cases[0]
    t_s = first.steps[0]["t_s"]
    step_s = float(t_s[1] - t_s[0]) if len(t_s) > 1 else None
    notes = first.runs[0].manifest["notes"]
    parts: list[Part] = [*scenario_in_words(first.scenario, step_s, *notes[:1])]
    if len(cases) > 1:
        parts[0] = (
            f"In words for the first case, {cases[0].label}; see the table for all. {parts[0]}"
        )
    folded = [
        Code(loader.to_toml(case.scenario), f"Every field, as TOML: {case.label}") for case in cases
    ]
    return [*parts, scenario_table(cases), *folded]


def _assumptions(cases: list[Case]) -> list[Part]:
    lists = [assumptions(case.scenario) for case in cases]
    shared = tuple(line for line in lists[0] if all(line in others for others in lists))
    parts: list[Part] = [
        "Choices that the paper this twin follows (Space-XNet, arXiv 2605.00515) does not state; "
        "results may depend on them.",
        Items(shared),
    ]
    for case, lines in zip(cases, lists, strict=True):
        own = tuple(line for line in lines if line not in shared)
        if own:
            parts += [f"Only {case.label}:", Items(own)]
    return parts


def _results(cases: list[Case]) -> list[Part]:
    compared = tables.differences(cases)
    return [
        tables.key_figures(cases),
        *([compared] if compared is not None else []),
        tables.token_percentiles(cases),
    ]


def _what_happened(cases: list[Case]) -> list[Part]:
    lost, not_served, copies = tables.losses(cases), unserved(cases), by_instance(cases)
    return [
        lost if lost.rows else "No token was lost.",
        *([not_served] if not_served.rows else []),
        *([copies] if copies.rows else []),
        tables.events(cases),
        tables.links(cases),
    ]


def _rerun(cases: list[Case]) -> list[Part]:
    typed = "\n".join(line for case in cases for line in commands(case))
    folders = " ".join(str(run.path) for case in cases for run in case.runs)
    return [
        "The same scenario with the same versions gives the same tables, byte for byte. Where a "
        "run's folder is not at hand, its scenario stands in full above: save it as a .toml file "
        "and give twin run that.",
        Code(typed),
        "This report again:",
        Code(f"twin report {folders}"),
    ]


def _notes(cases: list[Case]) -> list[Part]:
    found = [(run.manifest["run_id"], run.manifest) for case in cases for run in case.runs]
    notes = [f"{name}: {note}" for name, manifest in found for note in manifest["notes"]]
    runs = [run for case in cases for run in case.runs]
    notes += [f"{run.manifest['run_id']}: {remark}" for run in runs for remark in run.remarks]
    notes += [
        f"{name}: {len(manifest['left_out'])} satellites of the file left out"
        for name, manifest in found
        if manifest["left_out"]
    ]
    return [Items(tuple(notes))] if notes else []
