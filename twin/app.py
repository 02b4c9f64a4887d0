"""The page. Start it with ``solara run twin/app.py`` or ``twin app``."""

import gc
import math
import threading
from pathlib import Path
from urllib.parse import parse_qs

import solara
import solara.lab
from solara.server.kernel_context import contexts

from agents.model import TwinModel
from agents.run import run_scenario
from twin.export.czml import czml
from twin.export.graphml import graphml
from twin.plugins import load_plugins
from twin.runs.store import Run
from twin.scenario import loader
from twin.study.reproduce import reproduce
from twin.views import form, keeping, opening, panels, quiet, server, shelf
from twin.views.downloads import Exports
from twin.views.guide import Guide
from twin.views.parts import Steady, box
from twin.views.published import Published, PublishedTable
from twin.views.runs_table import Runs
from twin.views.session import Session
from twin.views.stage import Stage
from twin.views.study_page import StudyPage

RUNS_DIR = server.runs_folder()
STYLE = Path(panels.__file__).with_name("page.css")
LATEST_S = 1e300
"""A time after every end, which JSON can write."""
FIRST = "paper"
"""What a page shows where there is no run yet."""

PATIENCE_S = 3.0
"""For how long the rest of a run leaves the processor to its first picture."""


def wanted(search: str) -> list[str]:
    """Names of the runs that an address asks for."""
    return [name for text in parse_qs(search).get("run", []) for name in text.split(",")]


opening.patience_s = PATIENCE_S
quiet.prepare(ahead=lambda search: opening.ahead(RUNS_DIR, wanted(search)))
load_plugins(server.named_plugins())
PUBLISHED = Published(reproduce)


def _warm_up() -> None:
    """Load what is compiled, and manifests, before a visitor waits for it."""
    model = TwinModel(loader.load("small", ["simulation.steps=1"]))
    model.run()
    shelf.look(RUNS_DIR)
    gc.collect()
    if not contexts:
        # What is loaded stays: garbage, looked for while pages wait, is not looked for there.
        gc.freeze()


threading.Thread(target=_warm_up, daemon=True).start()


def _graphml(run: Run, step: int) -> str:
    return graphml(run, min(step, run.scenario.simulation.steps - 1))


EXPORTS: Exports = {"czml": lambda run, _: czml(run), "graphml": _graphml}


@solara.component
def Layout(children: list[solara.Element]) -> solara.Element:  # noqa: N802
    """The page alone, without Solara's own bars."""
    return Steady(children=children)


@solara.component
def Page() -> None:  # noqa: N802
    """Stage, choices and figures of one browser session."""
    search = solara.use_router().search or ""
    asked, token = parse_qs(search), keeping.token_of(search)
    allowed = keeping.may(solara.lab.headers.value, token)
    session = solara.use_memo(lambda: Session(RUNS_DIR, run_scenario, allowed=allowed), [])
    step = solara.use_reactive(0)

    def begin() -> None:
        """Show the runs of the address, else the newest, or what is computed; else make one."""
        if wanted(search) or session.runs.value:
            session.open(wanted(search))
        elif not session.rejoin():
            session.start([loader.load(FIRST, form.overrides(FIRST, form.initial(FIRST)))])

    solara.use_effect(begin, [])
    solara.use_effect(lambda: session.close, [])
    solara.Title("Orbital Twin")
    solara.Style(STYLE)
    with box("tw-page"):
        with Steady():
            panels.Header(session, step, EXPORTS, token)
        with box("tw-main", tag="main"):
            with Steady():
                Stage.element(
                    streams=tuple(shown.stream for shown in session.shown.value),
                    comparison=session.comparison.value,
                    start_s=seconds(asked.get("t", ["0"])[0]),
                    on_open=session.open,
                    on_away=session.take_away,
                    on_ask=session.answer,
                    on_branch=session.branch,
                    on_step=step.set,
                    on_dark=lambda dark: setattr(solara.lab.theme, "dark", dark),
                )
            panels.Progress(session)


@solara.component
def Table() -> None:  # noqa: N802
    """The paper's table."""
    solara.Title("Orbital Twin: the paper's table")
    solara.Style(STYLE)
    with Steady():
        PublishedTable(PUBLISHED, keeping.token_of(solara.use_router().search))


@solara.component
def Chapter() -> None:  # noqa: N802
    """A chapter of the guide."""
    search = solara.use_router().search or ""
    solara.Title("Orbital Twin: the guide")
    solara.Style(STYLE)
    with Steady():
        Guide(search)


@solara.component
def RunsPage() -> None:  # noqa: N802
    """Runs and studies as a table."""
    search = solara.use_router().search or ""
    solara.Title("Orbital Twin: runs and studies")
    solara.Style(STYLE)
    with Steady():
        Runs(RUNS_DIR, search)


@solara.component
def StudyRoute() -> None:  # noqa: N802
    """A study along its axes."""
    search = solara.use_router().search or ""
    solara.Title("Orbital Twin: a study")
    solara.Style(STYLE)
    with Steady():
        StudyPage(RUNS_DIR, search)


routes = [
    solara.Route("/", component=Page, layout=Layout),
    solara.Route("table", component=Table),
    solara.Route("guide", component=Chapter),
    solara.Route("overview", component=RunsPage),
    solara.Route("study", component=StudyRoute),
]


def seconds(text: str) -> float:
    """Seconds of an address; without an end it is the end, what is no number the start."""
    try:
        found = float(text)
    except ValueError:
        return 0.0
    return min(max(0.0, found), LATEST_S) if not math.isnan(found) else 0.0
