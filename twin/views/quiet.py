"""Settings of Solara's server that every page of ours wants, and what it must not do or say."""

import logging
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import reacton.core
from solara.server import settings

from twin.views import document
from twin.views.guard import Guard
from twin.views.public import FAILED, plain

log = logging.getLogger(__name__)

SWITCH_INTERVAL_S = 5e-4
"""How long a thread that computes keeps others waiting; Python's own 5 ms are those of a picture's
many messages."""


def prepare(*, ahead: document.Ahead = lambda _: None) -> None:
    """Before the server answers its first request: a page of ours, and no calls to other hosts.

    Parameters
    ----------
    ahead : callable
        Called with what an address asks for as soon as a browser wants the page.
    """
    settings.main.mode = "production"
    settings.telemetry.mixpanel_enable = False
    settings.theme.variant = settings.ThemeVariant.dark
    settings.theme.title = "Orbital Twin"
    settings.theme.show_banner = False
    # After a restart of the server a page loads again; its address says what it shows.
    settings.theme.force_refresh = True
    # A tab that lost its connection may come back within this; then its session ends.
    settings.kernel.cull_timeout = "60s"
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    logging.setLogRecordFactory(_Record)
    reacton.core.traceback = _Untold("traceback")
    # There where this page is served; a test or a notebook shows its parts without a server.
    starlette = sys.modules.get("solara.server.starlette")
    if starlette is not None:
        _prepare_server(starlette, ahead)


def _prepare_server(starlette: ModuleType, ahead: document.Ahead) -> None:
    served = starlette.app
    if isinstance(served.middleware_stack, Guard):
        return
    starlette.appmod.traceback = _Untold("traceback")
    vars(starlette)["get_path"] = installed
    starlette.server.read_root = document.ours(starlette.server.read_root, starlette.server, ahead)
    stack = served.middleware_stack or served.build_middleware_stack()
    served.middleware_stack = Guard(stack, settings.main.base_url)


def installed(folder: Path, path: str) -> Path:
    """Where an asset that comes with Solara lies.

    Solara itself asks another host for one that is not there, and deletes a folder of that name.
    """
    file = Path(folder, path)
    if ".." in file.parts or not file.is_file():
        raise FileNotFoundError(path)
    return file


class _Untold(ModuleType):
    """The module `traceback` for those who show what it says to visitors: it goes to the log."""

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)

    def format_exception(self, *error: Any) -> list[str]:
        log.error(
            "the page failed", exc_info=next(e for e in error if isinstance(e, BaseException))
        )
        return [FAILED]


class _Record(logging.LogRecord):
    """A line of the log; what visitors sent reaches no terminal as control characters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = plain(logging.Formatter().formatException(self.exc_info))

    def getMessage(self) -> str:  # noqa: N802 (logging's name)
        return plain(super().getMessage())
