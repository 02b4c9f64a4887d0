"""A report on a study: its question, its method, its results."""

import numpy as np

from twin import vocabulary
from twin.errors import InputError
from twin.report import study_tables as tables
from twin.report.page import Code, Document, Items, Part, Section, Table
from twin.report.study_cells import Cells
from twin.report.study_curves import curve_pictures
from twin.report.study_data import StudyData
from twin.report.study_plots import study_pictures
from twin.report.study_words import findings
from twin.report.words import scenario_in_words, scenario_rows
from twin.scenario import loader
from twin.study.points import base_scenario
from twin.study.reproduce import assumptions
from twin.study.study_file import preset_names, read_study, to_toml


def study_document(data: StudyData) -> Document:
    """Report on a study."""
    cells = Cells(data)
    pictures = (*study_pictures(cells), *curve_pictures(cells))
    sections = [
        Section("In short", (Items(tuple(findings(cells))),)),
        Section("Question", tuple(_question(cells))),
        Section("Design", tuple(_design(cells))),
        Section("Results", tuple(_results(cells))),
        *([Section("Plots", pictures)] if pictures else []),
        Section("Failed points", tuple(_failed(cells))),
        Section("How to rerun", tuple(rerun(data))),
        Section("Versions", (tables.versions(cells), *_remarks(data))),
    ]
    return Document(
        title=f"Study {data.study.name}",
        subtitle=f"Report on {data.kept.path.resolve().name}",
        sections=tuple(sections),
    )


def _remarks(data: StudyData) -> list[Part]:
    return [Items(tuple(data.kept.remarks))] if data.kept.remarks else []


def _question(cells: Cells) -> list[Part]:
    places, _, replicates = cells.shape
    chosen = [
        _count(len(cells.strategies), "strategy", "strategies"),
        _count(len(cells.policies), "policy", "policies"),
    ]
    where = f" at {_count(places, 'place', 'places')} on the axes" if cells.axes else ""
    answered = (
        f"Answered by {_count(cells.failed.size, 'run', 'runs')}: {' with '.join(chosen)}{where}, "
        f"each in {_count(replicates, 'replicate', 'replicates')}."
    )
    if cells.failed.size > replicates:
        answered += (
            " In a replicate, all of them draw orbits, outages and requests from the same random "
            "numbers, so that differences are taken replicate by replicate."
        )
    asked = cells.data.study.question or "The study's file asks none in words."
    return [asked, f"{answered} {vocabulary.ALONE}"]


def _design(cells: Cells) -> list[Part]:
    base, study = cells.data.base, cells.data.study
    strategies, policies = (list(dict.fromkeys(names)) for names in zip(*cells.pairs, strict=True))
    words = scenario_in_words(
        base, base.simulation.step_s, strategies=strategies, policies=policies
    )
    described = f"{base.description.rstrip('.')}. " if base.description else ""
    before = "Before the axes change it: " if cells.axes else ""
    varied = (*study.fields, "placement.strategy", "controller.policy")
    numbers = Table(
        name="scenario",
        title="What all points share",
        header=("field", base.name),
        rows=scenario_rows([base], varied),
    )
    return [
        tables.design(cells),
        tables.figures_told(cells),
        f"The scenario is '{base.name}'. {described}{before}{words[0]}",
        *words[1:],
        numbers,
        Code(loader.to_toml(base), "Every field of the scenario, as TOML"),
        "Choices that the paper this twin follows (Space-XNet, arXiv 2605.00515) does not state; "
        "results may depend on them.",
        Items(tuple(assumptions(base))),
    ]


def _results(cells: Cells) -> list[Part]:
    found = (
        tables.averaged(cells),
        tables.ratios(cells),
        tables.paired(cells),
        tables.all_cells(cells),
    )
    return [table for table in found if table is not None]


def _failed(cells: Cells) -> list[Part]:
    failed = cells.failed
    if not failed.any():
        return ["No point failed."]
    whole = int(failed.all(axis=2).sum())
    cases = np.flatnonzero(failed.all(axis=(0, 2)))
    told = (
        f"{failed.sum()} of {failed.size} points failed; {whole} of {failed[..., 0].size} cells "
        "have no run at all. Means are over the runs that ended, pairs take both."
    )
    never = "".join(f" {cells.labels[case]} never ended." for case in cases)
    return [told + never, tables.failures(cells)]


def rerun(data: StudyData) -> list[Part]:
    """How to make the study and its report again."""
    folder = data.kept.path
    if _is_preset(data):
        return [
            "The study ships with the twin.",
            Code(f"twin sweep {data.study.name}\ntwin report {folder}"),
        ]
    file = f"{folder}/study.toml"
    told = (
        "The same study with the same versions gives the same data set. Where its folder is not at "
        "hand, the study stands in full below: save it as a .toml file and give twin sweep that."
    )
    if data.study.scenario.endswith(".toml") or "/" in data.study.scenario:
        told += (
            f" It takes its scenario from {data.study.scenario}; if that is not at hand either, "
            "save the scenario under Design and name it there."
        )
    return [
        told,
        Code(f"twin sweep {file}\ntwin report {folder}"),
        Code(to_toml(data.study), "The study, as TOML"),
    ]


def _is_preset(data: StudyData) -> bool:
    """Whether the study that ships under its name is the same, its scenario too."""
    name = data.study.name
    if name not in preset_names():
        return False
    shipped = read_study(name)
    try:
        return shipped == data.study and base_scenario(shipped, name) == data.base
    except InputError:
        return False


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
