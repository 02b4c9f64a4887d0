"""A widget of the page's scripts that asks, piece by piece, and is answered."""

import logging
from typing import Any

import traitlets

from twin.errors import InputError
from twin.views.bundle import Bundled
from twin.views.public import FAILED, public

log = logging.getLogger(__name__)


class Asking(Bundled):
    """A part of the page beside the stage.

    Attributes
    ----------
    part : str
        Which of the scripts' parts it is.
    near : bool
        Whether this visitor may change runs: see `twin.views.keeping.may`.
    """

    part = traitlets.Unicode().tag(sync=True)
    near = traitlets.Bool(False).tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_msg(self._asked)

    def found(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer a question; `InputError` says what is wrong with it."""
        raise NotImplementedError

    def _asked(self, _: Any, content: Any, buffers: Any) -> None:  # noqa: ARG002
        if isinstance(content, dict) and isinstance(content.get("ask"), int):
            self.send({"answer": content["ask"], **self._answer(content)})

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            return self.found(asked)
        except InputError as wrong:
            return {"wrong": public(str(wrong))}
        except Exception:
            log.exception("a question of the page failed")
            return {"wrong": FAILED}
