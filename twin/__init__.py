"""An orbital twin for language models that run across satellites.

The functions of `twin.api` go by `twin.load_scenario`, `twin.run` and so on. They are imported
when first used: the import of a single module should not wait for all of it.
"""

import os as _os

if not _os.access(f"{__path__[0]}/__pycache__", _os.W_OK):
    # Before anything imports numba, which keeps what it compiles there.
    from twin.compiling import find_cache as _find_cache

    _find_cache()

TYPE_CHECKING = False  # typing has it too, but takes longer to import than all else here
if TYPE_CHECKING:
    from twin.api import (
        compare,
        fork,
        load_plugins,
        load_scenario,
        open_run,
        open_study,
        passes,
        place,
        route,
        run,
        sweep,
    )

__all__ = [
    "compare",
    "fork",
    "load_plugins",
    "load_scenario",
    "open_run",
    "open_study",
    "passes",
    "place",
    "route",
    "run",
    "sweep",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'twin' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module("twin.api"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
