"""The table of runs and studies as a widget, and the page that holds it."""

from functools import cache
from pathlib import Path
from typing import Any

import solara
import solara.lab
import traitlets

from twin.views import keeping, listing
from twin.views.asking import Asking
from twin.views.listing import Listing
from twin.views.parts import box


class RunsTable(Asking):
    """Runs and studies as rows; the page asks for them piece by piece.

    Attributes
    ----------
    listing : Listing
    root : Path
    figures : list of dict
        Names of the key figures.
    """

    listing = traitlets.Any(None, allow_none=True)
    root = traitlets.Any(None, allow_none=True)
    part = traitlets.Unicode("runs").tag(sync=True)
    figures = traitlets.List(traitlets.Dict()).tag(sync=True)

    def found(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return a page of rows, after what was asked to be deleted or gone on with."""
        for act, does in (("delete", keeping.delete), ("resume", keeping.go_on)):
            if act in asked:
                keeping.check(self.near)
                does(self.root, str(asked[act]))
        rows: dict[str, Any] = self.listing.rows(asked)
        return rows


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
