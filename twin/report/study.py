"""A report on a study: its question, what was found, its results, its design."""

from collections.abc import Iterator

import numpy as np

from twin import vocabulary
from twin.errors import InputError
from twin.report import study_tables as tables
from twin.report.findings import Course, Ranking, course, rank
from twin.report.page import Code, Document, Items, Part, Section, Table, words
from twin.report.scenario import scenario_parts
from twin.report.study_curves import study_curves
from twin.report.study_plots import lead_picture, study_pictures
from twin.report.tables import versions
from twin.report.trade_offs import trade_offs
from twin.runs.figures import FIGURES, LATENCIES, shown
from twin.study.points import base_scenario
from twin.study.study_cells import Cells
from twin.study.study_data import StudyData
from twin.study.study_file import preset_names, read_study, to_toml


def study_document(data: StudyData) -> Document:
    """Report on a study."""
    cells = Cells.of_study(data)
    curves, in_numbers = study_curves(data, cells)
    varied = (*data.study.fields, "placement.strategy", "controller.policy")
    manifest, picture = data.kept.manifest, lead_picture(cells)
    found = {
        "written, UTC": manifest["written_utc"],
        "sessions": manifest["sessions"],
        **manifest["versions"],
    }
    remarks: list[Part] = [Items(tuple(data.kept.remarks))] if data.kept.remarks else []
    sections = [
        Section("Results", (*_results(cells), *in_numbers)),
        Section("Plots", (*study_pictures(cells), *trade_offs(cells), *curves)),
        Section("Failed points", tuple(_failed(cells))),
        Section("Design", tuple(_design(cells, data)), folded=True),
        *scenario_parts([data.base], [data.base.name], varied),
        Section("How to rerun", tuple(rerun(data)), folded=True),
        Section("Versions", (versions({data.kept.path.name: found}), *remarks), folded=True),
    ]
    return Document(
        title=f"Study {data.study.name}",
        subtitle=f"Report on {data.kept.path.resolve().name}",
        question=data.study.question or f"What does {data.study.name} find?",
        finding=finding(cells),
        lead=(*([picture] if picture else []), tables.overview(cells)),
        sections=tuple(section for section in sections if section.parts),
    )


def finding(cells: Cells) -> str:
    """What was found of the first figure, by case and along an axis, or of the first two."""
    rankings = [one for one in (_ranking(cells, m) for m in cells.metrics) if one]
    # Beside the first figure one that tells something else, if cases differ in it.
    further = [one for one in rankings[1:] if not one.alike]
    others = [one for one in further if one.name not in LATENCIES]
    rankings = [*rankings[:1], *(others or further or rankings[1:])[:1]]
    best = rankings[0].best.label if rankings else cells.labels[0]
    found = _course(cells, cells.labels.index(best))
    shared, places = int(cells.shared(cells.metrics[0]).sum()), cells.shape[0]
    which = "all" if shared == places else f"{shared} of"
    return words(
        "study",
        rankings=rankings[: 1 if found else 2],
        courses=[found] if found else [],
        plain={m: shown(m, cells.overall(m)[0]) for m in cells.metrics[:2]},
        places=f" on average over {which} {places} places" if places > 1 else "",
        failed=int(cells.failed.sum()),
        points=cells.failed.size,
    )


def _ranking(cells: Cells, metric: str) -> Ranking | None:
    of = "requests" if FIGURES[metric].of_requests else "tokens"
    served = cells.overall(f"{of}_served_share")
    ratios = np.stack([cells.overall_ratio(metric, i) for i in range(len(cells.labels))])
    return rank(
        metric,
        cells.labels,
        cells.overall(metric),
        ratios=ratios if metric in LATENCIES else None,
        served=served if np.isfinite(served).any() else None,
    )


def _course(cells: Cells, case: int) -> Course | None:
    """How the first figure goes for a case along the first axis that changes it."""
    label = cells.labels[case] if len(cells.labels) > 1 else ""
    for number, axis in enumerate(cells.axes):
        values = cells.along(cells.metrics[0], number)[case]
        places = [axis.at(i) for i in range(len(axis.values))]
        first = [value[0] for value in axis.values]
        order = [int(i) for i in np.argsort(first)] if axis.numeric else None
        found = course(cells.metrics[0], label, values, places, order)
        if found is not None:
            return found
    return None


def _results(cells: Cells) -> tuple[Table, ...]:
    along = [tables.along(cells, number) for number in range(len(cells.axes))]
    found = (*tables.against_first(cells), tables.ratios(cells), *along, tables.all_cells(cells))
    return tuple(table for table in found if table is not None)


def _design(cells: Cells, data: StudyData) -> Iterator[Part]:
    yield answered(cells)
    yield tables.design(cells, data)
    yield tables.figures_told(cells.metrics)


def answered(cells: Cells) -> str:
    """How many runs there are, and what they share."""
    return words("answered", cells=cells, alone=vocabulary.ALONE)


def _failed(cells: Cells) -> Iterator[Part]:
    failed = cells.failed
    if not failed.any():
        yield "No point failed."
        return
    never = [cells.labels[case] for case in np.flatnonzero(failed.all(axis=(0, 2)))]
    whole = int(failed.all(axis=2).sum())
    yield words("failed", failed=failed, whole=whole, cells=failed[..., 0].size, never=never)
    yield tables.failures(cells)


def rerun(data: StudyData) -> Iterator[Part]:
    """How to make the study and its report again."""
    folder = data.kept.path
    shipped = _is_preset(data)
    source = data.study.scenario
    yield words("rerun", shipped=shipped, source=source, is_file="/" in source or ".toml" in source)
    study = data.study.name if shipped else f"{folder}/study.toml"
    yield Code(f"twin sweep {study}\ntwin report {folder}")
    if not shipped:
        yield Code(to_toml(data.study), "The study, as TOML")


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
