"""Where should inference live: the same requests, on boards of one kind, in several places.

Each case serves a day, which shows times and energy, and is loaded in short runs until it misses
the deadlines, which shows what it carries. Whatever differs between cases is a field.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from twin.errors import InputError
from twin.moe.boards import BOARDS
from twin.moe.presets import MODEL_CARDS
from twin.runs.store import Run
from twin.runs.summary import summarise
from twin.scenario.schema import Scenario
from twin.study.capacity import Found, capacity
from twin.study.cases import Case
from twin.study.kept import AGAIN, Kept, keys_of
from twin.study.places import PLACES, changed, placed
from twin.study.pool import Pool
from twin.study.trials import ran
from twin.world.spacecraft import bus_profile

WINDOW_STEPS: Final = 30
"""Steps of the runs that find what a case carries."""

DAY: Final = (
    "requests_served_share",
    "goodput_share",
    "request_ttft_p50_s",
    "request_ttft_p95_s",
    "request_tpot_p50_s",
    "request_tpot_p99_s",
    "request_e2e_p95_s",
    "request_gap_p99_s",
    "request_energy_per_token_j",
    "requests_counted",
    "brown_outs",
)
"""Figures of the day."""


@dataclass(kw_only=True)
class WhereCase:
    """A model on boards of one kind in one place, and what became of it.

    Attributes
    ----------
    place, board, model : str
    scenario : Scenario or None
        None where it cannot be.
    error : str or None
        Why it cannot be served there.
    days : list of dict
        Figures of each replicate's day, and ``machines``, which host a part of the model.
    found : Found or None
        What it carries.
    """

    place: str
    board: str
    model: str
    scenario: Scenario | None = None
    error: str | None = None
    days: list[dict[str, Any]] = field(default_factory=list)
    found: Found | None = None

    @property
    def name(self) -> str:
        """All three."""
        return f"{self.place}, {self.board}, {self.model}"

    def mean(self, name: str) -> float:
        """A figure of the day, mean over replicates; NaN where there is none."""
        values = [np.nan if day[name] is None else float(day[name]) for day in self.days]
        return float(np.mean(values)) if values else float("nan")

    def carried(self, name: str) -> float:
        """The same at the highest load within the deadlines."""
        trial = None if self.found is None else self.found.carried
        return float("nan") if trial is None else float(trial.values(name).mean())

    @property
    def power_w(self) -> float:
        """Draw of the boards that host a part at that load, idle ones included."""
        if self.scenario is None:
            return float("nan")
        bus, centre = bus_profile(self.scenario), self.scenario.ground.data_centre
        idle_w = self.mean("machines") * bus.compute_idle_w * (centre.pue if centre else 1.0)
        joules = self.carried("request_energy_per_token_j")
        return idle_w + self.carried("tokens_out_per_s") * joules


def cases_of(
    scenario: Scenario, *, places: Sequence[str], boards: Sequence[str], models: Sequence[str]
) -> list[WhereCase]:
    """Put every model on every kind of board in every place; those that find no room say why.

    Raises
    ------
    InputError
        If a place, board or model is unknown.
    """
    for place in places:
        if place not in PLACES:
            raise InputError(f"--places: {place!r} is none of {', '.join(PLACES)}")
    for board in boards:
        BOARDS[board]  # refused here, once, if it is unknown
    for model in models:
        MODEL_CARDS[model]
    found = []
    for model in models:
        for board in boards:
            fields = {"model.card": model, "compute.board": board}
            base = changed(scenario, fields)
            for place in places:
                case = WhereCase(place=place, board=board, model=model)
                try:
                    case.scenario = placed(base, place)
                except InputError as error:
                    case.error = str(error)
                found.append(case)
    return found


def where(
    cases: Sequence[WhereCase],
    *,
    replicates: int,
    share: float,
    kept: Kept,
    pool: Pool,
) -> None:
    """Serve a day in every case that can be, and find what it carries.

    Parameters
    ----------
    cases : sequence of WhereCase
        What is found is written here.
    replicates : int
    share, kept, pool
        As in `twin.study.capacity.capacity`.
    """
    able = [(case, case.scenario) for case in cases if case.scenario is not None]
    _serve_days(able, replicates, kept, pool)
    served = [(case, scenario) for case, scenario in able if case.error is None]
    loads = [Case(name=case.name, scenario=_window(scenario)) for case, scenario in served]
    runs = max(replicates, 2)  # an interval takes two
    found = capacity(
        loads,
        share=share,
        replicates=runs,
        most_replicates=runs,
        within=1.0,
        kept=kept,
        pool=pool,
    )
    for (case, _), one in zip(served, found, strict=True):
        case.found = one


def _serve_days(
    cases: Sequence[tuple[WhereCase, Scenario]], replicates: int, kept: Kept, pool: Pool
) -> None:
    scenarios = [scenario for _, scenario in cases]
    found = pool.map(
        run_day,
        [(scenario, r) for scenario in scenarios for r in range(replicates)],
        keys=keys_of(scenarios, replicates, "day"),
        kept=kept,
        advice=AGAIN,
    )
    for n, (case, _) in enumerate(cases):
        results = found[n * replicates : (n + 1) * replicates]
        case.error = next((of["error"] for of in results if of["error"] is not None), None)
        case.days = [] if case.error else [of["figures"] for of in results]


def _window(scenario: Scenario) -> Scenario:
    """The start of the day, the last third of it without new requests."""
    step_s = scenario.simulation.step_s or 60.0
    drain_s = WINDOW_STEPS * step_s / 3.0
    return changed(scenario, {"simulation.steps": WINDOW_STEPS, "requests.drain_s": drain_s})


def run_day(scenario: Scenario, replicate: int) -> dict[str, Any]:
    """Serve a scenario in a temporary folder; return its figures, or why there are none."""
    try:
        with ran(scenario, replicate) as run:
            figures, machines = summarise(run), _machines(run)
    except InputError as error:
        return {"error": str(error), "figures": {}}
    return {"error": None, "figures": {n: figures[n] for n in DAY} | {"machines": machines}}


def _machines(run: Run) -> int:
    """Satellites that host a part of the model at the start; of a data centre all its boards."""
    if run.scenario.ground.data_centre is not None:
        return run.scenario.ground.data_centre.boards
    table = run.table("placements", ["placement", "satellite"])
    first = table["placement"].to_numpy() == 0
    return len(np.unique(table["satellite"].to_numpy()[first]))
