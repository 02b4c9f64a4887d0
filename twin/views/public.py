"""What may be shown to a visitor: no path of the server's, no control character."""

import re
import sys
import tempfile
from pathlib import Path
from typing import Final

from twin.errors import InputError

FAILED: Final = "Something went wrong; the server's log says what."

LONGEST: Final = 600
"""Characters of a note; a longer one is cut."""

# The folders of a path that begins with a root, a home or dots; never the stroke of "km/s".
_FOLDERS = re.compile(
    r"(?<![\w.%)\]])(?:(?:~\w*|\.{1,2})?/|[A-Za-z]:[/\\])(?=[^\s/\\])(?:[^\s'\"/\\:,;()]+[/\\])*"
)


def plain(text: str) -> str:
    """Text with every character that is not printable written out, such as ESC; lines stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else _written_out(c) for c in text)


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode()


def without_folders(text: str) -> str:
    """Text without the folders of the paths in it: of each, the last part stays."""
    for root in _roots():
        text = text.replace(root + "/", "").replace(root, Path(root).name)
    return _FOLDERS.sub("", text)


def public(text: str) -> str:
    """A note for a visitor: one line, not too long."""
    return plain(" ".join(without_folders(text).split()))[:LONGEST]


def _roots() -> list[str]:
    """Folders of this server, which may have spaces in their names; longest first."""
    here = Path(__file__).parents[2]
    roots = {str(p) for p in (Path.cwd(), here, Path.home(), sys.prefix, tempfile.gettempdir())}
    return sorted((root for root in roots if len(root) > 1), key=len, reverse=True)


def reason(folder: Path, error: Exception) -> str:
    """Why a run's folder could not be read, in a few words."""
    if isinstance(error, InputError):
        return public(str(error).replace(f"{folder}/", "").removeprefix(f"{folder}: "))
    return "it is damaged, or made by another version"
