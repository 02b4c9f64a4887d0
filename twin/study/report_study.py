"""A report on a study: every cell with its interval, sensitivity, trade-offs, failures."""

import numpy as np

from twin.errors import InputError
from twin.metrics import Estimate, estimate
from twin.scenario import loader
from twin.study.report_data import StudyData
from twin.study.report_page import Cell, Code, Document, Items, Part, Section, Table, text
from twin.study.report_study_figures import Cells, study_pictures
from twin.study.reproduce import assumptions


def study_document(data: StudyData) -> Document:
    """Report on a study."""
    cells = Cells(data)
    pictures = tuple(study_pictures(cells))
    sections = [
        Section("In short", (Items(tuple(_in_short(cells))),)),
        Section("Question", (data.study.get("question") or "The study file asks none in words.",)),
        Section("Design", tuple(_design(data))),
        Section("Results", (_all_cells(cells),)),
        *([Section("Figures", pictures)] if pictures else []),
        Section("Failed points", (_failures(data),)),
        Section(
            "How to rerun", (Code(f"twin sweep {data.path}/study.toml\ntwin report {data.path}"),)
        ),
        Section("Versions", (_versions(data),)),
    ]
    name = str(data.study.get("name", data.path.name))
    return Document(
        title=f"Study {name}",
        subtitle=f"Report on {data.path.name}",
        sections=tuple(sections),
    )


def _in_short(cells: Cells) -> list[str]:
    failed = cells.status.count("failed")
    told = [
        f"{text(len(cells.status))} points, {text(failed)} of them failed; "
        f"{len(cells.cases)} pairs of strategy and policy."
    ]
    for metric in cells.data.metrics:
        found = [(estimate(v), k) for k, v in cells.by_cell(metric).items() if np.isfinite(v).all()]
        if found:
            (low, at), (high, there) = min(found), max(found)
            told.append(
                f"{metric}: from {text(low)} ({cells.name(at)}) to {text(high)} "
                f"({cells.name(there)})."
            )
    return told


def _design(data: StudyData) -> list[Part]:
    study, names = data.study, data.points.column_names
    rows: list[list[Cell]] = [
        [key, _joined(study[key])]
        for key in ("scenario", "strategies", "policies", "replicates", "metrics", "set")
        if key in study
    ]
    for axis in data.axes:
        for field in axis:
            values = dict.fromkeys(data.points[field].to_pylist()) if field in names else {}
            rows.append([f"axis {field}", _joined(list(values))])
    parts: list[Part] = [
        Table(name="design", title="What was varied", header=("what", "values"), rows=rows)
    ]
    kept = data.path / "scenario.toml"
    source = kept if kept.is_file() else str(study.get("scenario", ""))
    try:
        scenario = loader.load(source, [] if kept.is_file() else list(study.get("set") or []))
    except InputError:
        return [*parts, "The scenario is not at hand here; the study's folder names it."]
    lines = tuple(assumptions(scenario))
    told = "Choices that the paper (Space-XNet, arXiv 2605.00515) does not state, before the axes:"
    return [f"{scenario.description.rstrip('.')}.", *parts, told, Items(lines)]


def _all_cells(cells: Cells) -> Table:
    metrics = cells.data.metrics
    columns = {metric: cells.by_cell(metric) for metric in metrics}
    rows: list[list[Cell]] = []
    for key in dict.fromkeys(cells.keys):
        runs = max((len(columns[m].get(key, ())) for m in metrics), default=0)
        values = [_cell(estimate(columns[m][key])) if key in columns[m] else None for m in metrics]
        rows.append([*(v if isinstance(v, int | float) else str(v) for v in key), runs, *values])
    return Table(
        name="cells",
        title="All cells",
        header=("strategy", "policy", *cells.fields, "runs", *metrics),
        rows=rows,
        note="Mean ± 95 % confidence interval (Student's t) over the replicates of a cell that did "
        "not fail; a cell of one run has no interval.",
    )


def _failures(data: StudyData) -> Part:
    fields = [field for axis in data.axes for field in axis]
    rows: list[list[Cell]] = [
        [
            row["strategy"],
            row["policy"],
            *(v if isinstance(v := row[f], int | float) else str(v) for f in fields),
            row["replicate"],
            row.get("error") or "",
        ]
        for row in data.points.to_pylist()
        if row["status"] != "ok"
    ]
    if not rows:
        return "No point failed."
    header = ("strategy", "policy", *fields, "replicate", "error")
    return Table(name="failures", title="Points that failed", header=header, rows=rows)


def _versions(data: StudyData) -> Table:
    found = data.manifest.get("versions") or {}
    rows: list[list[Cell]] = [[str(k), str(v)] for k, v in found.items()]
    return Table(name="versions", title="Versions", header=("package", "version"), rows=rows)


def _cell(value: Estimate) -> Cell:
    return value if np.isfinite(value.ci95) else value.mean


def _joined(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
