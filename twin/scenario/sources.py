"""Where the text of a scenario or a study comes from: a preset by name, or a file by path."""

from importlib import resources
from pathlib import Path

from twin.errors import InputError


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
            "or give the path of a .toml file"
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
    try:
        return name, Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{name}: not a text file in UTF-8") from None
