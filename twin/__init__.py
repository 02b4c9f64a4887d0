"""An orbital twin for language models that run across satellites.

The functions of `twin.api`, `twin.questions` and `twin.results` go by `twin.load_scenario`,
`twin.run` and so on. They are imported when first used: the import of a single module should not
wait for all of it.
"""

import os as _os

_cache = f"{__path__[0]}/__pycache__"
if not _os.access(_cache if _os.path.isdir(_cache) else __path__[0], _os.W_OK):  # noqa: PTH112
    # Before anything imports numba, which keeps what it compiles there.
    from twin.compiling import find_cache as _find_cache

    _find_cache()

TYPE_CHECKING = False  # typing has it too, but takes longer to import than all else here
if TYPE_CHECKING:
    from twin.api import (
        fork,
        load_plugins,
        load_scenario,
        open_run,
        open_study,
        passes,
        route,
        run,
        sweep,
    )
    from twin.questions import capacity, compare, place, where
    from twin.results import events, export_run, summary, write_report

    __version__: str

__all__ = [
    "capacity",
    "compare",
    "events",
    "export_run",
    "fork",
    "load_plugins",
    "load_scenario",
    "open_run",
    "open_study",
    "passes",
    "place",
    "route",
    "run",
    "summary",
    "sweep",
    "where",
    "write_report",
]
_ELSEWHERE = {
    "twin.questions": ("capacity", "compare", "place", "where"),
    "twin.results": ("events", "export_run", "summary", "write_report"),
}
"""Modules beside `twin.api`, and what is in them."""


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("orbital-twin")
    if name not in __all__:
        raise AttributeError(f"module 'twin' has no attribute {name!r}")
    import importlib

    from twin import clash

    clash.check()
    found = (module for module, names in _ELSEWHERE.items() if name in names)
    return getattr(importlib.import_module(next(found, "twin.api")), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
