"""Notes that people leave at times of a run: a file beside its tables, in no manifest's sums."""

import json
import secrets
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from twin.errors import InputError, reason
from twin.runs.files import write_text

NAME: Final = "notes.json"
MOST: Final = 200
LONGEST: Final = 500
"""Notes of a run, and characters of a note."""

_LOCK = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Note:
    """A note.

    Attributes
    ----------
    id : str
    t_s : float
        Since the scenario's start.
    text : str
    written_utc : str
    """

    id: str
    t_s: float
    text: str
    written_utc: str


def read(folder: Path) -> list[Note]:
    """Notes of a run, by time; a file that cannot be read has none.

    What is in it is somebody's text: whatever is no note is left out.
    """
    try:
        entries = json.loads((folder / NAME).read_text(encoding="utf-8"))["notes"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return []
    found = [_note(entry) for entry in entries] if isinstance(entries, list) else []
    return sorted((note for note in found if note is not None), key=lambda note: note.t_s)


def _note(entry: object) -> Note | None:
    try:
        note = Note(**entry)  # type: ignore[arg-type]
        fits = all(isinstance(text, str) for text in (note.id, note.text, note.written_utc))
        return note if fits and 0.0 <= note.t_s < 1e300 and not isinstance(note.t_s, bool) else None
    except TypeError:
        return None


def add(folder: Path, t_s: float, text: str) -> None:
    """Leave a note at a time of a run, s since the scenario's start.

    Raises
    ------
    InputError
        If there is no text, too much of it, or too many notes, or it cannot be kept.
    """
    plain = "".join(c for c in " ".join(text.split()) if c.isprintable())
    if not 0 < len(plain) <= LONGEST:
        raise InputError(f"note: must have 1 to {LONGEST} characters (got {len(plain)})")
    with _LOCK:
        notes = read(folder)
        if len(notes) >= MOST:
            raise InputError(f"note: a run has at most {MOST}")
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        note = Note(id=secrets.token_hex(4), t_s=t_s, text=plain, written_utc=now)
        _write(folder, [*notes, note])


def remove(folder: Path, note_id: str) -> None:
    """Take a note away; one that is not there is no error: somebody else was quicker."""
    with _LOCK:
        _write(folder, [note for note in read(folder) if note.id != note_id])


def _write(folder: Path, notes: list[Note]) -> None:
    ordered = sorted(notes, key=lambda note: note.t_s)
    text = json.dumps({"notes": [asdict(note) for note in ordered]}, indent=2) + "\n"
    try:
        write_text(folder / NAME, text)
    except OSError as error:
        raise InputError(reason(error, folder / NAME)) from None
