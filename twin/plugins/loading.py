"""Load plug-ins: files by path, modules by name, installed packages by their entry points."""

import hashlib
import importlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from twin.errors import InputError
from twin.plugins.errors import call
from twin.registry import PLUGIN_TEXTS, Registry
from twin.runs.files import read_manifest
from twin.scenario import attachments, sources

GROUP = "orbital_twin.plugins"
"""Entry points of this group name the modules of installed packages that are plug-ins."""


@dataclass
class _Session:
    """What this process has loaded."""

    loaded: set[str] = field(default_factory=set)
    """A file by the hash of its text, a module by its name."""
    sent: set[str] = field(default_factory=set)
    """Files whose text came from a run, a study or another process: what they hold here is moot."""
    installed: bool = False
    added: list[tuple[Registry[Any], str]] = field(default_factory=list)
    """Entries in the order in which they came."""


_session = _Session()


def load_plugins(references: Iterable[str | Path] = ()) -> None:
    """Load plug-ins into this process: those of installed packages, then the named ones.

    Parameters
    ----------
    references : iterable of str or Path
        Path of a Python file (ends in ``.py``), or name of a module. One that is loaded already
        is left as it is, and so is another file with the same text.

    Raises
    ------
    InputError
        With file and line, if a plug-in cannot be found, fails, adds a name that is taken, or has
        changed since this process loaded it. Then nothing of it is kept.
    """
    _load_installed()
    for reference in references:
        name = str(reference)
        if name in _session.sent:
            continue
        if name.endswith(".py"):
            _load_text(_read(Path(name)), name)
        else:
            _load_module(name)


def load_kept(folder: Path, key: str = "run_id") -> None:
    """Load the plug-in files that a run, or a study with `key` ``study_id``, was made with."""
    manifest = read_manifest(folder, key) or {}
    for name, file in attachments.kept(folder, manifest.get("plugins", {})).items():
        load_text(attachments.read_text(file), name)


def load_text(text: str, name: str) -> None:
    """Load a plug-in file from a text that was kept or sent; its file is then not read any more."""
    here = name in PLUGIN_TEXTS
    _load_text(text, name)
    if not here:
        _session.sent.add(name)


def _load_text(text: str, name: str) -> None:
    if PLUGIN_TEXTS.get(name, text) != text:
        raise InputError(
            f"plug-in {name}: another version of it is loaded already; start a new process"
        )
    _once(hashlib.sha256(text.encode()).hexdigest(), name, lambda: _execute(text, name))
    PLUGIN_TEXTS[name] = text


def note(registry: Registry[Any], name: str) -> None:
    """Remember an entry, so that it goes if the rest of its plug-in fails."""
    _session.added.append((registry, name))


def added(registry: Registry[Any], name: str) -> bool:
    """Whether an entry is a plug-in's."""
    return (id(registry), name) in {(id(table), key) for table, key in _session.added}


def forget() -> None:
    """Take out whatever plug-ins have added, and load again what is named again; for tests."""
    _take_back(0)
    PLUGIN_TEXTS.clear()
    _session.loaded.clear()
    _session.sent.clear()
    _session.installed = False


def _load_installed() -> None:
    if _session.installed:
        return
    _session.installed = True
    for point in importlib.metadata.entry_points(group=GROUP):
        try:
            _load_module(point.module)
        except InputError as error:
            _session.installed = False
            package = point.dist.name if point.dist else point.name
            raise InputError(f"installed package {package}: {error}") from error


def _load_module(name: str) -> None:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise InputError(f"plug-in {name}: there is no such module, and a file's name ends in .py")
    folders = spec.submodule_search_locations
    source = folders[0] if folders else spec.origin or name
    _once(name, source, lambda: importlib.import_module(name))


def _read(path: Path) -> str:
    return sources.file_text(path, f"plug-in {path}")


def _once(key: str, source: str, run: Callable[[], object]) -> None:
    """Run a plug-in that has not been run; take back what it has added if it fails."""
    if key in _session.loaded:
        return
    before = len(_session.added)
    try:
        call(source, run, loading=True)
    except BaseException:
        _take_back(before)
        raise
    _session.loaded.add(key)


def _take_back(first: int) -> None:
    for registry, name in reversed(_session.added[first:]):
        registry.remove(name)
    del _session.added[first:]


def _execute(text: str, name: str) -> None:
    code = compile(text, name, "exec")
    # A name that no import can mean; dataclasses look their module up by it.
    module = ModuleType(f"plug-in {name}")
    module.__file__ = name
    sys.modules[module.__name__] = module
    try:
        exec(code, module.__dict__)
    except BaseException:
        del sys.modules[module.__name__]
        raise
