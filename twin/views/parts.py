"""Small parts of which the page is put together."""

import logging

import reacton
import reacton.ipyvuetify as rv
import solara

from twin.views.public import FAILED

log = logging.getLogger(__name__)


def box(class_: str, *children: solara.Element | str, tag: str = "div") -> solara.Element:
    """Return a div of a class, or another element."""
    return rv.Html(tag=tag, class_=class_, children=list(children))


@solara.component
def Steady(children: list[solara.Element]) -> solara.Element:  # noqa: N802
    """A part of the page; where it fails, a note takes its place, and the rest stays."""
    error, clear = reacton.use_exception()

    def tell() -> None:
        if error is not None:
            log.error("a part of the page failed", exc_info=error)

    solara.use_effect(tell, [error])
    if error is None:
        return rv.Html(tag="div", class_="tw-part", children=children)
    again = solara.Button("Try again", on_click=clear, classes=["tw-plain-button"])
    return box("tw-note tw-wrong", box("tw-note-text", FAILED), again)
