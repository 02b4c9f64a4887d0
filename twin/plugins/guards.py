"""A user's function behind a guard: what it is given is its own, what it returns is checked."""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from placement.policies.telemetry import Proposal
from twin.errors import InputError, one_line
from twin.plugins import answers
from twin.plugins.errors import call, line_of, source_of
from twin.plugins.kinds import KINDS

_LARGEST = 100_000_000
"""Numbers of an array that a user's function may return."""


class Guarded:
    """A user's function that reports its mistakes as the user's, by file and line.

    It is pickled and copied by its name: the process that reads it has loaded the same plug-in.
    """

    def __init__(self, kind: str, name: str, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.kind, self.name, self.function = kind, name, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function on copies of its arguments' arrays, and check what it returns."""
        if self.kind == "policy":  # whose view cannot be written to
            args = (args[0], Offers(args[1]))
            given = args
        else:
            given = tuple(map(_copied, args))
        result = self.run(self.function, *given, **kwargs)
        return _FORMS[self.kind].check(self, result, *args)

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function of the user's; its errors become one line."""
        return call(source_of(self.function), lambda: function(*args, **kwargs))

    def array(self, found: Any) -> NDArray[Any]:
        """Return what the function gave as an array, whatever it is."""
        array: NDArray[Any] = self.run(np.asarray, found)
        if array.size > _LARGEST:
            raise self.refuse(f"at most {_LARGEST:,} numbers", array)
        return array

    def refuse(self, wanted: str, got: Any) -> InputError:
        """Return the error for a result that is not as wanted."""
        if inspect.iscoroutine(got):
            got.close()
        shown = f"{got.dtype} {got.shape}" if isinstance(got, np.ndarray) else type(got).__name__
        kind = KINDS[self.kind].registry.kind
        where = line_of(self.function)
        return InputError(
            f"{where}: {kind} {self.name!r} must return {wanted} (got {one_line(shown, 100)})"
        )

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return _entry, (self.kind, self.name)


def guard(kind: str, name: str, function: Any) -> Callable[..., Any]:
    """Return a function of the user's behind a guard.

    Raises
    ------
    InputError
        If it cannot be called as its kind is.
    """
    form = _FORMS[kind]
    what = f"{KINDS[kind].registry.kind} {name!r}"
    if not callable(function):
        raise InputError(f"{what} must be a function, not {type(function).__name__}")
    try:
        if form.call:
            positional, keywords = form.arguments
            inspect.signature(function).bind(*positional, **dict.fromkeys(keywords))
    except (TypeError, ValueError) as error:
        where = line_of(function)
        raise InputError(f"{where}: {what} must be callable as {form.call}: {error}") from None
    return Guarded(kind, name, function)


class Offers:
    """``propose`` of a policy, which remembers what it has proposed."""

    def __init__(self, propose: Callable[..., Proposal | None]) -> None:
        self._propose = propose
        self.made: list[Proposal] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Proposal | None:
        """Propose, and remember it."""
        proposal = self._propose(*args, **kwargs)
        if proposal is not None:
            self.made.append(proposal)
        return proposal


def _entry(kind: str, name: str) -> Any:
    return KINDS[kind].registry[name]


def _copied(thing: Any) -> Any:
    """The same with arrays that a user's function may change without changing the twin's."""
    if isinstance(thing, np.ndarray):
        return thing.copy()
    if isinstance(thing, tuple) and hasattr(thing, "_fields"):
        return type(thing)(*map(_copied, thing))
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        own = {f.name: getattr(thing, f.name) for f in dataclasses.fields(thing)}
        kinds = (np.ndarray, tuple)
        return dataclasses.replace(
            thing,
            **{
                name: _copied(value)
                for name, value in own.items()
                if isinstance(value, kinds) or dataclasses.is_dataclass(value)
            },
        )
    return thing


@dataclass(frozen=True)
class _Form:
    """How the twin calls a kind of function, and the check of what it returns."""

    call: str
    check: Callable[..., Any]

    @property
    def arguments(self) -> tuple[list[str], list[str]]:
        """Names of the positional arguments, and of those given by keyword."""
        positional, _, keywords = self.call.strip("()").partition(", *, ")
        return positional.split(", "), keywords.split(", ") if keywords else []


_HOLDS = "(before, n, table, step_s, *, rng)"
_FORMS = {
    "strategy": _Form("(problem, *, rng)", answers.strategy),
    "policy": _Form("(view, propose)", answers.policy),
    "dispatch": _Form("(asked, seen)", answers.sent),
    "propagator": _Form("(constellation, t_s)", answers.states),
    "outage-model": _Form(_HOLDS, answers.flags),
    "fault-model": _Form(_HOLDS, answers.flags),
    "handover-rule": _Form("(sight)", answers.scores),
    "satellite-rule": _Form("(view)", answers.decision),
    "sampler": _Form("(table, top_k)", answers.sampler),
    "figure": _Form("(run)", answers.figure),
}
