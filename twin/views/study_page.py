"""The page of a study: its figures along its axes, drawn; a point leads to its runs."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import solara
import solara.lab
import traitlets

from twin.study.answers import ENDING
from twin.views import answered, keeping, palette, studies
from twin.views.asking import Asking
from twin.views.parts import box
from twin.views.points import open_point
from twin.views.rows import whole


class StudyPlots(Asking):
    """Plots of one study; the page asks for what it draws.

    Attributes
    ----------
    root : Path
    study : str
        Name of its folder.
    palette : dict
        Colours of the plots, by theme.
    """

    root = traitlets.Any(None, allow_none=True)
    part = traitlets.Unicode("study").tag(sync=True)
    study = traitlets.Unicode().tag(sync=True)
    palette = traitlets.Dict().tag(sync=True)

    def found(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer what the page asks of the study."""
        if self.study.endswith(ENDING):
            return self._answered(asked)
        data, cells = studies.read(self.root, self.study)
        match asked.get("what"):
            case "along":
                return studies.along(cells, asked)
            case "runs":
                return studies.runs(data, cells, asked)
            case "open":
                number = whole(asked, "point")
                return open_point(self.root, data, number, allowed=self.near).answer()
        return studies.described(data, cells)

    def _answered(self, asked: dict[str, Any]) -> dict[str, Any]:
        kept = studies.kept_answer(self.root, self.study)
        match asked.get("what"):
            case "run":
                return answered.run_of(self.root, self.study, kept, asked)
            case "open":
                opened = answered.open_run(self.root, self.study, kept, asked, allowed=self.near)
                return opened.answer()
        return studies.drawn(kept)


@solara.component
def StudyPage(root: Path, search: str) -> None:  # noqa: N802
    """A study, which the address names."""
    token = keeping.token_of(search)
    (name,) = parse_qs(search).get("name", [""])[:1]
    with box("tw-sheet tw-wide-sheet", tag="main"):
        with box("tw-guide-ways"), solara.Link(keeping.with_token("/overview", token)):
            solara.Button("Back to runs and studies", text=True, classes=["tw-plain-button"])
        StudyPlots.element(
            root=root,
            study=name,
            palette={theme: {"series": of["series"]} for theme, of in palette.STAGE.items()},
            near=keeping.may(solara.lab.headers.value, token),
        )
