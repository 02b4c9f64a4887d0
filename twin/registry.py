"""Find a named thing in a plain table, refusing names and parameters it does not know."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from twin.errors import InputError


def build[T](
    kind: str, table: Mapping[str, Callable[..., T]], name: str, params: Mapping[str, Any]
) -> Callable[..., T]:
    """Return ``table[name]`` with `params` bound to it.

    Parameters
    ----------
    kind : str
        What the table holds, for the error message, e.g. ``"placement strategy"``.
    table : mapping of str to callable
        The known things. What a scenario may set are a callable's keyword-only parameters,
        except ``rng``; the rest is for the caller to give.
    name : str
        Which of them.
    params : mapping of str to object
        Values of keyword-only parameters.

    Raises
    ------
    InputError
        If the name or a parameter is unknown, or a number is asked for and something else
        given; the message lists what is valid.
    """
    if name not in table:
        raise InputError(f"unknown {kind} {name!r}; known: {', '.join(table)}")
    signature = inspect.signature(table[name])
    allowed = {
        p.name: p
        for p in signature.parameters.values()
        if p.kind is inspect.Parameter.KEYWORD_ONLY and p.name != "rng"
    }
    for key, value in params.items():
        if key not in allowed:
            known = ", ".join(allowed) or "none"
            raise InputError(f"{kind} {name!r} has no parameter {key!r}; it takes: {known}")
        default = allowed[key].default
        number = isinstance(default, int | float) and not isinstance(default, bool)
        if number and (not isinstance(value, int | float) or isinstance(value, bool)):
            raise InputError(f"{kind} {name!r}: {key} must be a number (got {value!r})")
    return functools.partial(table[name], **params)
