"""The globe as a widget: Python sends one packed trace, the page runs its own clock."""

from pathlib import Path

import anywidget
import traitlets

_STATIC = Path(__file__).parent / "static"
if not (_STATIC / "globe.js").is_file():
    raise ImportError(f"{_STATIC}/globe.js is not built; `pip install -e .` builds it")


class Globe(anywidget.AnyWidget):
    """Satellites, links and tokens around an Earth with day and night.

    Attributes
    ----------
    trace : bytes
        What `twin.views.trace.pack` returns; empty until there is something to show.
    frame : int
        The frame on screen, written by the page, at most four times a second.
    """

    _esm = _STATIC / "globe.js"
    _css = _STATIC / "globe.css"

    trace = traitlets.Bytes(b"").tag(sync=True)
    frame = traitlets.Int(0).tag(sync=True)
