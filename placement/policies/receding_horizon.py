"""Plan on what can be predicted, and move only where that pays for itself."""

from placement.policies.telemetry import Proposal, Propose, Telemetry

_URGENT = frozenset({"brown-out", "fault"})


def receding_horizon(
    view: Telemetry,
    propose: Propose,
    *,
    every_steps: int = 8,
    fresh_steps: int = 40,
    min_gain: float = 0.02,
    token_s_per_gb: float = 100.0,
) -> Proposal | None:
    """Weigh a repair, or a fresh plan, on the forecast until the horizon, against staying.

    It plans afresh, but not too often, since that takes time, where even a repair would miss what
    the plan in force had promised, or where that has been repaired: repairs save tokens at once
    and add up to detours. The forecast knows orbits, shadow, batteries and passes;
    outages only by their statistics. A proposal is adopted if it makes tokens faster (lost ones
    count in `objective_s`) by more than `min_gain`, and saves more token-seconds until the
    horizon than its bytes cost.

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
    afresh = view.step % max(fresh_steps, 1) < max(every_steps, 1)
    return _best(view, propose, every_steps, min_gain, token_s_per_gb, afresh=afresh, truth=False)


def clairvoyant(view: Telemetry, propose: Propose, *, every_steps: int = 8) -> Proposal | None:
    """Plan on what will really happen, and be there at once: a bound that no controller reaches."""
    return _best(view, propose, every_steps, 0.005, 0.0, afresh=True, truth=True)


def _best(
    view: Telemetry,
    propose: Propose,
    every_steps: int,
    min_gain: float,
    token_s_per_gb: float,
    *,
    afresh: bool,
    truth: bool,
) -> Proposal | None:
    urgent = not view.events.isdisjoint(_URGENT)
    if view.migrating or (view.step % max(every_steps, 1) and not urgent):
        return None
    reason = next(iter(sorted(view.events & _URGENT)), "horizon")
    proposals = [p for p in [propose(reason, repair=True, truth=truth)] if p is not None]
    kept = bool(proposals) and proposals[0].objective_s <= view.promised_s * (1 + min_gain)
    kept &= not view.repaired
    if not proposals or (afresh and not kept):
        proposals += [p for p in [propose(reason, truth=truth)] if p is not None]
    if not proposals:
        return None
    best = min(proposals, key=lambda p: p.objective_s)
    gain_s = best.current_s - best.objective_s
    cost = best.moved_bytes / 1e9 * token_s_per_gb
    pays = gain_s > min_gain * best.current_s and gain_s * best.horizon_tokens > cost
    return best if pays else None
