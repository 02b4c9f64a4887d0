"""In what a run's scenario differs from the preset of its name, read off its text."""

from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from twin.errors import InputError
from twin.scenario import loader

TOLD: Final = (
    "placement.strategy", "controller.policy", "simulation.seed", "simulation.replicate"
)  # fmt: skip
"""Fields that are said anyway."""
_RECORDED: Final = ("simulation.record_", "requests.record_")
"""Beginnings of fields that change nothing of what happens."""
_MOST: Final = 3
_LONGEST: Final = 60


@lru_cache(maxsize=4096)
def words(file: Path, name: str, stamp: str) -> str:  # noqa: ARG001 (a changed one is read again)
    """A few of the fields that differ from the preset `name`; nothing where there is none."""
    if not _preset(name):
        return ""
    try:
        mine = _fields(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""
    told = [
        f"{path.partition('.')[2]} {value.strip(chr(34))}"
        for path, value in sorted(mine - _preset(name))
        if path not in TOLD and not path.startswith(_RECORDED) and "." in path
    ]
    more = [f"{len(told) - _MOST} more"] if len(told) > _MOST else []
    return ", ".join([*(each[:_LONGEST] for each in told[:_MOST]), *more])


def known(text: str) -> bool:
    """Whether a scenario has no other fields than presets have."""
    return {path for path, _ in _fields(text)} <= _paths()


@cache
def _paths() -> set[str]:
    return {path for name in loader.preset_names() for path, _ in _fields(_text(name))}


@cache
def _text(name: str) -> str:
    """A preset as a run would keep it; nothing of one that needs a file."""
    try:
        return loader.to_toml(loader.load(name))
    except InputError:
        return ""


@cache
def _preset(name: str) -> frozenset[tuple[str, str]]:
    return _fields(_text(name)) if name in loader.preset_names() else frozenset()


@lru_cache(maxsize=64)
def _fields(text: str) -> frozenset[tuple[str, str]]:
    """Paths and values of a scenario as the twin writes it: a field a line, tables in brackets.

    The last few are kept: what a text differs in is asked right after whether all of it is known,
    and the runs of a study have much the same.
    """
    found, table = [], ""
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            table = line.strip("[]") + "."
        else:
            key, mark, value = line.partition(" = ")
            if mark:
                found.append((table + key, value))
    return frozenset(found)
