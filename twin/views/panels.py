"""What stands above the stage: runs to start, to open, to compare, to take away."""

import io
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import reacton.ipyvuetify as rv
import solara

from twin.runs.checkpoints import FOLDER as CHECKPOINTS
from twin.runs.store import Run
from twin.scenario.schema import Scenario
from twin.views import limits
from twin.views.form import NewRun, select
from twin.views.session import Session, Shown, label

type Exports = Mapping[str, Callable[[Run, int], str]]
"""Text of a run at a step, by the ending of the file it goes to."""


def box(class_: str, *children: solara.Element | str) -> solara.Element:
    """Return a div of a class."""
    return rv.Html(tag="div", class_=class_, children=list(children))


@solara.component
def Header(session: Session, step: solara.Reactive[int], exports: Exports) -> None:  # noqa: N802
    """Name of the page, and what can be done with runs."""
    panel = solara.use_reactive("")
    busy = session.work.value is not None
    shown = session.shown.value

    def toggle(name: str) -> Callable[[], None]:
        return lambda: panel.set("" if panel.value == name else name)

    def start(made: list[Scenario]) -> None:
        panel.value = ""
        session.start(made)

    with rv.Html(tag="header", class_="tw-header"):
        box("tw-name", "Orbital Twin")
        box("tw-tagline", "language models in low Earth orbit")
        box("tw-space")
        _button("New run", toggle("new"), panel.value == "new")
        _Runs(session)
        _button("Download", toggle("take"), panel.value == "take", disabled=not shown)
        with solara.Link("/table"):
            solara.Button("Paper's table", text=True, classes=["tw-plain-button"])
        if busy:
            solara.Button("Cancel", on_click=session.cancel, classes=["tw-cancel"])
        if panel.value == "new":
            NewRun(start, lambda: panel.set(""))
        if panel.value == "take" and shown:
            _Downloads(shown, step.value, exports, lambda: panel.set(""))


def _button(text: str, act: Callable[[], None], held: bool, *, disabled: bool = False) -> None:
    classes = ["tw-plain-button", *(["tw-held"] if held else [])]
    solara.Button(text, on_click=act, text=True, disabled=disabled, classes=classes)


@solara.component
def _Runs(session: Session) -> None:  # noqa: N802
    shown = [s.run_id for s in session.shown.value]
    items = [(run.manifest["run_id"], label(run)) for run in session.runs.value]
    listed = {run_id for run_id, _ in items}
    items += [
        (s.run_id, f"{s.label} · running") for s in session.shown.value if s.run_id not in listed
    ]

    def open_one(run_id: str) -> None:
        session.open([run_id])

    def beside(run_id: str) -> None:
        session.open([*[s.run_id for s in session.shown.value], run_id])

    full = len(shown) >= limits.MAX_SIDE_BY_SIDE
    others = [item for item in items if item[0] in listed and item[0] not in shown]
    with box("tw-runs"):
        with box("tw-open"):
            select("Open a run", items, shown[0] if shown else None, open_one)
        with box("tw-beside"):
            select("Beside it", [] if full or not shown else others, None, beside)


@solara.component
def _Downloads(  # noqa: N802
    shown: tuple[Shown, ...], step: int, exports: Exports, on_close: Callable[[], None]
) -> None:
    complete = [s.run for s in shown if s.run is not None]
    with rv.Html(tag="section", class_="tw-form", attributes={"aria-label": "download"}):
        if len(complete) < len(shown):
            rv.Html(
                tag="p", class_="tw-form-note", children=["A run can be taken when it is complete."]
            )
        for run in complete:
            run_id = run.manifest["run_id"]
            rv.Html(tag="p", class_="tw-form-note", children=[label(run)])
            with box("tw-form-buttons"):
                _file("Scenario", partial(scenario_text, run), f"{run_id}.toml")
                _file("Tables", partial(tables, run), f"{run_id}.zip")
                at = run.first_step + step
                for ending, export in exports.items():
                    name = f"{run_id}-step{at + 1}" if ending == "graphml" else run_id
                    _file(
                        ending.upper() if ending == "czml" else f"Network, step {at + 1}",
                        partial(export, run, at),
                        f"{name}.{ending}",
                    )
        rv.Html(
            tag="p",
            class_="tw-form-note",
            children=[
                "TOML runs again with `twin run FILE`; tables are Parquet; CZML opens in Cesium, "
                "the network (GraphML) in networkx or Gephi. PNG is above the stage."
            ],
        )
        solara.Button("Close", on_click=on_close, classes=["tw-plain-button"])


def _file(text: str, data: Callable[[], str | bytes], name: str) -> None:
    solara.FileDownload(data=data, filename=name, label=text)


def scenario_text(run: Run) -> bytes:
    """The scenario of a run as TOML."""
    return (run.path / "scenario.toml").read_bytes()


def tables(run: Run) -> bytes:
    """All files of a run as one archive, but its checkpoints."""
    made, root = io.BytesIO(), Path(run.path)
    with zipfile.ZipFile(made, "w") as archive:
        for file in sorted(root.rglob("*")):
            inside = file.relative_to(root)
            if file.is_file() and inside.parts[0] != CHECKPOINTS:
                archive.write(file, f"{root.name}/{inside}")
    return made.getvalue()


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
                color="var(--accent)",
                height=3,
            )
    elif error:
        with box("tw-note tw-wrong"):
            box("tw-note-text", error)
            solara.Button(
                "Close", on_click=lambda: session.error.set(""), classes=["tw-plain-button"]
            )
