"""What the form of a new run starts from: a preset, a run, or a scenario's text."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from twin.errors import InputError
from twin.runs.store import Run
from twin.scenario import loader, plain
from twin.scenario.attachments import FIELDS
from twin.scenario.schema import Scenario

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
    data = plain.parse(text, DROPPED)
    for table, key in FIELDS:
        if isinstance(data.get(table), dict) and key in data[table]:
            raise InputError(f"{table}.{key}: a page reads no files of the server's; twin run does")
    start = Start(DROPPED, text)
    start.scenario  # noqa: B018 (refused here, if it is)
    return start
