"""The page. Start it with ``solara run twin/app.py``."""

from pathlib import Path

import solara
from solara.server import settings

from twin.study.run import run_scenario
from twin.views import panels
from twin.views.globe import Globe
from twin.views.session import Session

RUNS_DIR = Path("runs")
STYLE = Path(panels.__file__).with_name("page.css")

# Before the server answers its first request: a dark page of ours, and no calls to other hosts.
settings.main.mode = "production"
settings.telemetry.mixpanel_enable = False
settings.theme.variant = settings.ThemeVariant.dark
settings.theme.title = "Orbital Twin"
settings.theme.show_banner = False


@solara.component
def Layout(children: list[solara.Element]) -> solara.Element:  # noqa: N802
    """The page alone, without Solara's own bars."""
    return solara.Div(children=children)


@solara.component
def Page() -> None:  # noqa: N802
    """Globe, choices and figures of one browser session."""
    session = solara.use_memo(lambda: Session(RUNS_DIR, run_scenario), [])
    preset = solara.use_reactive("paper")
    strategy = solara.use_reactive("space-xnet")

    def begin() -> None:
        """Show the newest run; on a machine without one, make the first."""
        if session.runs.value:
            session.open(session.runs.value[0].manifest["run_id"])
        else:
            session.start(preset.value, strategy.value)

    solara.use_effect(begin, [])
    solara.use_effect(lambda: session.close, [])
    solara.Title("Orbital Twin")
    solara.Style(STYLE)
    with panels.box("tw-page"):
        panels.Header(session, preset, strategy)
        with panels.box("tw-stage"):
            view = session.view.value
            Globe.element(trace=view.packed if view else b"", on_frame=session.frame.set)
            panels.Progress(session)
        panels.Figures(session)
