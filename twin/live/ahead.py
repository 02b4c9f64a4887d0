"""Outlook and advice of a live run as plain data, for the commands and the page."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.live import advice
from twin.live.filter import Priors
from twin.live.forecast import LEVELS, Basis, look_ahead
from twin.live.forks import Course, Live, course, newest
from twin.live.names import names_of
from twin.world.spacecraft import bus_profile
from twin.world.world import World

type Array = NDArray[np.float64]
type Progress = Callable[[int, int], None]

MOST_AT_RISK = 20


def horizon(live: Live, orbits: float) -> int:
    """Steps of so many orbits, no more than the scenario has left."""
    world = World(live.scenario)
    left = live.scenario.simulation.steps - live.step
    return max(min(round(orbits * world.period_s / world.step_s), left), 0)


def outlook_of(
    folder: Path, *, orbits: float, members: int, forks: int, progress: Progress
) -> dict[str, Any]:
    """Forecast a live run from its newest checkpoint; bands are quantiles at 5, 50 and 95 %.

    Raises
    ------
    InputError
        If there is no checkpoint.
    """
    live = newest(folder)
    steps, mine = horizon(live, orbits), live.mirror
    basis = Basis(
        step=live.step,
        filter=mine.filter,
        loads=mine.loads,
        sets=mine.sets,
        powered=live.twin.energy.powered,
    )
    found = look_ahead(live.scenario, basis, steps=steps, priors=Priors(), members=members)
    low, _, high = found.bands
    bands = {
        "smallest charge of the fleet": _quantiles(found.lowest.min(axis=1)),
        "satellites that lose power": _quantiles((found.lowest <= _brownout(live)).sum(axis=1)),
    }
    each = []
    for member in range(forks):
        each.append(course(live, member, steps))
        progress(member + 1, forks)
    if each:
        bands |= _of_courses(each)
    names = names_of(live.scenario).satellites
    risky = [i for i in np.argsort(-found.dark).tolist() if found.dark[i] > 0][:MOST_AT_RISK]
    return {
        "step": live.step,
        "steps": found.steps,
        "members": members,
        "forks": forks,
        "bands": bands,
        "width_mean": float(np.mean(high - low)),
        "at_risk": [
            {"name": names[i], "share": float(found.dark[i]), "low": float(low[i])} for i in risky
        ],
    }


def _brownout(live: Live) -> float:
    return bus_profile(live.scenario).brownout_soc


def _of_courses(each: Sequence[Course]) -> dict[str, list[float]]:
    bands = {
        "served share": _quantiles(np.array([one.served.mean() for one in each])),
        "latency of a token, s": _quantiles(np.array([np.nanmean(one.latency_s) for one in each])),
        "most satellites without power": _quantiles(np.array([one.off.max() for one in each])),
    }
    ttft_s = np.array([one.ttft_s for one in each])
    if np.isfinite(ttft_s).any():
        bands["time to the first token, s"] = _quantiles(np.nanmedian(ttft_s, axis=1))
    return bands


def _quantiles(of_members: NDArray[Any]) -> list[float]:
    return [float(value) for value in np.quantile(of_members, LEVELS)]


def advice_of(
    folder: Path,
    wanted: Sequence[advice.Choice],
    *,
    orbits: float,
    members: int,
    progress: Progress,
) -> dict[str, Any]:
    """Compare what could be done from a live run's newest checkpoint on.

    Raises
    ------
    InputError
        If there is no checkpoint.
    """
    live = newest(folder)
    steps = horizon(live, orbits)
    options = advice.advise(live, wanted, steps=steps, members=members, progress=progress)
    return advised(live, options, steps=steps, members=members)


def advised(
    live: Live, options: Sequence[advice.Option], *, steps: int, members: int
) -> dict[str, Any]:
    """Return advice as plain data, and what follows from it."""
    chosen = advice.best(options)
    plain = [_plain(option) for option in options]
    foretold = {advice.NOTHING: options[0].still} if options else {}
    if chosen is not None:
        foretold = {advice.NOTHING: chosen.still, chosen.strategy: chosen.shares}
    return {
        "step": live.step,
        "steps": steps,
        "members": members,
        "options": plain,
        "advice": _sentence(chosen),
        "strategy": advice.NOTHING if chosen is None else chosen.strategy,
        "foretold": {name: shares.round(5).tolist() for name, shares in foretold.items()},
    }


def _plain(option: advice.Option) -> dict[str, Any]:
    large = ("placement", "shares", "still")
    return {name: value for name, value in asdict(option).items() if name not in large}


def _sentence(chosen: advice.Option | None) -> str:
    if chosen is None:
        return "do nothing: no placement is surely better over this horizon"
    until = "beyond the horizon" if chosen.pays_until is None else f"until step {chosen.pays_until}"
    gains = []
    if chosen.served.sure:
        gains.append(f"{100 * chosen.served.mean:.2f} points more tokens served")
    if chosen.latency.sure:
        gains.append(f"{1e3 * chosen.latency.mean:.1f} ms less a token")
    moved = f"moves {chosen.moved_bytes / 1e9:.3g} GB"
    how = {
        advice.Kind.STRATEGY: f"plan with {chosen.strategy}",
        advice.Kind.POLICY: f"leave it to policy {chosen.strategy}",
        advice.Kind.DISPATCH: f"dispatch by {chosen.strategy}",
    }
    return f"{how[chosen.kind]}: {', '.join(gains)}; {moved}, pays {until}"
