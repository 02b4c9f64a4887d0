"""A report on one or several runs, or on a study: put together, and written."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from twin.errors import InputError
from twin.report import drawing
from twin.report.page import Document, csv_text, html
from twin.report.runs import runs_document
from twin.report.study import study_document
from twin.runs.outputs import write as write_file
from twin.runs.outputs import write_all
from twin.runs.store import open_run
from twin.study.study_data import is_study, read_study_data


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
    seen: set[Path] = set()
    for folder in folders:
        if folder.resolve() in seen:
            raise InputError(f"{folder}: given twice")
        seen.add(folder.resolve())
    studies = [folder for folder in folders if is_study(folder)]
    if not studies:
        return runs_document([open_run(folder) for folder in folders])
    if len(folders) > 1:
        raise InputError(f"{studies[0]}: is a study, and a report on a study takes nothing beside")
    return study_document(read_study_data(studies[0]))


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
