"""Tables of named things: strategies, outage models, bus profiles and whatever else has a name.

A table refuses names that are taken, names that it does not have and parameters that a thing does
not take, always with a line that says what is allowed.
"""

import functools
import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, cast

from twin.errors import InputError, shown
from twin.text import meant

PLUGIN_TEXTS: dict[str, str] = {}
"""Text of each plug-in file that this process has loaded, by its name: runs keep them."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class UnknownNameError(InputError, KeyError):
    """A table does not have the name; the message lists the names that it has."""

    __str__ = Exception.__str__  # that of KeyError adds quotes


class Registry[T](Mapping[str, T]):
    """Things of one kind by name, in the order in which they were added.

    Attributes
    ----------
    kind : str
        What each entry is, for messages: ``"placement strategy"``.
    field : str
        Field of a scenario that names an entry: ``"placement.strategy"``.
    given : frozenset of str
        Keyword-only parameters that the twin gives. The other keyword-only parameters of an entry
        are the user's to set.
    bounds : mapping of str to pair
        Least and most of the parameters of the first entries, those of the twin's own; of integers
        where both are integers.
    """

    def __init__(
        self,
        kind: str,
        entries: Mapping[str, T],
        *,
        field: str = "",
        given: tuple[str, ...] = ("rng",),
        purpose: Callable[[T], str] | None = None,
        bounds: Mapping[str, tuple[float, float]] = MappingProxyType({}),
    ) -> None:
        self.kind = kind
        self.field = field
        self.given = frozenset(given)
        self._purpose = purpose or _first_line
        self._bounds = dict.fromkeys(entries, bounds)
        self._entries: dict[str, T] = {}
        for name, thing in entries.items():
            self.add(name, thing)

    def __getitem__(self, name: str) -> T:
        if name not in self._entries:
            where = f"{self.field}: " if self.field else ""
            known = f"known: {', '.join(self)}{meant(name, self)}"
            raise UnknownNameError(f"{where}unknown {self.kind} {name!r}; {known}")
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, name: str, thing: T) -> None:
        """Add an entry.

        Raises
        ------
        InputError
            If the name is taken, or is none.
        """
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InputError(
                f"{self.kind} {name!r}: a name has letters, digits, '-', '_' and '.', and begins "
                "with a letter or digit"
            )
        if name in self._entries:
            raise InputError(f"there is a {self.kind} {name!r} already; choose another name")
        self._entries[name] = thing

    def remove(self, name: str) -> None:
        """Take an entry out, for a plug-in that fails after it has added some."""
        del self._entries[name]

    def build(self, name: str, params: Mapping[str, Any]) -> T:
        """Return the entry called `name`, a callable, with `params` bound to it.

        Raises
        ------
        InputError
            If the name or a parameter is unknown, or a parameter is given a value of another type
            than its default's, or out of bounds; the message lists what is valid.
        """
        thing = self[name]
        known = self.parameters(name)
        for key, value in params.items():
            _check(f"{self.kind} {name!r}", key, value, known, self._bounds.get(name, {}))
        return cast("T", functools.partial(cast("Callable[..., Any]", thing), **params))

    def parameters(self, name: str) -> dict[str, inspect.Parameter]:
        """Return what a user may set of an entry: nothing if it is no callable."""
        thing = self[name]
        if not callable(thing):
            return {}
        return {
            p.name: p
            for p in inspect.signature(thing).parameters.values()
            if p.kind is inspect.Parameter.KEYWORD_ONLY and p.name not in self.given
        }

    def purpose(self, name: str) -> str:
        """Return one line on an entry: the first of its docstring, or what the table makes of it.

        Empty if there is no such entry or nothing is said of it.
        """
        return self._purpose(self._entries[name]) if name in self._entries else ""


def _check(
    owner: str,
    key: str,
    value: Any,
    known: Mapping[str, inspect.Parameter],
    bounds: Mapping[str, tuple[float, float]],
) -> None:
    if key not in known:
        raise InputError(
            f"{owner} has no parameter {key!r}; it takes: {', '.join(known) or 'none'}"
            f"{meant(key, known)}"
        )
    default = known[key].default
    if isinstance(default, bool | str):
        if type(value) is not type(default):
            wanted = "true or false" if isinstance(default, bool) else "a text"
            raise InputError(f"{owner}: {key} must be {wanted} (got {shown(value)})")
    elif isinstance(default, int | float) or key in bounds:  # of those that default to None too
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            raise InputError(f"{owner}: {key} must be a number (got {shown(value)})")
        low, high = bounds.get(key, (-math.inf, math.inf))
        whole = isinstance(low, int) and not isinstance(value, int)
        if whole or not low <= value <= high:
            number = "an integer" if isinstance(low, int) else "a number"
            raise InputError(
                f"{owner}: {key} must be {number} from {low:,} to {high:,} (got {shown(value)})"
            )


def _first_line(thing: object) -> str:
    text = inspect.getdoc(thing)
    return text.splitlines()[0].replace("`", "'") if text else ""
