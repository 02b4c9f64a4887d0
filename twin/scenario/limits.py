"""What is too much to compute: products of a scenario's fields, refused before any work begins.

Each bound keeps the memory that one thing takes to about a gigabyte. Time has no bound of its own:
a long run shows how far it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import pi, sqrt
from typing import TYPE_CHECKING, Final

from twin.constants import MU_EARTH_KM3_S2, R_EARTH_KM
from twin.errors import InputError

if TYPE_CHECKING:
    from twin.scenario.schema import Scenario
    from twin.scenario.serving import Requests

MIN_STEP_S: Final = 1e-3
MAX_STEP_S: Final = 100_000.0
"""A little more than the period of the highest orbit."""
MAX_SATELLITES: Final = 30_000
"""A planner may want the delay between any two."""
MAX_STATES: Final = 30_000_000
"""Positions of satellites held at a time."""
MAX_LOOKS: Final = 5_000_000
"""Pairs of a site and a satellite: whether they see each other is looked at every two minutes."""
MAX_EPOCHS: Final = 10_000
"""Choices of a satellite within a step."""
MAX_ROWS: Final = 500_000_000
"""Of the table of satellites, which takes 10 to 50 bytes each on disk."""
MAX_RECORDED: Final = 20_000_000
"""Tokens recorded with every hop."""
MAX_REQUESTS: Final = 1_000_000
"""That come within a step."""
FORECAST_SAMPLE_S: Final = 60.0
"""Distance of the instants that a planner's forecast of light looks at."""


def check(scenario: Scenario, satellites: int, altitude_km: float) -> None:
    """Refuse a scenario that asks for more than can be computed.

    Parameters
    ----------
    scenario : Scenario
    satellites : int
    altitude_km : float
        Of the highest shell.

    Raises
    ------
    InputError
        With the field to change, what it leads to and how much is allowed.
    """
    period_s = 2 * pi * sqrt((R_EARTH_KM + altitude_km) ** 3 / MU_EARTH_KM3_S2)
    step_s = _step_s(scenario, period_s)
    amounts = (*_of_space(scenario, satellites, period_s, step_s), *_of_time(scenario, satellites))
    for field, amount, what, most in amounts:
        if amount > most:
            raise InputError(f"{field}: {amount:,.0f} {what} are more than the {most:,} allowed")


def _step_s(scenario: Scenario, period_s: float) -> float:
    simulation = scenario.simulation
    if simulation.step_s is not None:
        return simulation.step_s
    step_s = (simulation.orbits or 0.0) * period_s / simulation.steps
    if not MIN_STEP_S <= step_s <= MAX_STEP_S:
        raise InputError(
            f"simulation.orbits: {simulation.orbits:g} orbits in {simulation.steps:,} steps make "
            f"steps of {step_s:g} s; allowed are {MIN_STEP_S:g} to {MAX_STEP_S:,.0f} s"
        )
    return step_s


type _Amounts = Iterator[tuple[str, float, str, int]]


def _of_space(scenario: Scenario, n: int, period_s: float, step_s: float) -> _Amounts:
    """What grows with the constellation, and with how far ahead it is looked at."""
    steps = scenario.simulation.longest_steps
    body, ground = scenario.constellation, scenario.ground
    where = "constellation.planes" if body.kind == "walker" else f"constellation.{body.kind}"
    yield where, n, "satellites", MAX_SATELLITES
    chunk = min(scenario.propagation.chunk_steps, steps) * n
    yield "propagation.chunk_steps", chunk, "positions held at a time", MAX_STATES
    snapshots = min(scenario.placement.planning_snapshots, steps) * n
    yield "placement.planning_snapshots", snapshots, "positions planned on", MAX_STATES
    ahead_s = min(period_s, steps * step_s)
    yield where, n * ahead_s / FORECAST_SAMPLE_S, "positions of the forecast", MAX_STATES
    reports = min(scenario.controller.telemetry_delay_s / step_s, steps) * n
    yield "controller.telemetry_delay_s", reports, "reports of satellites kept", MAX_STATES
    sites = 50 if ground.users is not None else len(ground.sites)
    yield "ground.sites", sites * n, "pairs of a site and a satellite", MAX_LOOKS
    if sites:
        epochs = step_s / ground.scheduling_epoch_s
        yield "ground.scheduling_epoch_s", epochs, "choices within a step", MAX_EPOCHS
    if scenario.serving.mode == "requests":
        yield from _of_requests(scenario.requests, step_s)


def _of_requests(table: Requests, step_s: float) -> _Amounts:
    """Requests that may come within a step; those of a trace are counted when it is read."""
    what = "requests within a step"
    if table.arrivals == "closed":
        yield "requests.users", table.users * (1.0 + step_s / table.think_s), what, MAX_REQUESTS
    elif table.arrivals != "trace":
        coming = table.rate_per_s * (1.0 + table.daily) * step_s
        yield "requests.rate_per_s", coming, what, MAX_REQUESTS


def _of_time(scenario: Scenario, satellites: int) -> _Amounts:
    """What a run writes."""
    simulation, steps = scenario.simulation, scenario.simulation.longest_steps
    rows = satellites * (steps / simulation.record_satellites_every)
    yield "simulation.record_satellites_every", rows, "rows of satellites", MAX_ROWS
    workload = scenario.workload
    presented = workload.tokens_per_step * (1 + min(workload.retries, steps))
    tokens = steps * min(simulation.record_tokens_per_step, presented)
    yield "simulation.record_tokens_per_step", tokens, "tokens with their hops", MAX_RECORDED
