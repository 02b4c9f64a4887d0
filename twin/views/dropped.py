"""Files of element sets that visitors drop on the form, kept until a run keeps its own copy."""

import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import Final

from twin.errors import InputError
from twin.scenario import attachments
from twin.text import printable

MAX_BYTES: Final = 20_000_000
"""Of a file: ten thousand satellites as XML take fifteen million."""

_MOST: Final = 32
"""Files that are kept; the oldest goes."""
_LONGEST_NAME: Final = 60
"""Characters; of four bytes each, file systems still take them."""
_LOCK: Final = threading.Lock()


def keep(name: str, content: bytes) -> str:
    """Keep a file as runs keep theirs; return a path that a scenario may have for it.

    Parameters
    ----------
    name : str
        As the visitor has it; whatever it is, it leads nowhere else.
    content : bytes

    Raises
    ------
    InputError
        If it is too large.
    """
    shown = printable(Path(name.replace("\\", "/")).name).replace("/", "")[-_LONGEST_NAME:]
    if len(content) > MAX_BYTES:
        raise InputError(too_large(shown))
    file = attachments.attachment(shown or "elements", content)
    with _LOCK:
        path = _folder() / attachments.FOLDER / file.kept_as
        if path.is_file():
            path.touch()
        else:
            attachments.keep([file], _folder())
            _forget_oldest()
    return str(path)


def too_large(name: str) -> str:
    """Why a file is refused."""
    return (
        f"constellation.tle: {name}: larger than {MAX_BYTES:,} bytes, the most that the page takes"
    )


def _forget_oldest() -> None:
    kept = sorted(_folder().glob("*/*/*"), key=lambda file: file.stat().st_mtime_ns)
    for file in kept[:-_MOST]:
        file.unlink(missing_ok=True)


@cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="orbital-twin-")


def _folder() -> Path:
    """Where they are; gone with the server."""
    return Path(_temporary().name)
