"""The table of runs and studies as a widget, and the page that holds it."""

import logging
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import solara
import solara.lab
import traitlets

from twin.errors import InputError
from twin.views import keeping, listing
from twin.views.listing import Listing
from twin.views.parts import box
from twin.views.public import FAILED, public
from twin.views.stage import Stage

log = logging.getLogger(__name__)


class RunsTable(anywidget.AnyWidget):
    """Runs and studies as rows; the page asks for them piece by piece.

    Attributes
    ----------
    listing : Listing
    root : Path
    part : str
        Which of the scripts' parts it is.
    figures : list of dict
        Names of the key figures.
    near : bool
        Whether this visitor may delete and go on with runs: see `twin.views.keeping.may`.
    """

    _esm = Stage._esm
    _css = Stage._css

    listing = traitlets.Any(None, allow_none=True)
    root = traitlets.Any(None, allow_none=True)
    part = traitlets.Unicode("runs").tag(sync=True)
    figures = traitlets.List(traitlets.Dict()).tag(sync=True)
    near = traitlets.Bool(False).tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_msg(self._asked)

    def _asked(self, _: Any, content: Any, buffers: Any) -> None:  # noqa: ARG002
        if isinstance(content, dict) and isinstance(content.get("ask"), int):
            self.send({"answer": content["ask"], **self._answer(content)})

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            for act, does in (("delete", keeping.delete), ("resume", keeping.go_on)):
                if act in asked:
                    keeping.check(self.near)
                    does(self.root, str(asked[act]))
            found: dict[str, Any] = self.listing.rows(asked)
        except InputError as wrong:
            return {"wrong": public(str(wrong))}
        except Exception:
            log.exception("the table of runs failed")
            return {"wrong": FAILED}
        return found


@cache
def _listing(root: Path) -> Listing:
    """One for all visitors: figures are worked out once."""
    return Listing(root)


@solara.component
def Runs(root: Path, search: str) -> None:  # noqa: N802
    """The page of runs and studies."""
    token = keeping.token_of(search)
    with box("tw-sheet tw-wide-sheet", tag="main"):
        with box("tw-guide-ways"), solara.Link(keeping.with_token("/", token)):
            solara.Button("Back to the twin", text=True, classes=["tw-plain-button"])
        solara.HTML(tag="h1", unsafe_innerHTML="Runs and studies")
        RunsTable.element(
            listing=_listing(root),
            root=root,
            figures=listing.headers(),
            near=keeping.may(solara.lab.headers.value, token),
        )
