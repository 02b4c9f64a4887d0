"""What stands around the globe: choices above, figures and charts beside it."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import reacton.ipyvuetify as rv
import solara
from numpy.typing import NDArray

from placement.strategies.table import STRATEGIES
from twin.errors import InputError
from twin.runs import Run
from twin.scenario import loader
from twin.views import charts
from twin.views.session import Session
from twin.views.trace import Trace


def box(class_: str, *children: solara.Element | str) -> solara.Element:
    """Return a div of a class."""
    return rv.Html(tag="div", class_=class_, children=list(children))


@solara.component
def Header(session: Session, preset: solara.Reactive[str], strategy: solara.Reactive[str]) -> None:  # noqa: N802
    """Name of the page, scenario and strategy to run, runs to open."""
    busy = session.work.value is not None

    def run() -> None:
        session.start(preset.value, strategy.value)

    with rv.Html(tag="header", class_="tw-header"):
        box("tw-name", "Orbital Twin")
        box("tw-tagline", "language models in low Earth orbit")
        box("tw-space")
        _choice("Scenario", [(p, p) for p in runnable_presets()], preset.value, preset.set)
        _choice("Strategy", [(s, s) for s in STRATEGIES], strategy.value, strategy.set)
        solara.Button(
            "Cancel" if busy else "Run",
            on_click=session.cancel if busy else run,
            classes=["tw-cancel" if busy else "tw-run"],
        )
        shown = session.view.value
        _choice(
            "Open a run",
            [(run.manifest["run_id"], run_label(run)) for run in session.runs.value],
            shown.run.manifest["run_id"] if shown else None,
            session.open,
            wide=True,
        )


def _choice(
    label: str,
    items: list[tuple[str, str]],
    value: str | None,
    on_value: Callable[[str], None],
    *,
    wide: bool = False,
) -> None:
    rv.Select(
        label=label,
        items=[{"value": v, "text": text} for v, text in items],
        v_model=value,
        on_v_model=on_value,
        dense=True,
        outlined=True,
        hide_details=True,
        menu_props={"offsetY": True},
        class_="tw-choice tw-wide" if wide else "tw-choice",
    )


def runnable_presets() -> list[str]:
    """Presets complete in themselves; the others need a file, which a page must not name."""
    names = []
    for name in loader.preset_names():
        try:
            loader.load(name)
        except InputError:
            continue
        names.append(name)
    return names


def run_label(run: Run) -> str:
    """A run in a list: what it ran, and when."""
    told = run.manifest
    when = datetime.fromisoformat(told["written_utc"]).strftime("%d %b %H:%M")
    parts = [told["scenario"], told["strategy"], f"seed {told['seed']}" if told["seed"] else ""]
    return " · ".join([part for part in parts if part] + [when])


@solara.component
def Progress(session: Session) -> None:  # noqa: N802
    """What is being computed, or what went wrong."""
    work, error = session.work.value, session.error.value
    if work is not None:
        with box("tw-note"):
            box("tw-note-text", work.label)
            rv.ProgressLinear(
                value=100 * work.share,
                indeterminate=work.share == 0,
                color="#6cd4ff",
                height=3,
            )
    elif error:
        box("tw-note tw-wrong", error)


@solara.component
def Figures(session: Session) -> None:  # noqa: N802
    """Headline figures and charts of the run on screen, following the page's clock."""
    view = session.view.value
    with box("tw-side"):
        if view is None:
            return
        trace = view.trace
        frame = min(session.frame.value, len(trace.latency_s) - 1)
        Headline(trace, frame)
        _chart(
            f"Latency by layer, step {frame * trace.meta.stride + 1}",
            f"Layers 1 to {trace.meta.n_layers}: gateway to experts and on to the next gateway.",
            charts.layer_latency(trace, frame),
            220,
        )
        _chart(
            "Token latency, step by step",
            "Time of one token through all layers.",
            charts.token_latency(trace, frame),
            158,
        )
        _chart(
            "Links and light",
            "Laser links that work, satellites that see the Sun.",
            charts.network(trace, frame),
            158,
        )


def _chart(title: str, caption: str, option: charts.Option, height_px: int) -> None:
    with box("tw-chart"):
        box("tw-chart-title", title)
        box("tw-chart-caption", caption)
        style = {"style": f"height: {height_px}px; width: 100%"}
        solara.FigureEcharts(option=option, attributes=style, responsive=True)


@solara.component
def Headline(trace: Trace, frame: int) -> None:  # noqa: N802
    """Four figures: of the whole run, and of the step on screen."""
    with box("tw-figures"):
        _figure("mean latency", trace.latency_s, frame, lambda v: (f"{v:.2f}", "s"))
        _figure("served", trace.served, frame, _percent)
        _figure("links up", trace.availability, frame, _percent)
        _figure("sunlit", trace.sunlit_share, frame, _percent)


def _percent(share: float) -> tuple[str, str]:
    return f"{100 * share:.1f}", "%"


def _figure(
    label: str, values: NDArray[np.float64], frame: int, show: Callable[[float], tuple[str, str]]
) -> None:
    def text(value: float) -> tuple[str, str]:
        return ("n/a", "") if np.isnan(value) else show(value)

    known = values[~np.isnan(values)]
    number, unit = text(float(known.mean()) if known.size else np.nan)
    now = " ".join(text(float(values[frame])))
    with box("tw-figure"):
        box("tw-label", label)
        box("tw-value", number, rv.Html(tag="span", class_="tw-unit", children=[unit]))
        box("tw-now", f"now {now}")
