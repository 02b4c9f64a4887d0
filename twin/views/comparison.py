"""What differs between runs that stand side by side: captions, warnings, figures."""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from scipy.special import stdtrit

from twin.errors import InputError
from twin.runs.cells import text
from twin.runs.figures import FIGURES, SHORT
from twin.runs.repeats import (
    REPETITION,
    Case,
    difference,
    differing,
    fields,
    repetition,
)
from twin.runs.rules import Figure
from twin.runs.statistics import Estimate
from twin.runs.store import Run
from twin.runs.summary import figures_of_steps
from twin.scenario.schema import Scenario
from twin.views import load, whatif
from twin.views.load import LOAD

log = logging.getLogger(__name__)

type Told = dict[str, Any]
type Forked = Mapping[str, Any] | None
"""What a manifest says of a branch; None for any other run."""

AS_IT_WAS: Final = "as it was"
"""What the one run is called that branches stand beside."""

NOTHING: Final[Told] = {"captions": {}, "warnings": [], "columns": [], "cells": {}, "note": ""}

COMPARED: Final = (
    "latency_mean_s",
    "latency_p95_s",
    "tokens_served_share",
    "energy_per_token_j",
    "migrated_gb",
)
"""Figures of the table."""

OF_REQUESTS: Final = (
    "request_ttft_p50_s",
    "request_tpot_mean_s",
    "goodput_per_s",
    "requests_served_share",
    "request_energy_per_token_j",
)
"""The same where all runs serve requests."""

OF_BRANCHES: Final = (
    "request_ttft_s",
    "request_tpot_s",
    "requests_served",
    "requests_good",
    "requests_waiting",
)
"""The same of branches, over the steps that all have: figures of steps, by `twin.views.load`."""

_PLAIN = ("placement.strategy", "controller.policy")
_MOST_FIELDS = 3
_LONGEST = 48
_CONFIDENCE = 0.95


def captions(scenarios: Sequence[Scenario], forks: Sequence[Forked] = ()) -> list[str]:
    """What distinguishes the runs: the fields that differ, or what was changed in a branch."""
    if not any(forks):
        return _by_fields(scenarios)
    plain = [scenario for scenario, forked in zip(scenarios, forks, strict=True) if not forked]
    told = iter(_by_fields(plain) if len(plain) > 1 else [AS_IT_WAS])
    return [
        whatif.words(forked, scenario) if forked else next(told)
        for scenario, forked in zip(scenarios, forks, strict=True)
    ]


def _by_fields(scenarios: Sequence[Scenario]) -> list[str]:
    contents = [fields(scenario) for scenario in scenarios]
    names = differing(contents)
    if not names:
        return [scenario.placement.strategy for scenario in scenarios]
    names.sort(key=lambda name: (name not in _PLAIN, name in REPETITION))
    told = []
    for content in contents:
        parts = [_field(name, content.get(name)) for name in names[:_MOST_FIELDS]]
        more = len(names) - _MOST_FIELDS
        told.append(", ".join([*parts, *([f"{more} more"] if more > 0 else [])]))
    return told


def _field(name: str, value: Any) -> str:
    shown = "default" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    shown = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
    return shown if name in _PLAIN else f"{name.partition('.')[2]} {shown}"


def warnings(scenarios: Sequence[Scenario]) -> list[str]:
    """Why differences may come from something else than what was to be compared."""
    contents = [fields(scenario) for scenario in scenarios]
    names = differing(contents)
    told = []
    seeds = [name for name in REPETITION if name in names]
    if seeds:
        told.append(
            f"Other random numbers: {_values(seeds, contents)}. Differences are of chance too."
        )
    times = [n for n in ("simulation.step_s", "simulation.start_utc") if n in names]
    if times:
        told.append(f"Other times: {_values(times, contents)}.")
    orbits = [name for name in names if name.startswith("constellation.")]
    if orbits:
        told.append(f"Other constellations: {_values(orbits, contents)}.")
    scenario = list(dict.fromkeys(scenario.name for scenario in scenarios))
    if len(scenario) > 1:
        told.append(f"Other scenarios: {', '.join(scenario)}.")
    return told


def _values(names: Sequence[str], contents: Sequence[dict[str, Any]]) -> str:
    parts = [
        f"{name.partition('.')[2]} {' / '.join(str(content.get(name)) for content in contents)}"
        for name in names[:_MOST_FIELDS]
    ]
    return "; ".join(parts) + ("" if len(names) <= _MOST_FIELDS else "; …")


def describe(
    run_ids: Sequence[str], scenarios: Sequence[Scenario], forks: Sequence[Forked] = ()
) -> Told:
    """What can be said before the runs are complete."""
    if len(run_ids) < 2:
        return NOTHING
    names = dict(zip(run_ids, captions(scenarios, forks), strict=True))
    return NOTHING | {"captions": names, "warnings": warnings(scenarios)}


def of_stage(runs: Sequence[Run | None], others: Sequence[Run]) -> Told | None:
    """Compare what is on stage, if it is several runs that are all complete and can be read."""
    complete = [run for run in runs if run is not None]
    if not 2 <= len(complete) == len(runs):
        return None
    try:
        return compare(complete, others)
    except (InputError, OSError):
        log.warning("runs cannot be compared", exc_info=True)
        return None


def compare(runs: Sequence[Run], others: Sequence[Run]) -> Told:
    """The table: figures of each run, and what it differs from the first, with its interval.

    Parameters
    ----------
    runs : sequence of Run
        Complete, as on stage; the others are compared with the first.
    others : sequence of Run
        Among which their repetitions are looked for: runs that differ in seed or replicate alone.
    """
    ids = [run.path.name for run in runs]
    forks = [run.manifest.get("forked") for run in runs]
    told = describe(ids, [run.scenario for run in runs], forks)
    if len(runs) < 2:
        return told
    if any(forks):
        return told | _over_common_steps(runs)
    alone = [(run.path.name, _case(run, [run])) for run in runs]
    pairs = [_pairs(runs[0], run, others) for run in runs[1:]]
    names = OF_REQUESTS if _serve_requests(runs) else COMPARED
    cells = {run_id: [_cell(case, None, name, 0) for name in names] for run_id, case in alone}
    for (run_id, case), pair in zip(alone[1:], pairs, strict=True):
        cells[run_id] = [_cell(case, pair, name, len(pairs)) for name in names]
    note = _note([len(mine.runs) for _, mine in pairs])
    return told | {"columns": _columns(names), "cells": cells, "note": note}


def _over_common_steps(runs: Sequence[Run]) -> Told:
    """The table over the steps that branches and what they began in have in common."""
    first = max(run.first_step for run in runs)
    last = min(run.scenario.simulation.steps for run in runs) - 1
    if first > last:
        return {"note": "No step is in all of these runs."}
    shown: dict[str, Figure]
    if _serve_requests(runs):
        drawn = [load.of_steps(run, first, last) for run in runs]
        shown = {name: LOAD[name] for name in OF_BRANCHES}
        columns = [{"label": f.header, "title": f.sentence} for f in shown.values()]
    else:
        drawn = [figures_of_steps(run, COMPARED, first, last) for run in runs]
        shown, columns = {name: FIGURES[name] for name in COMPARED}, _columns(COMPARED)
    cells = {}
    for run, mine in zip(runs, drawn, strict=True):
        cells[run.path.name] = [
            _plain_cell(mine[n] * f.scale, drawn[0][n] * f.scale, run is runs[0])
            for n, f in shown.items()
        ]
    note = f"Of steps {first} to {last}, which all have; the same random numbers, so no interval."
    return {"columns": columns, "cells": cells, "note": note}


def _serve_requests(runs: Sequence[Run]) -> bool:
    return all(run.scenario.serving.mode == "requests" for run in runs)


def _plain_cell(value: float, first: float, is_first: bool) -> dict[str, str]:
    gap = value - first
    known = math.isfinite(gap) and not is_first
    return {"value": text(value), "difference": f"{gap:+.3g}" if known else ""}


def _columns(names: Sequence[str]) -> list[dict[str, str]]:
    return [{"label": SHORT[name], "title": FIGURES[name].sentence} for name in names]


def _cell(
    case: Case, pair: tuple[Case, Case] | None, name: str, comparisons: int
) -> dict[str, str]:
    """A figure of a run, and what it has more than the first."""
    value = text(float(case.values(name)[0]) * FIGURES[name].scale)
    if pair is None:
        return {"value": value, "difference": ""}
    gap = _difference(pair[1], pair[0], name, comparisons)
    return {"value": value, "difference": _signed(gap) if math.isfinite(gap.mean) else ""}


def _case(run: Run, runs: Sequence[Run]) -> Case:
    return Case(run.path.name, tuple(runs))


def _pairs(first: Run, run: Run, others: Sequence[Run]) -> tuple[Case, Case]:
    """Repetitions of two runs that have seed and replicate in common; else the two themselves."""
    mine, theirs = _repetitions(run, others), _repetitions(first, others)
    both = [key for key in theirs if key in mine]
    if not both:
        return _case(first, [first]), _case(run, [run])
    return _case(first, [theirs[k] for k in both]), _case(run, [mine[k] for k in both])


def _repetitions(run: Run, others: Sequence[Run]) -> dict[tuple[int, int], Run]:
    """Runs of the same case, by seed and replicate; the run itself stands for its own."""
    wanted = _case_of(run)
    told = ("scenario", "strategy", "policy", "steps")  # cheap to read, unlike a scenario
    like = [o for o in others if all(o.manifest[n] == run.manifest[n] for n in told)]
    found = {repetition(other): other for other in like if _case_of(other) == wanted}
    return found | {repetition(run): run}


def _case_of(run: Run) -> tuple[int, Told]:
    """What repetitions of a run have in common with it."""
    return run.first_step, {k: v for k, v in fields(run.scenario).items() if k not in REPETITION}


def _difference(mine: Case, first: Case, name: str, comparisons: int) -> Estimate:
    """Of a figure, in its unit; the interval holds for all comparisons together (Bonferroni)."""
    found, scale, runs = difference(mine, first, name), FIGURES[name].scale, len(mine.runs)
    wide = 1.0
    if runs > 1:
        tail = (1 - _CONFIDENCE) / 2
        wide = stdtrit(runs - 1, 1 - tail / comparisons) / stdtrit(runs - 1, 1 - tail)
    return Estimate(found.mean * scale, found.ci95 * scale * float(wide))


def _signed(gap: Estimate) -> str:
    shown = text(gap)
    return f"+{shown}" if math.isfinite(gap.mean) and gap.mean > 0 else shown


def _note(pairs: Sequence[int]) -> str:
    if max(pairs) < 2:
        return (
            "Differences to the first, of one run each: no interval. Runs that differ in seed or "
            "replicate alone, here or in this folder, give one (twin compare --replicates 8)."
        )
    counts = str(pairs[0]) if len(set(pairs)) == 1 else f"{min(pairs)} to {max(pairs)}"
    several = f", for all {len(pairs)} comparisons together" if len(pairs) > 1 else ""
    return (
        f"Differences to the first: mean over {counts} pairs of runs in this folder with the same "
        f"seed and replicate, and its 95 % interval{several}."
    )
