"""Notes that people have left at times of runs: marks in plots over time, and a table of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from twin.report.drawing import INK
from twin.report.page import Table
from twin.runs import notes
from twin.runs.notes import Note
from twin.runs.repeats import Case
from twin.text import printable

_NUMBERED = 30
"""Marks of a plot that have their numbers; more would run into each other."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A note of a run, and the number it has in the report."""

    number: int
    run_id: str
    note: Note


type Marks = Sequence[Sequence[Mark]]
"""Marks of the runs of each case."""


def marks(cases: Sequence[Case]) -> Marks:
    """Notes of all runs, numbered by case, run and time."""
    numbers = iter(range(1, 1 + sum(notes.MOST for case in cases for _ in case.runs)))
    return [[*_of(case, numbers)] for case in cases]


def _of(case: Case, numbers: Iterator[int]) -> Iterator[Mark]:
    for run in case.runs:
        for note in notes.read(run.path):
            yield Mark(number=next(numbers), run_id=run.path.name, note=note)


def together(found: Marks) -> list[Mark]:
    """Marks of all cases."""
    return [mark for case in found for mark in case]


def table(found: Marks) -> Table:
    """All notes, in the order of their numbers."""
    return Table(
        name="notes",
        title="Notes",
        header=("no.", "run", "s", "note", "written, UTC"),
        rows=[
            [m.number, m.run_id, m.note.t_s, printable(m.note.text), printable(m.note.written_utc)]
            for m in together(found)
        ],
        note="Dashed lines with these numbers are in the plots over time.",
    )


def draw(axes: Any, found: Sequence[Mark], unit_s: float) -> None:
    """Draw a dashed line at the time of each note that is within a plot, with its number."""
    first, last = axes.get_xlim()
    there = [mark for mark in found if first <= mark.note.t_s / unit_s <= last]
    for mark in there:
        x = mark.note.t_s / unit_s
        axes.axvline(x, color=INK, lw=0.8, ls=(0, (3, 3)))
        if len(there) <= _NUMBERED:
            axes.annotate(
                str(mark.number),
                (x, 1),
                xycoords=axes.get_xaxis_transform(),
                xytext=(2, -1),
                textcoords="offset points",
                va="top",
                fontsize=7.5,
            )
    axes.set_xlim(first, last)
