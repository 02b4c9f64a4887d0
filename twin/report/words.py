"""A report's sentences: the scenario in words, and whether cases may be compared."""

from collections.abc import Sequence
from math import isinf
from typing import Any

from placement.policies.table import POLICIES
from placement.strategies.table import STRATEGIES
from twin import vocabulary
from twin.moe.boards import computer, memory_gb
from twin.moe.presets import MODEL_CARDS
from twin.network.outages import FAULTS, OUTAGES
from twin.registry import Registry
from twin.report.page import Table
from twin.report.request_words import requests_in_words
from twin.runs.cells import Cell
from twin.runs.repeats import REPETITION, Case, differing, fields
from twin.scenario.attachments import shown
from twin.scenario.schema import Scenario
from twin.scenario.world import ElementSets, Faults, Outages, Shell, Shells

CAUSES = {cause.word: cause.meaning.sentence for cause in vocabulary.CAUSES}
"""Why tokens are lost, by what follows ``lost_`` in the steps table."""

_CHOICES = ("placement.strategy", "placement.params", "controller.policy", "controller.params")
"""Fields of the decisions that cases are compared for; the rest is what they meet."""


def scenario_in_words(
    scenario: Scenario,
    step_s: float | None = None,
    note: str = "",
    *,
    strategies: Sequence[str] = (),
    policies: Sequence[str] = (),
) -> list[str]:
    """What was simulated, in a few paragraphs.

    Parameters
    ----------
    scenario : Scenario
    step_s : float, optional
        Length of a step, where it is known.
    note : str
        On what was read of a file of element sets.
    strategies, policies : sequence of str
        Default: the scenario's.
    """
    decisions = _decisions(
        strategies or (scenario.placement.strategy,), policies or (scenario.controller.policy,)
    )
    asked = [_tokens(scenario), *requests_in_words(scenario)]
    return [_world(scenario, step_s, note), _model(scenario), decisions, *asked]


def _world(scenario: Scenario, step_s: float | None, note: str) -> str:
    links, outages, time = scenario.links, scenario.outages, scenario.simulation
    each = f" of {step_s:.4g} s" if step_s else ""
    if step_s is None and time.orbits is not None:
        each = f" over {time.orbits:g} orbit{'s' if time.orbits > 1 else ''}"
    random = {
        "none": "no random outages",
        "iid": f"each link up with probability {outages.availability:g} in every step",
        "gilbert-elliott": f"random outages of {outages.mean_outage_s:g} s on average that leave a "
        f"link up {100 * outages.availability:g} % of the time",
    }.get(outages.model, f"random outages {_by_model(OUTAGES, outages)}")
    every = links.cross_shell_every
    bridges = f", and one in {every} to another shell too" if every else ""
    faults = scenario.faults
    failing = {
        "none": "",
        "exponential": f" Satellites have faults of {faults.mean_down_s:g} s on average and are "
        f"without one {100 * faults.availability:g} % of the time.",
    }.get(faults.model, f" Satellites have faults {_by_model(FAULTS, faults)}.")
    start = "the newest epoch of these"
    if time.start_utc is not None:
        start = f"{time.start_utc[:16].replace('T', ' ')} UTC"
    return (
        f"{_orbits(scenario, note)} The run starts at {start} and takes {time.steps} "
        f"steps{each}. Laser links of {links.rate_gbps:g} Gbit/s join each satellite to four "
        f"neighbours{bridges}; {random}.{failing}"
    )


def _by_model(table: Registry[Any], chosen: Outages | Faults) -> str:
    """A model that is a plug-in's: its name, its parameters, what it says of itself."""
    params = ", ".join(f"{key} = {value}" for key, value in chosen.params.items())
    told = table.purpose(chosen.model).rstrip(".")
    return (
        f"by the model '{chosen.model}'{f' with {params}' if params else ''}"
        f"{f' ({told})' if told else ''}"
    )


def _orbits(scenario: Scenario, note: str) -> str:
    body = scenario.constellation
    if isinstance(body, ElementSets):
        return f"A real constellation, from {shown(body.tle)}{note and f': {note}'}."
    if isinstance(body, Shells):
        each = "; ".join(f"shell {i}: {_shell(shell)}" for i, shell in enumerate(body.shells))
        return (
            f"{body.size} satellites circle in {len(body.shells)} shells, of which shell "
            f"{body.host_shell} hosts the model. In {each}."
        )
    return f"{body.size} satellites circle in {_shell(body)}."


def _shell(shell: Shell) -> str:
    pattern = "star" if shell.raan_spread_deg <= 180 else "delta"
    return (
        f"{shell.planes} planes of {shell.satellites_per_plane}, {shell.altitude_km:g} km high, "
        f"inclined {shell.inclination_deg:g}° (a Walker {pattern}, nodes over "
        f"{shell.raan_spread_deg:g}°)"
    )


def _computer(scenario: Scenario) -> str:
    compute = scenario.compute
    on = computer(compute, scenario.model.precision)
    read = "" if isinf(on.bytes_per_s) else f" read at {on.bytes_per_s / 1e9:g} GB/s"
    each = "" if compute.boards == 1 else f"{compute.boards} boards, each of "
    share = "" if compute.efficiency == 1.0 else f" (with {100 * compute.efficiency:g} % reached)"
    times = "" if compute.kernels is None else f", working as {shown(compute.kernels)} has measured"
    return (
        f"satellites of {each}{on.flops_per_s / 1e9:g} GFLOP/s and {memory_gb(compute):g} "
        f"GB{read}{share}, board '{compute.board}'{times},"
    )


def _model(scenario: Scenario) -> str:
    card, compute = MODEL_CARDS.get(scenario.model.card), scenario.compute
    what = scenario.model.card
    if card is not None:
        what = (
            f"{card.title} ({card.layers} layers of {card.experts} experts, of which a token "
            f"uses {card.top_k} in each)"
        )
    counted = {
        "experts-only": "the way between satellites and the work of the experts",
        "full": "the way between satellites and all work: experts, attention, router, LM head",
    }[compute.accounting]
    return (
        f"The model is {what} in {scenario.model.precision}, on {_computer(scenario)} with the bus "
        f"'{scenario.bus.profile}'. Which "
        f"experts tokens use: {scenario.activations.kind}. Counted towards latency: {counted}."
    )


def _decisions(strategies: Sequence[str], policies: Sequence[str]) -> str:
    return " ".join(
        (
            _chosen("strategy", "which satellite hosts what", STRATEGIES, strategies),
            _chosen("policy", "when to plan again", POLICIES, policies),
        )
    )


def _chosen(kind: str, decides: str, table: Registry[Any], names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"The {kind} '{names[0]}' decides {decides}{_purpose(table, names[0])}"
    each = " ".join(f"'{name}'{_purpose(table, name)}" for name in names)
    return f"In each case one {kind} decides {decides}. {each}"


def _purpose(table: Registry[Any], name: str) -> str:
    first = table.purpose(name)
    return f": {first[0].lower()}{first[1:]}" if first else "."


def _tokens(scenario: Scenario) -> str:
    work, ground = scenario.workload, scenario.ground
    asked = (
        f"a sample of the {work.rate_per_s:g} asked a second"
        if work.rate_per_s is not None
        else "which are all that are asked"
    )
    places = "the fifty largest cities" if ground.users else f"{len(ground.sites)} sites"
    origin = (
        f"from {places} on the ground, each through a satellite at least "
        f"{ground.minimum_elevation_deg:g}° high ('{ground.handover}')"
        if ground.users or ground.sites
        else "at the first layer's gateway in orbit; no ground sites"
    )
    times = "once" if work.retries == 1 else f"up to {work.retries} times"
    tries = f"is tried again {times}, then lost" if work.retries else "is lost"
    return (
        f"In each step {work.tokens_per_step} tokens are followed, {asked}, {origin}. A token that "
        f"cannot be served {tries}. {vocabulary.ALONE}"
    )


def scenario_table(cases: list[Case]) -> Table:
    """The scenario in numbers, a column a case."""
    rows = scenario_rows([case.scenario for case in cases])
    for i, label in enumerate(("seeds", "replicates")):
        found = [", ".join(str(k) for k in sorted({key[i] for key in c.keys})) for c in cases]
        rows.append([label, *found])
    return Table(
        name="scenario",
        title="The scenario in numbers",
        header=("field", *(case.label for case in cases)),
        rows=rows,
    )


def scenario_rows(scenarios: Sequence[Scenario], without: Sequence[str] = ()) -> list[list[Cell]]:
    """The main fields of scenarios, a row each but for those in `without`."""
    rows: list[list[Cell]] = []
    contents = [fields(scenario) for scenario in scenarios]
    for name, label in _TOLD.items():
        there = any(content.get(name) is not None for content in contents)
        if there and name not in without:
            rows.append([label, *(_value(content.get(name)) for content in contents)])
    return rows


_TOLD = {
    "constellation.planes": "planes",
    "constellation.satellites_per_plane": "satellites a plane",
    "constellation.altitude_km": "altitude, km",
    "constellation.inclination_deg": "inclination, deg",
    "constellation.phasing": "phasing",
    "constellation.host_shell": "shell that hosts the model, from 0",
    "constellation.tle": "element sets",
    "propagation.model": "propagation",
    "links.seam": "seam between last and first plane",
    "links.acquisition_s": "acquisition of a link, s",
    "outages.model": "random outages",
    "outages.availability": "availability of a link without them",
    "faults.model": "faults of satellites",
    "bus.profile": "bus",
    "bus.battery_wh": "battery, Wh (other than the bus's own)",
    "model.card": "model",
    "model.precision": "precision",
    "compute.board": "computer",
    "compute.gflops": "compute, GFLOP/s (other than the board's own)",
    "compute.memory_gb": "memory, GB (other than the board's own)",
    "compute.accounting": "what is counted",
    "activations.kind": "activations",
    "placement.strategy": "strategy",
    "controller.policy": "policy",
    "workload.tokens_per_step": "tokens followed a step",
    "workload.rate_per_s": "tokens asked a second",
    "workload.retries": "retries of a token",
    "simulation.steps": "steps",
}


def agreement(cases: list[Case]) -> list[str]:
    """Whether what the cases met agrees, so that differences are of the decisions alone."""
    if len(cases) < 2:
        return []
    names = [n for n in differing([fields(c.scenario) for c in cases]) if n not in REPETITION]
    chosen = [n for n in names if n in _CHOICES]
    met = [n for n in names if n not in _CHOICES]
    seeds = all(set(case.keys) == set(cases[0].keys) for case in cases)
    told = []
    if met:
        told.append(
            f"The cases do not share one scenario: {listed(met)} "
            f"{'differs' if len(met) == 1 else 'differ'}. "
            + (f"So {'does' if len(chosen) == 1 else 'do'} {listed(chosen)}. " if chosen else "")
            + "Differences are not of the strategy alone."
        )
    elif chosen:
        told.append(f"The cases share one scenario and differ only in {listed(chosen)}.")
    else:
        told.append("The cases share one scenario and all its decisions.")
    told.append(
        "Seeds and replicates agree: orbits, outages and requests are drawn from the same random "
        "numbers, and differences are taken run by run."
        if seeds
        else "Seeds or replicates do not agree, so that differences are also of chance, not of "
        "the strategy alone."
    )
    versions = [run.manifest["versions"] for case in cases for run in case.runs]
    if any(found != versions[0] for found in versions):
        told.append("The runs were made with different versions of the software, listed below.")
    return told


def _value(value: Any) -> Cell:
    """As it stands in the scenario: no measurement, so with no more figures than were given."""
    return "" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
