"""Where compiled functions are kept when neither the installed package nor the home takes them.

`os.path` and not pathlib, which would take half of the time that the import of the package takes.
"""

# ruff: noqa: PTH100, PTH103, PTH111, PTH112, PTH118, PTH120
import os
import sys

VARIABLE = "NUMBA_CACHE_DIR"
"""Numba's own; processes that this one starts inherit it."""


def find_cache() -> None:
    """Give numba a private folder below the temporary one if it would find no other place.

    Numba keeps compiled functions beside their source, else in the user's cache, and refuses to
    compile where neither can be written: an installation that is read-only, without a home.
    """
    given = os.environ.get(VARIABLE)
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if (given and _takes(given)) or _beside_source() or _takes(os.path.join(home, "numba")):
        return
    folder = _private()
    if folder is not None:
        os.environ[VARIABLE] = folder
        if "numba" in sys.modules:  # which has read the variable already
            sys.modules["numba"].config.CACHE_DIR = os.environ[VARIABLE]


def _beside_source() -> bool:
    folder = os.path.dirname(os.path.abspath(__file__))
    cache = os.path.join(folder, "__pycache__")
    return os.access(cache if os.path.isdir(cache) else folder, os.W_OK)


def _takes(folder: str) -> bool:
    """Whether files can be written in a folder, which is made if it is not there."""
    import tempfile

    try:
        os.makedirs(folder, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _private() -> str | None:
    """A folder that nobody else can write, since what is kept there is run; None if there is none.

    The same one every time, where nobody else has taken its name.
    """
    import stat
    import tempfile

    try:
        folder = os.path.join(tempfile.gettempdir(), f"orbital-twin-{os.geteuid()}")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        found = os.lstat(folder)
        own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
        return folder if own and not found.st_mode & 0o077 else tempfile.mkdtemp()
    except OSError:
        return None
