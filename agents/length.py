"""How long a run takes: as its scenario says, or on until its mean time is known well enough.

What must know how long a run may take at most is told so from the beginning: plans, links that come
to be, room for counts. Only when it ends is open, so that it can be put off as it goes; until then
nothing is otherwise than in a run of that length.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isnan
from typing import Any, Final

import pyarrow as pa

from agents.model import TwinModel
from agents.request_rows import unfinished_rows
from agents.requests import stops_s
from twin.runs.figures import FIGURES
from twin.runs.requested import requested
from twin.runs.rows import Rows
from twin.runs.run_figure import RunTotals
from twin.scenario.schema import Scenario

_PARTS: Final = 10
"""A run goes on for one such part of its length at a time.

Whether its mean is known is looked at after each, not after each step: the more often, the sooner
an interval is found narrow by chance.
"""


def last_chance(scenario: Scenario, step_s: float) -> int:
    """Step before which the end of a run may still be put off, since arrivals have not stopped."""
    return scenario.simulation.steps - ceil(scenario.requests.drain_s / step_s)


def put_off(model: TwinModel, rows: Rows) -> bool:
    """Put a run's end off if it is time to decide and its mean is not known; say whether."""
    time, asked = model.config.simulation, model.config.requests
    if not asked.half_width or time.steps >= time.most_steps:
        return False
    if model.network.state.step != last_chance(model.config, model.world.step_s):
        return False
    if _half_width_share(model, rows) <= asked.half_width:
        return False
    last(model, min(time.steps + -(-time.steps // _PARTS), time.most_steps))
    return True


def last(model: TwinModel, steps: int) -> None:
    """Let a model end after a number of steps, before arrivals have stopped."""
    time, step_s = model.config.simulation, model.world.step_s
    if steps == time.steps:
        return
    longer = time.model_copy(update={"steps": steps, "step_s": step_s, "orbits": None})
    model.config = model.config.model_copy(update={"simulation": longer})
    if model.requests is not None:
        model.requests.stops_s = stops_s(model)
    model.running = model.network.state.step < steps


def prolonged(model: TwinModel, asked: Scenario, rows: Rows | None = None) -> dict[str, Any] | None:
    """How long a run takes that may go on, for its manifest; None for any other.

    Parameters
    ----------
    model : TwinModel
    asked : Scenario
        As the run was asked for.
    rows : Rows, optional
        All of the run's, once it is over: then also how well it knows its mean.
    """
    target = asked.requests.half_width
    if not target:
        return None
    found = {
        "asked_steps": asked.simulation.steps,
        "most_steps": asked.simulation.most_steps,
        "steps": model.config.simulation.steps,
        "step_s": model.world.step_s,
        "half_width": target,
    }
    if rows is None:
        return found
    share = _drawn(_SoFar(model.config, rows, {}))
    known = None if isnan(share) else share
    return found | {"half_width_share": known, "reached": share <= target}


def told(found: Mapping[str, Any]) -> str:
    """The same as a sentence."""
    share = found["half_width_share"]
    how = "fewer than 100 requests count" if share is None else f"half-width {100 * share:.3g} %"
    # Else it would have gone on.
    early = not found["reached"] and found["steps"] < found["most_steps"]
    before = ", though it was when arrivals stopped" if early else ""
    return (
        f"the mean time of a request from end to end is {'' if found['reached'] else 'not '}known "
        f"within {100 * found['half_width']:g} % ({how}) after {found['steps']:,} steps{before}; "
        f"{found['asked_steps']:,} were asked for, {found['most_steps']:,} allowed"
    )


def _half_width_share(model: TwinModel, rows: Rows) -> float:
    """The figure that a run would have if it ended here."""
    asked = model.config.requests.model_copy(update={"drain_s": 0.0})
    scenario = model.config.model_copy(update={"requests": asked})
    return _drawn(_SoFar(scenario, rows, {"requests": unfinished_rows(model)}))


def _drawn(run: "_SoFar") -> float:
    nothing: dict[str, Any] = {"row": {}, "events": {}, "conclusion": {}, "wall_time_s": 0.0}
    totals = RunTotals(**nothing, requests=requested(run))
    share = FIGURES["request_e2e_half_width_share"].draw(totals)
    return float("nan") if share is None else share


@dataclass(frozen=True)
class _SoFar:
    """Tables of a run that is being written, as if some more rows were in them."""

    scenario: Scenario
    rows: Rows
    more: Mapping[str, Mapping[str, Any]]

    def table(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        found = self.rows.so_far(name)
        if name in self.more:
            extra = Rows(self.scenario)
            extra.add(name, self.more[name])
            found = pa.concat_tables([found, extra.waiting(name)]).unify_dictionaries()
        return found if columns is None else found.select(columns)
