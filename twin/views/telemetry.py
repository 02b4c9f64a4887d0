"""What a page asks about a live run on its stage, whether its mirror is at work or has ended."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twin.runs.store import Run
from twin.views.following import Followed

type Answer = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A live run that is asked about: complete, or followed, or, for a moment, both.

    `allowed` says whether the visitor may change it, and `more` is what the question says.
    """

    run: Run | None
    live: Followed | None
    allowed: bool
    more: Mapping[str, Any]


def status(asked: Asked) -> Answer:
    """How far the mirror is, how old what is known of it, and whether it is at work at all."""
    if asked.run is not None or asked.live is None:
        return {"mirroring": False, "complete": True}
    return asked.live.status() | {"complete": False}


ANSWERS: Final[dict[str, Callable[[Asked], Answer]]] = {"live": status}
"""By what is asked."""


def answer(
    run: Run | None, live: Followed | None, asked: Mapping[str, Any], *, allowed: bool
) -> Answer:
    """Answer a question; ``may`` says whether the visitor may change what is kept of the run."""
    found = ANSWERS[str(asked["what"])](Asked(run, live, allowed, asked))
    return found | {"may": allowed}
