"""A part of the page on which a file is dropped, or chosen."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import solara
import traitlets
from solara.components.file_drop import FileDropZone


class FileDrop(FileDropZone):
    """Solara's, on which a file can also be chosen, with a keyboard too."""

    template_file = (__file__, "file_box.vue")
    multiple = traitlets.Bool(False).tag(sync=True)


@solara.component
def FileBox(label: str, on_file: Callable[[Mapping[str, Any]], None]) -> Any:  # noqa: N802
    """In a thread, `on_file` gets ``name``, ``size`` in bytes and ``file_obj`` to read."""
    told, tell = solara.use_state([])
    file, have = solara.use_state(None)
    box = FileDrop.element(label=label, on_file_info=tell)

    def look() -> None:
        if told:
            widget = solara.get_widget(box)
            widget.version += 1
            widget.reset_stats()
            have(widget.get_files()[0])

    def read(_: threading.Event) -> None:
        if file is not None:
            on_file(file)

    solara.use_effect(look, [told])
    # Not cancelled in the middle: what is done with a file may draw this part of the page again.
    result = solara.use_thread(read, [file], intrusive_cancel=False)
    if result.error:
        raise result.error
    return box
