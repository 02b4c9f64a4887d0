"""Where the text of a scenario or a study comes from: a preset by name, or a file by path."""

from importlib import resources
from pathlib import Path

from twin.errors import InputError
from twin.scenario import plain
from twin.text import meant


def preset_names(package: str) -> list[str]:
    """Names of the presets that ship with a package, in its folder ``presets``."""
    folder = resources.files(package) / "presets"
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml"))


def preset_text(package: str, kind: str, name: str) -> str:
    """TOML text of a preset; InputError lists them, as what `kind` says, if there is no such."""
    known = preset_names(package)
    if name not in known:
        raise InputError(
            f"unknown {kind} {name!r}; presets: {', '.join(known)}; "
            f"or give the path of a .toml file{meant(name, known)}"
        )
    return (resources.files(package) / "presets" / f"{name}.toml").read_text(encoding="utf-8")


def read(package: str, kind: str, source: str | Path) -> tuple[str, str]:
    """Name for errors, and text, of a preset, or of a file (with a ``/`` or ending in ``.toml``).

    Raises
    ------
    InputError
        If there is no such preset, or the file cannot be read.
    """
    name = str(source)
    if isinstance(source, str) and "/" not in name and not name.endswith(".toml"):
        return f"preset {name}", preset_text(package, kind, name)
    return name, file_text(source, name)


def file_text(path: str | Path, label: str) -> str:
    """Text of a file of TOML or Python; `label` names it in errors.

    Raises
    ------
    InputError
        If it cannot be read, is no text, or is far larger than any that is meant.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(plain.MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{label}: cannot be read: {error.strerror}") from None
    except ValueError:  # a path with a zero byte
        raise InputError(f"{label}: is no path of a file") from None
    if len(content) > plain.MAX_BYTES:
        raise InputError(f"{label}: is larger than {plain.MAX_BYTES:,} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{label}: not a text file in UTF-8") from None
