"""A scenario as a table of what it sets, and whether cases may be compared."""

from collections.abc import Iterator, Sequence
from typing import Any

from twin.plugins.kinds import KINDS
from twin.report.page import Code, Items, Part, Section, Table, words
from twin.runs.cells import Cell
from twin.runs.repeats import REPETITION, Case, differing, fields
from twin.scenario import loader
from twin.scenario.attachments import FIELDS, shown
from twin.scenario.schema import Scenario
from twin.study.reproduce import assumptions

_CHOICES = ("placement.strategy", "placement.params", "controller.policy", "controller.params")
"""Fields of the decisions that cases are compared for; the rest is what they meet."""

_ALWAYS = (
    "simulation.steps", "simulation.seed", "simulation.replicate", "links.rate_gbps",
    "outages.model", "faults.model", "bus.profile", "model.card", "model.precision",
    "compute.board", "compute.accounting", "activations.kind", "placement.strategy",
    "controller.policy", "workload.tokens_per_step", "workload.retries",
)  # fmt: skip
"""Shown even where they have their defaults."""

_OF_REQUESTS = (
    "serving.handover", "requests.arrivals", "requests.rate_per_s", "requests.lengths",
    "requests.prompt_tokens", "requests.output_tokens", "requests.ttft_target_s",
    "requests.tpot_target_s",
)  # fmt: skip
"""Shown too where requests are served."""

_OF_COPIES = ("serving.dispatch", "controller.telemetry_delay_s")
"""Shown too where there are several copies of the model."""


def scenario_parts(
    scenarios: Sequence[Scenario], labels: Sequence[str], without: Sequence[str] = ()
) -> list[Section]:
    """What scenarios set and what they assume, folded away."""
    codes = [
        Code(loader.to_toml(scenario), f"Every field, as TOML: {label}")
        for scenario, label in zip(scenarios, labels, strict=True)
    ]
    return [
        Section("Scenario", (scenario_table(scenarios, labels, without), *codes), folded=True),
        Section("Assumptions", tuple(_assumptions(scenarios, labels)), folded=True),
    ]


def scenario_table(
    scenarios: Sequence[Scenario], labels: Sequence[str], without: Sequence[str] = ()
) -> Table:
    """Fields that scenarios set or that matter most, a row each but for those in `without`."""
    found = [dict(_set_fields(scenario)) for scenario in scenarios]
    everything = [dict(_all_fields(scenario)) for scenario in scenarios]
    order = dict.fromkeys(name for each in everything for name in each)
    rows: list[list[Cell]] = []
    for name in order:
        if name not in without and any(name in each for each in found):
            values = [each.get(name) for each in everything]
            about = _meaning(name, [value for value in values if value is not None])
            rows.append([name, *(_written(name, value) for value in values), about])
    return Table(
        name="scenario",
        title="What the scenario sets",
        header=("field", *labels, "what it is"),
        rows=rows,
        note="Every other field has its default.",
    )


def _all_fields(scenario: Scenario) -> Iterator[tuple[str, Any]]:
    """Every field by its name, those of a list of tables by their number too."""
    for table, content in scenario.model_dump(mode="json").items():
        for key, value in content.items() if isinstance(content, dict) else ():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                for i, inner in enumerate(value):
                    yield from ((f"{table}.{key}.{i}.{k}", v) for k, v in inner.items())
            else:
                yield f"{table}.{key}", value


def _set_fields(scenario: Scenario) -> Iterator[tuple[str, Any]]:
    """Those that a scenario sets, or that are always shown."""
    of_requests = _OF_REQUESTS if scenario.serving.mode == "requests" else ()
    of_copies = _OF_COPIES if scenario.placement.instances != 1 else ()
    always = {*_ALWAYS, *of_requests, *of_copies}
    chosen = scenario.model_dump(mode="json", exclude_defaults=True)
    for name, value in _all_fields(scenario):
        table, key = name.split(".")[:2]
        if value is not None and (name in always or key in chosen.get(table, {})):
            yield name, value


def _written(name: str, value: Any) -> str:
    if value is None:
        return ""
    if tuple(name.split(".", 1)) in FIELDS:
        return shown(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_written('', inner)}" for key, inner in value.items())
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _meaning(name: str, values: Sequence[Any]) -> str:
    """What a field is: of one that names something, what that is."""
    for kind in KINDS.values():
        if kind.registry.field == name:
            told = {v: kind.registry.purpose(v).rstrip(".") for v in dict.fromkeys(values)}
            return "; ".join(f"{v}: {what}" for v, what in told.items() if what)
    table, _, key = name.partition(".")
    about = Scenario.model_fields[table].annotation
    field = getattr(about, "model_fields", {}).get(key)
    return (field.description or "") if field is not None else ""


def _assumptions(scenarios: Sequence[Scenario], labels: Sequence[str]) -> Iterator[Part]:
    lists = [assumptions(scenario) for scenario in scenarios]
    shared = tuple(line for line in lists[0] if all(line in others for others in lists))
    yield (
        "Choices that the paper this twin follows (Space-XNet, arXiv 2605.00515) does not state; "
        "results may depend on them."
    )
    yield Items(shared)
    for label, lines in zip(labels, lists, strict=True):
        own = tuple(line for line in lines if line not in shared)
        if own:
            yield f"Only {label}:"
            yield Items(own)


def agreement(cases: Sequence[Case]) -> str:
    """Whether what the cases met agrees, so that differences are of the decisions alone."""
    names = [n for n in differing([fields(c.scenario) for c in cases]) if n not in REPETITION]
    versions = [run.manifest["versions"] for case in cases for run in case.runs]
    return words(
        "agreement",
        chosen=[n for n in names if n in _CHOICES],
        met=[n for n in names if n not in _CHOICES],
        paired=all(set(case.keys) == set(cases[0].keys) for case in cases),
        versions_agree=all(found == versions[0] for found in versions),
    )
