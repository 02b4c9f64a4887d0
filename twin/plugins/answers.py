"""What users' functions may return, kind by kind: checked as it is, before any cast."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agents.rules.view import Decision, Messages, RuleState, TakeOver
from placement.policies.telemetry import Bids, Proposal
from placement.problem import Placement, check
from twin.errors import InputError, shown
from twin.plugins.errors import line_of

if TYPE_CHECKING:
    from twin.plugins.guards import Guarded, Offers

_ROWS = ("gateway", "expert", "standby", "replica")
_FURTHEST = 1e9
"""Kilometres, and kilometres a second, beyond which no state makes sense."""


def strategy(guarded: Guarded, result: Any, problem: Any) -> Placement:
    """A sound placement of satellites that there are."""
    if not isinstance(result, Placement):
        raise guarded.refuse("a Placement", result)
    n, rows = problem.n_satellites, {}
    for name in _ROWS:
        found = guarded.array(getattr(result, name))
        if found.dtype.kind not in "iu":
            raise guarded.refuse(f"integers as Placement.{name}", found)
        if found.size and not -1 <= int(found.min()) <= int(found.max()) < n:
            worst = found.max() if int(found.max()) >= n else found.min()
            raise InputError(
                f"{line_of(guarded.function)}: placement names a satellite outside 0..{n - 1} "
                f"(got {worst} in Placement.{name})"
            )
        rows[name] = np.ascontiguousarray(found, np.int32)
    placement = Placement(**rows)
    try:
        check(problem, placement)
    except InputError as error:
        raise InputError(f"{line_of(guarded.function)}: {error}") from None
    return placement


def policy(guarded: Guarded, result: Any, _view: Any, offers: Offers) -> Proposal | Bids | None:
    """One of the proposals that it was given, bids, or None."""
    known = result is None or isinstance(result, Bids)
    if not known and not any(result is made for made in offers.made):
        raise guarded.refuse("None, Bids or what propose() has returned", result)
    return result  # type: ignore[no-any-return]


def sent(guarded: Guarded, result: Any, asked: Any, seen: Any) -> Any:
    """An instance for each request, or -1."""
    found, instances = guarded.array(result), len(seen.open)
    if found.shape != asked.site.shape or found.dtype.kind not in "iu":
        raise guarded.refuse(f"an integer for each of {len(asked.site)} requests", found)
    if found.size and not -1 <= int(found.min()) <= int(found.max()) < instances:
        raise guarded.refuse(f"instances from 0 to {instances - 1}, or -1", found)
    return np.ascontiguousarray(found, np.int32)


def states(guarded: Guarded, result: Any, constellation: Any, t_s: Any) -> Any:
    """Finite positions and velocities, none of them at the Earth's centre."""
    shape = (len(t_s), constellation.size, 3)
    wanted = f"two arrays of finite numbers of shape {shape}, r_km and v_km_s"
    if not isinstance(result, tuple) or len(result) != 2:
        raise guarded.refuse(wanted, result)
    parts = tuple(guarded.array(part) for part in result)
    for part in parts:
        if part.shape != shape or part.dtype.kind not in "iuf" or not np.isfinite(part).all():
            raise guarded.refuse(wanted, part)
        if part.size and not -_FURTHEST < float(part.min()) <= float(part.max()) < _FURTHEST:
            raise guarded.refuse(f"positions and velocities below {_FURTHEST:g}", part)
    r_km, v_km_s = (np.ascontiguousarray(part, np.float64) for part in parts)
    if not (np.abs(r_km).max(axis=-1) >= 1.0).all():
        raise guarded.refuse("positions off the Earth's centre", r_km)
    return r_km, v_km_s


def flags(guarded: Guarded, result: Any, before: Any, n: int, *_: Any) -> Any:  # noqa: ARG001
    """One bool for each link or satellite."""
    found = guarded.array(result)
    if found.dtype != np.bool_ or found.shape != (n,):
        raise guarded.refuse(f"bool of shape ({n},)", found)
    return np.ascontiguousarray(found)


def scores(guarded: Guarded, result: Any, sight: Any) -> Any:
    """One number for each satellite in sight; an infinite one decides."""
    score = guarded.array(result)
    shape = np.shape(sight.satellite)
    if score.shape != shape or score.dtype.kind not in "iuf" or np.isnan(score).any():
        raise guarded.refuse(f"a number for each satellite in sight, of shape {shape}", score)
    return np.asarray(score, np.float64)


def sampler(guarded: Guarded, result: Any, table: Any, top_k: int) -> Any:
    """A sampler, whose own answers are looked at in turn."""
    if not callable(result):
        raise guarded.refuse("a sampler, a function", result)
    return _Draws(guarded, result, (table, top_k))


class _Draws:
    """A user's sampler behind a guard."""

    def __init__(self, guarded: Guarded, sampler: Callable[..., Any], made: tuple[Any, int]):
        self._guarded, self._sampler, self._made = guarded, sampler, made

    def __call__(self, probabilities: NDArray[np.float64], tokens: int, *args: Any) -> Any:
        refuse = self._guarded.refuse
        found = self._guarded.run(self._sampler, probabilities.copy(), tokens, *args)
        layers, experts = probabilities.shape
        shape = (tokens, layers, self._made[1])
        drawn = self._guarded.array(found)
        if drawn.shape != shape or drawn.dtype.kind not in "iu":
            raise refuse(f"a sampler that draws integers of shape {shape}", drawn)
        if drawn.size and not 0 <= int(drawn.min()) <= int(drawn.max()) < experts:
            raise refuse(f"a sampler that draws experts 0 to {experts - 1}", drawn)
        ordered = np.sort(drawn, axis=-1)
        if (ordered[..., 1:] == ordered[..., :-1]).any():
            raise refuse("a sampler that draws no expert twice in a layer", drawn)
        return np.ascontiguousarray(drawn, np.int32)

    def __reduce__(self) -> tuple[Guarded, tuple[Any, int]]:
        return self._guarded, self._made


_DECIDED: tuple[tuple[str, Any], ...] = (
    ("low", np.bool_),
    ("throttled", np.bool_),
    ("speed", np.float64),
    ("accepting", np.bool_),
    ("terminals_on", np.bool_),
)
_TOLD: tuple[tuple[str, Any], ...] = (
    ("dark_in_s", np.float64),
    ("accepting", np.bool_),
    ("room_bytes", np.float64),
)


def decision(guarded: Guarded, result: Any, view: Any) -> Any:
    """A state of every satellite, speeds from 0 to 1, and requests to satellites that there are."""
    if not isinstance(result, Decision) or not isinstance(result.state, RuleState):
        raise guarded.refuse("a Decision with a RuleState", result)
    state, n = result.state, len(view.soc)
    _columns(guarded, state, _DECIDED, n)
    if not ((state.speed >= 0.0) & (state.speed <= 1.0)).all():
        raise guarded.refuse("speed from 0 to 1", state.speed)
    if state.messages is not None:
        if not isinstance(state.messages, Messages):
            raise guarded.refuse("messages as Messages or None", state.messages)
        _columns(guarded, state.messages, _TOLD, n)
    asked = result.take_over
    if not isinstance(asked, tuple) or not all(_is_request(each, n, view) for each in asked):
        raise guarded.refuse(
            f"take_over as a tuple of TakeOver, each of an expert that a satellite of 0..{n - 1} "
            "hosts",
            asked,
        )
    return result


def _columns(guarded: Guarded, thing: Any, columns: tuple[tuple[str, Any], ...], n: int) -> None:
    for name, kind in columns:
        column = getattr(thing, name)
        if not isinstance(column, np.ndarray) or column.shape != (n,) or column.dtype != kind:
            got = guarded.array(column)
            raise guarded.refuse(f"{name} as {np.dtype(kind)} of shape ({n},)", got)


def _is_request(asked: Any, n: int, view: Any) -> bool:
    return (
        isinstance(asked, TakeOver)
        and all(isinstance(number, int | np.integer) for number in asked)
        and min(asked) >= 0
        and max(asked.satellite, asked.neighbour) < n
        and (asked.layer, asked.expert) in view.experts_of(int(asked.satellite))
    )


def figure(guarded: Guarded, result: Any, *_: Any) -> float | None:
    """A number or None."""
    if result is None:
        return None
    if not isinstance(result, Real | np.bool_):
        raise guarded.refuse("a number or None", result)
    try:
        return float(result)
    except OverflowError:
        where = line_of(guarded.function)
        raise InputError(
            f"{where}: figure {guarded.name!r} must return a number of 64 bits, not {shown(result)}"
        ) from None


def is_finite(value: Any) -> bool:
    """Whether a value is a real number, neither infinite nor NaN."""
    return isinstance(value, int | float | np.integer | np.floating) and math.isfinite(value)
