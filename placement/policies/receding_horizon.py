"""Plan on what can be predicted, and move only where that pays for itself."""

from placement.policies.telemetry import Proposal, Propose, Telemetry
from twin.vocabulary import Reason

_URGENT = frozenset({Reason.BROWN_OUT, Reason.FAULT})


def receding_horizon(
    view: Telemetry,
    propose: Propose,
    *,
    every_steps: int = 8,
    fresh_steps: int = 40,
    min_gain: float = 0.02,
    token_s_per_gb: float = 100.0,
) -> Proposal | None:
    """Compare a repair, or a new plan, with the placement in force on the forecast.

    The forecast reaches to the horizon. It knows orbits, shadow, batteries and passes, and the
    statistics of outages. A new plan is made where even a repair would miss what the plan in force
    had promised, or where that plan has been repaired: repairs save tokens at once but add up to
    detours. Planning takes time, so it is not done too often. A proposal is adopted if it
    makes tokens faster (lost ones count in `objective_s`) by more than `min_gain`, and saves more
    token-seconds until the horizon than its bytes cost.

    Parameters
    ----------
    view : Telemetry
    propose : Propose
    every_steps : int
        Steps between looks; after a brown-out or a fault it looks at once.
    fresh_steps : int
        Steps between looks at which it may plan afresh.
    min_gain : float
        Share of the present objective that a change has to save: hysteresis.
    token_s_per_gb : float
        What moving a GB may cost, in seconds of waiting tokens.
    """
    reason = _reason(view, every_steps)
    if reason is None:
        return None
    repaired = propose(reason, repair=True)
    afresh = view.step % max(fresh_steps, 1) < max(every_steps, 1)
    kept = (
        repaired is not None
        and repaired.objective_s <= view.promised_s * (1 + min_gain)
        and not view.repaired
    )
    fresh = propose(reason) if repaired is None or (afresh and not kept) else None
    best = _best(repaired, fresh, min_gain=min_gain)
    if best is None:
        return None
    saved_s = (best.current_s - best.objective_s) * best.horizon_tokens
    return best if saved_s > best.moved_bytes / 1e9 * token_s_per_gb else None


def clairvoyant(view: Telemetry, propose: Propose, *, every_steps: int = 8) -> Proposal | None:
    """Plan with the true future until the next plan, and move at once, at no cost.

    No other policy knows future links, faults and users' choices. For a strategy, the result shows
    about how much moving could gain at most.
    """
    reason = _reason(view, every_steps)
    if reason is None:
        return None
    known_steps = max(every_steps, 1)
    repaired = propose(reason, repair=True, known_steps=known_steps)
    return _best(repaired, propose(reason, known_steps=known_steps), min_gain=0.0)


def _reason(view: Telemetry, every_steps: int) -> str | None:
    """Why to look now; None if it is not the time."""
    urgent = sorted(view.events & _URGENT)
    if view.migrating or (view.step % max(every_steps, 1) and not urgent):
        return None
    return urgent[0] if urgent else Reason.HORIZON


def _best(*proposals: Proposal | None, min_gain: float) -> Proposal | None:
    """The one with the lowest objective, if that is lower than the present by more than a share."""
    there = [proposal for proposal in proposals if proposal is not None]
    best = min(there, key=lambda p: p.objective_s, default=None)
    if best is None or best.current_s - best.objective_s <= min_gain * best.current_s:
        return None
    return best
