"""What stands above the stage: runs to start, to open, to compare, to take away."""

from collections.abc import Callable

import reacton.ipyvuetify as rv
import solara

from twin.scenario.schema import Scenario
from twin.views import keeping, limits, shelf
from twin.views.downloads import Downloads, Exports
from twin.views.inputs import select
from twin.views.new_run import Draft, NewRun
from twin.views.parts import box
from twin.views.session import Session


@solara.component
def Header(  # noqa: N802
    session: Session, step: solara.Reactive[int], exports: Exports, token: str
) -> None:
    """Name of the page, and what can be done with runs."""
    panel = solara.use_reactive("")
    draft = solara.use_memo(lambda: Draft(allowed=session.allowed), [])
    busy = session.work.value is not None
    shown = session.shown.value

    def toggle(name: str) -> Callable[[], None]:
        return lambda: panel.set("" if panel.value == name else name)

    def start(made: list[Scenario]) -> None:
        draft.starting.value = True
        session.start(made, answered)

    def answered(refused: str) -> None:
        draft.starting.value, draft.refused.value = False, refused
        if not refused and panel.value == "new":
            panel.value = ""

    with rv.Html(tag="header", class_="tw-header"):
        box("tw-name", "Orbital Twin")
        box("tw-tagline", "language models in low Earth orbit")
        box("tw-space")
        _button("New run", toggle("new"), panel.value == "new")
        _Runs(session)
        _button("Download", toggle("take"), panel.value == "take", disabled=not shown)
        with solara.Link(keeping.with_token("/overview", token)):
            solara.Button("Runs", text=True, classes=["tw-plain-button"])
        with solara.Link(keeping.with_token("/table", token)):
            solara.Button("Paper's table", text=True, classes=["tw-plain-button"])
        with solara.Link(keeping.with_token("/guide", token)):
            solara.Button("Guide", text=True, classes=["tw-plain-button"])
        if busy:
            solara.Button("Cancel", on_click=session.cancel, classes=["tw-cancel"])
        if panel.value == "new":
            NewRun(draft, session.runs.value, start, lambda: panel.set(""))
        if panel.value == "take" and shown:
            Downloads(session, step.value, exports, lambda: panel.set(""))


def _button(text: str, act: Callable[[], None], held: bool, *, disabled: bool = False) -> None:
    classes = ["tw-plain-button", *(["tw-held"] if held else [])]
    solara.Button(text, on_click=act, text=True, disabled=disabled, classes=classes)


@solara.component
def _Runs(session: Session) -> None:  # noqa: N802
    shown = [s.run_id for s in session.shown.value]
    items = [(run.path.name, shelf.label(run)) for run in session.runs.value]
    listed = {run_id for run_id, _ in items}
    items += [(i, f"{label} · running") for i, label in session.running() if i not in listed]
    items += [(run_id, f"{run_id} · cannot be read") for run_id in session.unreadable.value]

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
