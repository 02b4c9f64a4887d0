"""A user's function behind a guard: what it returns is checked before anything relies on it."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.rules.view import Decision, RuleState
from placement.policies.telemetry import Proposal
from placement.problem import Placement
from twin.errors import InputError
from twin.plugins.errors import line_of, located, source_of
from twin.plugins.kinds import KINDS

_ROWS = ("gateway", "expert", "standby", "replica")


class Guarded:
    """A user's function that reports its mistakes as the user's, by file and line.

    It is pickled and copied by its name: the process that reads it has loaded the same plug-in.
    """

    def __init__(self, kind: str, name: str, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.kind, self.name, self.function = kind, name, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function and check what it returns."""
        if self.kind == "policy":
            args = (args[0], _Offers(args[1]))
        result = self.run(self.function, *args, **kwargs)
        return _FORMS[self.kind].check(self, result, *args)

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function of the user's; its errors become one line."""
        try:
            return function(*args, **kwargs)
        except InputError:
            raise
        except Exception as error:
            raise InputError(located(error, source_of(self.function))) from error

    def refuse(self, wanted: str, got: Any) -> InputError:
        """Return the error for a result that is not as wanted."""
        shown = f"{got.dtype} {got.shape}" if isinstance(got, np.ndarray) else type(got).__name__
        kind = KINDS[self.kind].registry.kind
        where = line_of(self.function)
        return InputError(f"{where}: {kind} {self.name!r} must return {wanted} (got {shown})")

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


class _Offers:
    """``propose`` of a policy, which remembers what it has proposed."""

    def __init__(self, propose: Callable[..., Proposal | None]) -> None:
        self._propose = propose
        self.made: list[Proposal] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Proposal | None:
        proposal = self._propose(*args, **kwargs)
        if proposal is not None:
            self.made.append(proposal)
        return proposal


class _Draws:
    """A user's sampler behind a guard."""

    def __init__(self, guarded: Guarded, sampler: Callable[..., Any], made: tuple[Any, int]):
        self._guarded, self._sampler, self._made = guarded, sampler, made

    def __call__(self, probabilities: Any, tokens: int, *args: Any) -> Any:
        found = self._guarded.run(self._sampler, probabilities, tokens, *args)
        layers, experts = probabilities.shape
        shape = (tokens, layers, self._made[1])
        drawn = np.asarray(found)
        if drawn.shape != shape or drawn.dtype.kind not in "iu":
            raise self._guarded.refuse(f"a sampler that draws integers of shape {shape}", drawn)
        if drawn.size and not 0 <= drawn.min() <= drawn.max() < experts:
            raise self._guarded.refuse(f"a sampler that draws experts 0 to {experts - 1}", drawn)
        return np.ascontiguousarray(drawn, np.int32)

    def __reduce__(self) -> tuple[Guarded, tuple[Any, int]]:
        return self._guarded, self._made


def _entry(kind: str, name: str) -> Any:
    return KINDS[kind].registry[name]


def _strategy(guarded: Guarded, result: Any, *_: Any) -> Placement:
    if not isinstance(result, Placement):
        raise guarded.refuse("a Placement", result)
    rows = {}
    for name in _ROWS:
        found = np.asarray(getattr(result, name))
        if found.dtype.kind not in "iu":
            raise guarded.refuse(f"integers as Placement.{name}", found)
        rows[name] = np.ascontiguousarray(found, np.int32)
    return Placement(**rows)


def _policy(guarded: Guarded, result: Any, _view: Any, offers: _Offers) -> Proposal | None:
    if result is not None and not any(result is made for made in offers.made):
        raise guarded.refuse("None or what propose() has returned", result)
    return result  # type: ignore[no-any-return]


def _states(guarded: Guarded, result: Any, constellation: Any, t_s: Any) -> Any:
    shape = (len(t_s), constellation.size, 3)
    wanted = f"two arrays of finite numbers of shape {shape}, r_km and v_km_s"
    if not isinstance(result, tuple) or len(result) != 2:
        raise guarded.refuse(wanted, result)
    states = tuple(np.asarray(part) for part in result)
    for part in states:
        if part.shape != shape or part.dtype.kind not in "iuf" or not np.isfinite(part).all():
            raise guarded.refuse(wanted, part)
    return tuple(np.ascontiguousarray(part, np.float64) for part in states)


def _flags(guarded: Guarded, result: Any, before: Any, n: int, *_: Any) -> Any:  # noqa: ARG001
    flags = np.asarray(result)
    if flags.dtype != np.bool_ or flags.shape != (n,):
        raise guarded.refuse(f"bool of shape ({n},)", flags)
    return np.ascontiguousarray(flags)


def _scores(guarded: Guarded, result: Any, sight: Any) -> Any:
    score = np.asarray(result)
    shape = np.shape(sight.satellite)
    if score.shape != shape or score.dtype.kind not in "iuf" or np.isnan(score).any():
        raise guarded.refuse(f"a number for each satellite in sight, of shape {shape}", score)
    return np.asarray(score, np.float64)


def _sampler(guarded: Guarded, result: Any, table: Any, top_k: int) -> Any:
    if not callable(result):
        raise guarded.refuse("a sampler, a function", result)
    return _Draws(guarded, result, (table, top_k))


_DECIDED = (
    ("low", np.bool_),
    ("throttled", np.bool_),
    ("speed", np.float64),
    ("accepting", np.bool_),
    ("terminals_on", np.bool_),
)


def _decision(guarded: Guarded, result: Any, view: Any) -> Any:
    if not isinstance(result, Decision) or not isinstance(result.state, RuleState):
        raise guarded.refuse("a Decision with a RuleState", result)
    shape = np.shape(view.soc)
    for name, kind in _DECIDED:
        column = np.asarray(getattr(result.state, name))
        if column.shape != shape or column.dtype != kind:
            raise guarded.refuse(f"{name} as {np.dtype(kind)} of shape {shape}", column)
    return result


def _anything(guarded: Guarded, result: Any, *_: Any) -> Any:  # noqa: ARG001
    return result


@dataclass(frozen=True)
class _Form:
    """How the twin calls a kind of function, and the check of what it returns."""

    call: str
    check: Callable[..., Any] = _anything

    @property
    def arguments(self) -> tuple[list[str], list[str]]:
        """Names of the positional arguments, and of those given by keyword."""
        positional, _, keywords = self.call.strip("()").partition(", *, ")
        return positional.split(", "), keywords.split(", ") if keywords else []


_HOLDS = "(before, n, table, step_s, *, rng)"
_FORMS = {
    "strategy": _Form("(problem, *, rng)", _strategy),
    "policy": _Form("(view, propose)", _policy),
    "propagator": _Form("(constellation, t_s)", _states),
    "outage-model": _Form(_HOLDS, _flags),
    "fault-model": _Form(_HOLDS, _flags),
    "handover-rule": _Form("(sight)", _scores),
    "satellite-rule": _Form("(view)", _decision),
    "sampler": _Form("(table, top_k)", _sampler),
}
