"""Files that a scenario refers to: read, kept beside what was made from them, found there again.

A kept file is compressed, in a folder named by the start of its SHA-256; a scenario may name it as
any other file.
"""

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.errors import InputError
from twin.scenario.schema import Scenario

FOLDER = "attachments"
FIELDS = (
    ("constellation", "tle"),
    ("activations", "file"),
    ("compute", "kernels"),
    ("requests", "trace"),
)
"""Tables and keys that name a file."""
_ENDING = ".gz"
_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file that a scenario refers to.

    Attributes
    ----------
    path : str
        As the scenario has it.
    packed : bytes
        Its content, compressed.
    sha256 : str
        Of the content.
    """

    path: str
    packed: bytes
    sha256: str

    @property
    def kept_as(self) -> str:
        """Where it is kept, below the folder of attachments."""
        return f"{self.sha256[:_DIGITS]}/{shown(self.path)}{_ENDING}"


def attachment(path: str, content: bytes) -> Attachment:
    """Return a file's content, compressed to the same bytes whenever that is done."""
    packed = gzip.compress(content, mtime=0)
    return Attachment(path=path, packed=packed, sha256=hashlib.sha256(content).hexdigest())


def paths(scenario: Scenario) -> dict[str, str]:
    """Paths that a scenario has for files, and the field of each."""
    found = {}
    for table, key in FIELDS:
        path = getattr(getattr(scenario, table), key, None)
        if path is not None:
            found[path] = f"{table}.{key}"
    return found


def collect(scenario: Scenario) -> list[Attachment]:
    """Read the files that a scenario refers to; InputError names the field of one that is not."""
    return [
        attachment(path, read_bytes(path, told=f"{field} {path}"))
        for path, field in paths(scenario).items()
    ]


def read_bytes(path: str | Path, *, told: str | None = None) -> bytes:
    """Content of a file, unpacked if it is a kept one; `told` names it in errors."""
    label = told or str(path)
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{label}: cannot be read: {error.strerror}") from None
    if not is_kept(str(path)):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        raise InputError(f"{label}: damaged attachment") from None


def read_text(path: str | Path, *, told: str | None = None, encoding: str = "utf-8") -> str:
    """The same as text."""
    try:
        return read_bytes(path, told=told).decode(encoding)
    except UnicodeDecodeError:
        raise InputError(f"{told or path}: not a text file in UTF-8") from None


def keep(attachments: Iterable[Attachment], root: Path) -> dict[str, dict[str, str]]:
    """Write files below ``root/attachments``; return where each is, by path, for a manifest."""
    entries = {}
    for each in attachments:
        file = root / FOLDER / each.kept_as
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(each.packed)
        entries[each.path] = {"file": f"{FOLDER}/{each.kept_as}", "sha256": each.sha256}
    return entries


def kept(root: Path, entries: Mapping[str, Mapping[str, str]]) -> dict[str, Path]:
    """Kept files by the paths they came from.

    Raises
    ------
    InputError
        If one is missing or is not what it was.
    """
    found = {}
    for path, entry in entries.items():
        try:
            file, digest = root / entry["file"], entry["sha256"]
        except (LookupError, TypeError):
            raise InputError(f"{root}: damaged manifest.json: attachment {path}") from None
        if hashlib.sha256(read_bytes(file)).hexdigest() != digest:
            raise InputError(f"{file}: is not what it was (its SHA-256 differs)")
        found[path] = file
    return found


def of(root: Path) -> list[Attachment]:
    """Files that a run or study has kept, by the paths they came from."""
    places = kept(root, _entries(root))
    return [attachment(path, read_bytes(file)) for path, file in places.items()]


def beside(scenario_file: Path) -> dict[str, Path]:
    """Kept files of the run that a scenario's file belongs to, if it belongs to one."""
    return kept(scenario_file.parent, _entries(scenario_file.parent))


def find_near(data: Mapping[str, Any], folder: Path) -> None:
    """Let a scenario's plain data name files by where they are, if that is in its own folder."""
    for table, key in FIELDS:
        values = data.get(table)
        if not isinstance(values, dict):
            continue
        path = values.get(key)
        # Not `Path.is_file`, which raises where a name is too long.
        if isinstance(path, str) and os.path.isfile(folder / path):  # noqa: PTH113
            values[key] = str(folder / path)


def _entries(root: Path) -> dict[str, dict[str, str]]:
    try:
        manifest = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    entries = manifest.get(FOLDER, {}) if isinstance(manifest, dict) else {}
    return entries if isinstance(entries, dict) else {}


def relocated(scenario: Scenario, places: Mapping[str, Path | str]) -> Scenario:
    """Return a scenario that refers to files where they are now, by the paths it has for them."""
    changes: dict[str, Any] = {}
    for table, key in FIELDS:
        value = getattr(scenario, table)
        path = getattr(value, key, None)
        if path is not None and path in places:
            changes[table] = value.model_copy(update={key: str(places[path])})
    return scenario.model_copy(update=changes) if changes else scenario


def is_kept(path: str) -> bool:
    """Whether a path is one of a kept file."""
    parts = Path(path).parts
    return path.endswith(_ENDING) and len(parts) > 2 and parts[-3] == FOLDER


def shown(path: str) -> str:
    """Name of a file for a reader."""
    name = Path(path).name
    return name.removesuffix(_ENDING) if is_kept(path) else name


def identity(path: str) -> str:
    """What distinguishes two files: of a kept one its content and name, not where it lies."""
    return "/".join(Path(path).parts[-2:]).removesuffix(_ENDING) if is_kept(path) else path
