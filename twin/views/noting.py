"""Notes of a run as the page shows and writes them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from twin.errors import InputError
from twin.runs import notes
from twin.runs.store import Run
from twin.views.public import plain


def rows(run: Run, asked: Mapping[str, Any], span: tuple[float, float]) -> dict[str, Any]:  # noqa: ARG001
    """Notes by time, s from the run's first step; of a branch those from there on."""
    found = [asdict(note) | {"text": plain(note.text)} for note in notes.read(run.path)]
    timed = [note | {"t_s": note["t_s"] - span[0]} for note in found]
    return {"notes": [note for note in timed if 0.0 <= note["t_s"] <= span[1] - span[0]]}


def write(run: Run, asked: Mapping[str, Any], span: tuple[float, float]) -> dict[str, Any]:
    """Add a note, ``text`` at ``t_s``, or ``remove`` one by its id; gives them all as `rows` does.

    Raises
    ------
    InputError
        If it is none, or outside the run.
    """
    text, t_s, gone = asked.get("text"), asked.get("t_s"), asked.get("remove")
    if isinstance(gone, str):
        notes.remove(run.path, gone)
    elif isinstance(text, str) and isinstance(t_s, int | float) and not isinstance(t_s, bool):
        if not 0.0 <= t_s <= span[1] - span[0]:
            raise InputError(f"t_s: {t_s}: not within the run")
        notes.add(run.path, span[0] + t_s, text)
    else:
        raise InputError("note: must have text and t_s, or remove")
    return rows(run, asked, span)
