"""The form of a new run: what it starts from, its fields, and what may be wrong with them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import reacton.ipyvuetify as rv
import solara

from placement.policies.table import POLICIES
from placement.strategies.table import STRATEGIES
from twin.errors import InputError
from twin.runs.store import Run
from twin.scenario import loader, plain
from twin.scenario.attachments import shown
from twin.scenario.schema import Scenario
from twin.views import dropped, form, keeping, limits, shelf
from twin.views.files import FileBox
from twin.views.inputs import Input, More, has, select
from twin.views.parts import box
from twin.views.public import public
from twin.views.starting import (
    DROPPED,
    Start,
    from_run,
    from_text,
    start_of,
    with_elements,
    without_elements,
)
from twin.world.world import World

_FIRST: Final = "paper"
_RUN: Final = "run: "
"""Before the name of a run among what the form may start from."""

type Texts = solara.Reactive[list[str]]


@dataclass(frozen=True, eq=False)
class Draft:
    """What a visitor has entered; it stays while the form is closed, and when it is refused.

    Attributes
    ----------
    key : reactive str
        What was chosen to start from: a preset, a run, or `DROPPED`.
    start : reactive Start
    values : reactive dict
        By field.
    strategies, policies : reactive list of str
    refused : reactive str
        Why it could not be started, or started from.
    waiting : reactive str
        TOML of a scenario that waits for its element sets; empty where none does.
    starting : reactive bool
        Whether what was asked for has not begun yet, and may be refused.
    allowed : bool
        Whether this visitor may leave files here: see `twin.views.keeping.may`.
    """

    key: solara.Reactive[str] = field(default_factory=lambda: solara.reactive(_FIRST))
    start: solara.Reactive[Start] = field(default_factory=lambda: solara.reactive(start_of(_FIRST)))
    values: solara.Reactive[dict[str, Any]] = field(
        default_factory=lambda: solara.reactive(form.initial(_FIRST))
    )
    strategies: Texts = field(default_factory=lambda: solara.reactive(_used(start_of(_FIRST))[0]))
    policies: Texts = field(default_factory=lambda: solara.reactive(_used(start_of(_FIRST))[1]))
    refused: solara.Reactive[str] = field(default_factory=lambda: solara.reactive(""))
    waiting: solara.Reactive[str] = field(default_factory=lambda: solara.reactive(""))
    starting: solara.Reactive[bool] = field(default_factory=lambda: solara.reactive(False))
    allowed: bool = False

    @property
    def takes_elements(self) -> bool:
        """Whether what it starts from has element sets, or waits for some."""
        return bool(self.waiting.value) or self.start.value.data["constellation"]["kind"] == "tle"

    def begin(self, key: str, start: Start) -> None:
        """Start from something else."""
        values, (strategies, policies) = form.initial(start), _used(start)
        self.key.value, self.start.value, self.values.value = key, start, values
        self.strategies.value, self.policies.value = strategies, policies
        self.refused.value = self.waiting.value = ""

    def wait_for_elements(self, key: str, text: str) -> None:
        """Start from a scenario as soon as its element sets are there."""
        self.key.value, self.waiting.value, self.refused.value = key, text, ""

    def choose(self, key: str, runs: Sequence[Run]) -> None:
        """Start from a preset or a run; a browser may send any name, also that of a file."""
        if key in form.presets_with_files():
            self.wait_for_elements(key, loader.preset_text(key))
        elif key in form.runnable_presets():
            self.begin(key, start_of(key))
        run = next((run for run in runs if key == f"{_RUN}{run.path.name}"), None)
        if run is not None:
            self._try(lambda: self.begin(key, from_run(run)))

    def take(self, text: str) -> None:
        """Start from the text of a scenario."""

        def take() -> None:
            needs = without_elements(text)
            if needs:
                self.wait_for_elements(DROPPED, needs)
            else:
                self.begin(DROPPED, from_text(text))

        self._try(take)

    def read(self, file: Mapping[str, Any]) -> None:
        """Start from a file that was dropped; what is too large for a scenario is not read."""
        if file["size"] > plain.MAX_BYTES:
            self.refused.value = f"{DROPPED}: more than {plain.MAX_BYTES:,} bytes"
            return
        self.take(file["file_obj"].read().decode("utf-8", "replace"))

    def read_elements(self, file: Mapping[str, Any]) -> None:
        """Start from a scenario with the element sets of a file that was dropped."""
        self._try(lambda: self._use(file))

    def _use(self, file: Mapping[str, Any]) -> None:
        keeping.check(self.allowed)
        name, text, label = str(file["name"]), self.start.value.text, self.start.value.label
        if self.waiting.value:
            text, label = self.waiting.value, self.key.value
        if file["size"] > dropped.MAX_BYTES:
            raise InputError(dropped.too_large(name))
        path = dropped.keep(name, file["file_obj"].read())
        started = with_elements(text, label, path)
        limits.check(started.scenario)
        World(started.scenario)
        if self.waiting.value:
            self.begin(self.key.value, started)
        else:  # what was entered stays
            self.start.value = started

    def scenarios(self) -> list[Scenario]:
        """What is to be run; nothing, with the reason in `refused`, where it is not right."""
        made: list[Scenario] = []
        start, values = self.start.value, self.values.value
        chosen = self.strategies.value, self.policies.value
        self._try(lambda: made.extend(form.scenarios(start, values, *chosen)))
        return made

    def _try(self, act: Callable[[], None]) -> None:
        self.refused.value = ""
        try:
            act()
        except InputError as wrong:
            self.refused.value = public(str(wrong))


def _used(start: Start) -> tuple[list[str], list[str]]:
    return [start.scenario.placement.strategy], [start.scenario.controller.policy]


@solara.component
def NewRun(  # noqa: N802
    draft: Draft,
    runs: Sequence[Run],
    on_start: Callable[[list[Scenario]], None],
    on_close: Callable[[], None],
) -> None:
    """The form; `on_start` gets scenarios that are right."""
    with rv.Html(tag="section", class_="tw-form", attributes={"aria-label": "new run"}):
        _From(draft, runs)
        if draft.takes_elements:
            _Elements(draft)
        if draft.waiting.value:
            solara.Button("Close", on_click=on_close, classes=["tw-plain-button"])
            return
        _Fields(draft, on_start, on_close)


@solara.component
def _From(draft: Draft, runs: Sequence[Run]) -> None:  # noqa: N802
    """What to start from."""
    offered: list[Any] = [*form.runnable_presets()]
    offered += [(name, f"{name} · needs element sets") for name in form.presets_with_files()]
    offered += [(f"{_RUN}{run.path.name}", f"run {shelf.label(run)}") for run in runs]
    if draft.key.value == DROPPED:
        offered = [(DROPPED, f"{DROPPED}: {draft.start.value.scenario.name}"), *offered]
    with box("tw-form-part"):
        select("Start from", offered, draft.key.value, lambda key: draft.choose(key, runs))
        with rv.Html(tag="details", class_="tw-form-toml"):
            rv.Html(tag="summary", children=["or from a scenario's TOML"])
            FileBox("Drop a TOML file here, or choose one", draft.read)
            rv.Textarea(
                label="or paste it",
                v_model="",
                on_v_model=lambda text: draft.take(text) if text else None,
                rows=2,
                dense=True,
                outlined=True,
                hide_details=True,
                class_="tw-field",
            )


@solara.component
def _Elements(draft: Draft) -> None:  # noqa: N802
    """Where element sets are dropped; what is wrong with a file, where none was right yet."""
    waits = draft.waiting.value
    with box("tw-form-part tw-elements"):
        if waits:
            rv.Html(tag="p", class_="tw-form-note", children=[form.WHAT_FILE])
        else:
            start = draft.start.value
            file = shown(start.data["constellation"]["tle"])
            told = f"Element sets: {file}, {limits.satellites(start.scenario):,} satellites."
            rv.Html(tag="p", class_="tw-form-note", children=[told])
        label = f"Drop a file here, or choose one, up to {dropped.MAX_BYTES // 1_000_000} MB"
        FileBox(label, draft.read_elements)
        if waits and draft.refused.value:
            rv.Html(tag="p", class_="tw-form-wrong", children=[draft.refused.value])


@solara.component
def _Fields(  # noqa: N802
    draft: Draft, on_start: Callable[[list[Scenario]], None], on_close: Callable[[], None]
) -> None:
    start, values = draft.start.value, draft.values
    strategies, policies = draft.strategies, draft.policies
    wrong = form.mistakes(start, values.value)

    def begin() -> None:
        made = draft.scenarios()
        if made:
            on_start(made)

    with box("tw-form-part"):
        rv.Html(tag="p", class_="tw-form-note", children=[start.scenario.description])
        with rv.Html(tag="div", class_="tw-form-grid"):
            for each in form.FIELDS:
                if has(start.data, each.path):
                    Input(each, values, wrong.get(each.path, ""))
        select("Strategies", list(STRATEGIES), strategies.value, strategies.set, many=True)
        select("Policies", list(POLICIES), policies.value, policies.set, many=True)
        More(start.data, values, wrong, form.MAIN)
        pairs = len(strategies.value) * len(policies.value)
        told = wrong.get("", "") or draft.refused.value
        busy = draft.starting.value
        if busy:
            rv.Html(tag="p", class_="tw-form-note", children=[form.LOOKING])
        elif told:
            rv.Html(tag="p", class_="tw-form-wrong", children=[told])
        elif pairs > 1:
            note = f"{pairs} runs on the same seed, shown side by side."
            rv.Html(tag="p", class_="tw-form-note", children=[note])
        with box("tw-form-buttons"):
            solara.Button("Start", on_click=begin, disabled=bool(wrong) or busy, classes=["tw-run"])
            solara.Button("Close", on_click=on_close, classes=["tw-plain-button"])
