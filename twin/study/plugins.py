"""Placement strategies of the user's own: a function in a Python file, named FILE.py:FUNCTION."""

import functools
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from placement.problem import Placement
from placement.strategies.table import STRATEGIES
from twin.errors import InputError

_ARRAYS = ("gateway", "expert", "standby", "replica")
_loaded: dict[str, str] = {}
"""Reference of each strategy that came from a file."""


def load_strategies(references: Iterable[str]) -> list[str]:
    """Add functions from files to the table of strategies in this process; return their names.

    Parameters
    ----------
    references : iterable of str
        ``FILE.py:FUNCTION`` each. The function takes ``(problem, *, rng)``, keyword-only
        parameters of its own if it likes, and returns a `Placement`; its name in the table has
        hyphens for underscores. One that is loaded already is left as it is.

    Raises
    ------
    InputError
        If there is no such file or function, the file fails, the function cannot be called so,
        or the name is taken.
    """
    return [_load(reference) for reference in references]


def _load(reference: str) -> str:
    file, _, function = reference.rpartition(":")
    if not file.endswith(".py") or not function.isidentifier():
        raise InputError(f"--strategy-file {reference}: must look like FILE.py:FUNCTION")
    name = function.replace("_", "-")
    if _loaded.get(name) == reference:
        return name
    if name in STRATEGIES:
        raise InputError(
            f"--strategy-file {reference}: there is a strategy {name!r} already; "
            "give the function another name"
        )
    path = Path(file)
    strategy = getattr(_execute(path), function, None)
    if not callable(strategy):
        what = "has no" if strategy is None else "holds something that is not a function as"
        raise InputError(f"--strategy-file {reference}: {file} {what} {function!r}")
    try:
        inspect.signature(strategy).bind(None, rng=None)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"--strategy-file {reference}: must be callable as (problem, *, rng): {error}"
        ) from None
    STRATEGIES[name] = _guarded(strategy, path)
    _loaded[name] = reference
    return name


def _execute(path: Path) -> ModuleType:
    if not path.is_file():
        raise InputError(f"--strategy-file {path}: there is no such file")
    # A name that no import can mean; dataclasses look their module up by it.
    spec = importlib.util.spec_from_file_location(f"strategy file {path}", path)
    assert spec is not None  # the name ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[spec.name]
        raise InputError(_where(error, path)) from error
    return module


def _guarded(strategy: Callable[..., Placement], path: Path) -> Callable[..., Placement]:
    """Return the strategy with its mistakes told as the user's, by file and line."""

    @functools.wraps(strategy)
    def place(*args: object, **kwargs: object) -> Placement:
        try:
            placement = strategy(*args, **kwargs)
        except InputError:
            raise
        except Exception as error:
            raise InputError(_where(error, path)) from error
        if not isinstance(placement, Placement):
            raise InputError(f"{path}: must return a Placement (got {type(placement).__name__})")
        return Placement(**{name: _rows(placement, name, path) for name in _ARRAYS})

    return place


def _rows(placement: Placement, name: str, path: Path) -> NDArray[np.int32]:
    """Satellites as the compiled code wants them, whatever integers the user has."""
    rows = np.asarray(getattr(placement, name))
    if rows.dtype.kind not in "iu":
        raise InputError(f"{path}: Placement.{name} must hold integers (got {rows.dtype})")
    return np.ascontiguousarray(rows, np.int32)


def _where(error: Exception, path: Path) -> str:
    """The error with the last line of the user's file that led to it, in one line."""
    if isinstance(error, SyntaxError):
        line, message = error.lineno, error.msg
    else:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [f.lineno for f in frames if Path(f.filename) == path.absolute()]
        line, message = (lines[-1] if lines else None), " ".join(str(error).split())
    place = path if line is None else f"{path}:{line}"
    return f"{place}: {type(error).__name__}: {message}"
