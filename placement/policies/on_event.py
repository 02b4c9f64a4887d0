"""Plan again when something happens to a host."""

from placement.policies.telemetry import Proposal, Propose, Telemetry
from twin.errors import InputError
from twin.vocabulary import TRIGGERS, Reason

EVENTS = TRIGGERS

_DEFAULT = ",".join((Reason.BROWN_OUT, Reason.FAULT, Reason.SOC_LOW))


def on_event(
    view: Telemetry,
    propose: Propose,
    *,
    events: str = _DEFAULT,
    repair: bool = True,
    hold_steps: int = 0,
) -> Proposal | None:
    """Repair the placement, or make a new plan, after any of the named events.

    Parameters
    ----------
    view : Telemetry
    propose : Propose
    events : str
        Comma-separated, of `EVENTS`.
    repair : bool
        Whether to move only what sits badly; a plan from scratch where that finds no room.
    hold_steps : int
        Age below which a plan is kept whatever happens.
    """
    named = [event.strip() for event in events.split(",")]
    for event in named:
        if event not in EVENTS:
            raise InputError(
                f"policy 'on-event': unknown event {event!r}; known: {', '.join(EVENTS)}"
            )
    happened = [event for event in named if event in view.events]
    if not happened or view.steps_since_plan < hold_steps:
        return None
    proposal = propose(happened[0], repair=True) if repair else None
    return proposal or propose(happened[0])
