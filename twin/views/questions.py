"""What a page asks about a run on its stage, most of it once the run is complete."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from twin.errors import InputError
from twin.runs.store import Run
from twin.views import carried, keeping, noting, records, requests, telemetry
from twin.views.columns import columns
from twin.views.following import Followed
from twin.views.growing import Growing
from twin.views.public import FAILED, public

log = logging.getLogger(__name__)

type Span = tuple[float, float]
type Answering = Callable[[Run, Mapping[str, Any], Span], dict[str, Any]]

ANSWERS: Final[dict[str, Answering]] = {
    "requests": requests.rows,
    "request": requests.life,
    "tokens": records.tokens,
    "events": records.events,
    "heat": carried.heat,
    "traffic": carried.traffic,
    "dispatch": carried.dispatch,
    "notes": noting.rows,
}
"""By what is asked."""

WRITES: Final[dict[str, Answering]] = {"note": noting.write}
"""The same of what changes a run's folder: for visitors who may."""

NOTES: Final = ("note", "notes")
"""Of these the page has to know, too, whether the visitor ``may`` write."""

NOT_YET: Final = "This can be asked when the run is complete."


def answer(
    run: Run | None,
    asked: Mapping[str, Any],
    *,
    allowed: bool = False,
    live: Followed | None = None,
    growing: Growing | None = None,
) -> dict[str, Any]:
    """Answer a question about a run; under ``wrong`` stands why there is no answer.

    Parameters
    ----------
    run : Run or None
        None where it is not complete.
    asked : mapping
        ``what``, and more of the question.
    allowed : bool
        Whether the visitor may change runs: see `twin.views.keeping.may`.
    live : Followed or None
        What follows it, if it is mirrored.
    growing : Growing or None
        Of a run that is being computed: what can be asked before it is complete.
    """
    what = str(asked.get("what"))
    if what in telemetry.ANSWERS:
        return _guarded(lambda: telemetry.answer(run, live, asked, allowed=allowed))
    answering = (ANSWERS | WRITES).get(what)
    if answering is None:
        return {"wrong": FAILED}
    if run is None:
        if what == "heat" and growing is not None:
            return _guarded(lambda: growing.heat(asked))
        return {"wrong": NOT_YET}
    return _guarded(lambda: _found(run, asked, answering, what=what, allowed=allowed))


def _found(
    run: Run, asked: Mapping[str, Any], answering: Answering, *, what: str, allowed: bool
) -> dict[str, Any]:
    if what in WRITES:
        keeping.check(allowed)
    found = answering(run, asked, _span(run))
    return found | {"may": allowed} if what in NOTES else found


def _guarded(found: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return found()
    except InputError as wrong:
        return {"wrong": public(str(wrong))}
    except Exception:
        log.exception("a question of the page failed")
        return {"wrong": FAILED}


def _span(run: Run) -> Span:
    """Start and end of a run, s since the scenario's start."""
    t_s = columns(run, "steps", ("t_s",))["t_s"].to_numpy()
    step_s = float(t_s[1] - t_s[0]) if len(t_s) > 1 else 1.0
    return float(t_s[0]), float(t_s[-1]) + step_s
