"""What the form of a new run starts from: a preset, a run, or a scenario's text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import tomli_w

from twin.errors import InputError
from twin.runs.store import Run
from twin.scenario import loader, plain
from twin.scenario.attachments import FIELDS
from twin.scenario.schema import Scenario
from twin.space import elements

DROPPED: Final = "the TOML"
"""How a text is called that a visitor has dropped or pasted."""


@dataclass(frozen=True, eq=False)
class Start:
    """A scenario to change.

    Attributes
    ----------
    label : str
        Names it in errors.
    text : str
        TOML.
    """

    label: str
    text: str

    @cached_property
    def scenario(self) -> Scenario:
        """As it is."""
        return self.load()

    @cached_property
    def data(self) -> dict[str, Any]:
        """The same as plain data."""
        return self.scenario.model_dump(mode="json")

    def load(self, changes: Sequence[str] = ()) -> Scenario:
        """With changes, each ``table.key=value``.

        Raises
        ------
        InputError
            With field, value and what is allowed.
        """
        return loader.load_text(self.text, self.label, changes)

    def mistakes(self, changes: Sequence[str]) -> dict[str, str]:
        """What is wrong with it after changes, by field."""
        return loader.mistakes_of(self.text, self.label, changes)


type Source = str | Start
"""A preset's name, or what else to start from."""


def start_of(source: Source) -> Start:
    """Return a start as it is, a preset by its name."""
    return source if isinstance(source, Start) else Start(source, loader.preset_text(source))


def from_run(run: Run) -> Start:
    """Start from a run: its scenario as it ran, with the files that it has kept."""
    return Start(run.path.name, loader.to_toml(run.scenario))


def from_text(text: str) -> Start:
    """Start from a scenario that a visitor has; it may name no file of the server's.

    Raises
    ------
    InputError
        If it is not right.
    """
    _refuse_files(plain.parse(text, DROPPED))
    start = Start(DROPPED, text)
    start.scenario  # noqa: B018 (refused here, if it is)
    return start


def without_elements(text: str) -> str:
    """A visitor's scenario without the element sets that it names; "" if it is not on any.

    Raises
    ------
    InputError
        If it names another file.
    """
    data = plain.parse(text, DROPPED)
    body = data.get("constellation")
    if not isinstance(body, dict) or body.get("kind") != "tle":
        return ""
    body.pop("tle", None)
    _refuse_files(data)
    return tomli_w.dumps(data)


def _refuse_files(data: Mapping[str, Any]) -> None:
    for table, key in FIELDS:
        if isinstance(data.get(table), dict) and key in data[table]:
            raise InputError(f"{table}.{key}: a page reads no files of the server's; twin run does")


def with_elements(text: str, label: str, path: str) -> Start:
    """Start from a scenario on element sets, with those of a file.

    Raises
    ------
    InputError
        If the file or the scenario is not right.
    """
    data = plain.parse(text, label)
    data["constellation"]["tle"] = path
    how = data.setdefault("propagation", {})
    bad = data["constellation"].get("bad_records") == "leave-out"
    try:
        tracks = elements.read(path, leave_out_bad=bad).tracks
    except InputError as wrong:
        raise InputError(f"constellation.tle: {wrong}") from None
    if tracks is not None:
        how["model"] = "oem"
    elif how.get("model") == "oem":
        how["model"] = "sgp4"
    start = Start(label, tomli_w.dumps(data))
    start.scenario  # noqa: B018 (refused here, if it is)
    return start
