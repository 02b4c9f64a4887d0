"""What one browser session may ask of a server that others use too."""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

from twin.constants import MU_EARTH_KM3_S2, R_EARTH_KM
from twin.errors import InputError
from twin.scenario.schema import Scenario
from twin.scenario.world import ElementSets
from twin.space import constellation as constellations

MAX_SATELLITES: Final = 12_000
MAX_SATELLITE_STEPS: Final = 40_000_000
MAX_TOKENS_PER_STEP: Final = 4096
MAX_DRAWN_TOKENS: Final = 64
MAX_REQUESTS: Final = 1_000_000
MAX_REQUEST_TOKENS: Final = 1_000_000_000
MAX_RUN_S: Final = 1800.0
MAX_SIDE_BY_SIDE: Final = 4

AT_WORK: Final = threading.BoundedSemaphore(2)
"""Held by those who compute: two at a time on one server, the others wait."""

WAITING: Final = "Waiting: others are computing on this server"
TURN_S: Final = 0.2

_ALTITUDE_KM: Final = 1000.0
"""Of several shells, for an estimate of how long a run is."""

_COUNTED: Final = {
    "walker": "constellation.planes",
    "shells": "constellation.shells",
    "tle": "constellation.tle",
}
"""The field that says how many satellites there are, by kind of constellation."""

_LINE: list[object] = []


@contextmanager
def turn(is_over: Callable[[], bool], tell: Callable[[str], None]) -> Iterator[bool]:
    """Take a place among those who compute; gives False where that `is_over` before there is one.

    Parameters
    ----------
    is_over : callable
        Asked again and again whether to wait no longer.
    tell : callable
        Called with the reason for a wait.
    """
    mine = object()
    _LINE.append(mine)
    try:
        while not (got := AT_WORK.acquire(timeout=TURN_S)) and not is_over():
            tell(WAITING)
    finally:
        _LINE.remove(mine)
    try:
        yield got
    finally:
        if got:
            AT_WORK.release()


def waiting() -> bool:
    """Whether somebody waits for others to be done."""
    return bool(_LINE)


def _expected_requests(scenario: Scenario) -> float:
    """How many requests come in a run at their rate; 0 where none come so."""
    simulation, requests = scenario.simulation, scenario.requests
    if scenario.serving.mode == "tokens" or requests.arrivals in ("closed", "trace"):
        return 0.0
    if simulation.orbits is None:
        return float(requests.rate_per_s * simulation.steps * (simulation.step_s or 0.0))
    altitude_km = getattr(scenario.constellation, "altitude_km", _ALTITUDE_KM)
    period_s = 2 * math.pi * math.sqrt((R_EARTH_KM + altitude_km) ** 3 / MU_EARTH_KM3_S2)
    return float(requests.rate_per_s * simulation.orbits * period_s)


def satellites(scenario: Scenario) -> int:
    """How many satellites there are; of element sets as many as are in service."""
    body = scenario.constellation
    if body.kind != "tle":
        return body.size
    size, wrong = _in_service(body.model_dump_json(), scenario.simulation.start_utc)
    if wrong:
        raise InputError(f"{_COUNTED[body.kind]}: {wrong}")
    return size


@lru_cache(maxsize=32)
def _in_service(table: str, start_utc: str | None) -> tuple[int, str]:
    """The same of a table of element sets, or what is wrong with it; the form asks at every key."""
    try:
        found = constellations.from_element_sets(ElementSets.model_validate_json(table), start_utc)
    except InputError as error:
        return 0, str(error)
    return found.size, ""


def check(scenario: Scenario) -> None:
    """Refuse what is too large for a page; the command line allows more.

    Raises
    ------
    InputError
        With field, value and what is allowed.
    """
    body, steps = scenario.constellation, scenario.simulation.steps
    if scenario.requests.half_width:
        raise InputError(
            "requests.half_width: the page shows runs whose end is known; `twin run` allows others"
        )
    size, inside = satellites(scenario), _expected_requests(scenario)
    each = scenario.requests.prompt_tokens + scenario.requests.output_tokens
    counted = _COUNTED[body.kind]
    drawn = scenario.simulation.record_tokens_per_step
    told = (
        (counted, "satellites", size, MAX_SATELLITES),
        ("simulation.steps", "satellites times steps", size * steps, MAX_SATELLITE_STEPS),
        (
            "workload.tokens_per_step",
            "tokens",
            scenario.workload.tokens_per_step,
            MAX_TOKENS_PER_STEP,
        ),
        ("simulation.record_tokens_per_step", "tokens", drawn, MAX_DRAWN_TOKENS),
        ("requests.rate_per_s", "requests", round(inside), MAX_REQUESTS),
        ("requests.rate_per_s", "tokens of requests", round(inside * each), MAX_REQUEST_TOKENS),
    )
    for field, what, value, most in told:
        if value > most:
            raise InputError(
                f"{field}: {value:,} {what} are more than the {most:,} that the page allows; "
                "`twin run` allows more"
            )
