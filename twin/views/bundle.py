"""The page's scripts as widgets have them: as a file of the server, else as a text of their own."""

from pathlib import Path
from typing import Any, ClassVar

import anywidget

STATIC = Path(__file__).parent / "static"
SCRIPTS = STATIC / "stage.js"
if not SCRIPTS.is_file():
    raise ImportError(f"{SCRIPTS} is not built; `pip install -e .` builds it")

_PASSED_ON = "export default (await import(location.origin + solara.rootPath + {!r})).default;"


class Bundled(anywidget.AnyWidget):
    """A widget of the page's scripts.

    Where a server of ours has them as a file, a browser loads that once, while Solara starts, and
    the widget names it; in a notebook and on a server of others the widget brings them along.
    """

    _esm = SCRIPTS
    _css = STATIC / "stage.css"
    _told: ClassVar[dict[str, str]] = {}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**(self._told | kwargs))


def served_at(path: str) -> None:
    """Let widgets name the scripts by their path, below the server's root."""
    Bundled._told["_esm"] = _PASSED_ON.format(path)
