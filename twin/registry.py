"""Build a named thing from a plain table, refusing names and parameters it does not know."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from twin.errors import InputError


def build[T](
    kind: str, table: Mapping[str, Callable[..., T]], name: str, params: Mapping[str, Any]
) -> T:
    """Call ``table[name](**params)``.

    Parameters
    ----------
    kind : str
        What the table holds, for the error message, e.g. ``"placement strategy"``.
    table : mapping of str to callable
        The known things; a callable's keyword parameters are what `params` may name.
    name : str
        Which of them.
    params : mapping of str to object
        Keyword arguments.

    Raises
    ------
    InputError
        If the name or a parameter is unknown; the message lists the valid ones.
    """
    if name not in table:
        raise InputError(f"unknown {kind} {name!r}; known: {', '.join(sorted(table))}")
    factory = table[name]
    allowed = inspect.signature(factory).parameters
    unknown = sorted(set(params) - set(allowed))
    if unknown:
        known = ", ".join(allowed) or "none"
        raise InputError(
            f"{kind} {name!r} has no parameter {', '.join(map(repr, unknown))}; it takes: {known}"
        )
    return factory(**params)
