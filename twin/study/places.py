"""Places where a model may be served, as fields of a scenario."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from agents.data_centre import rack_problem
from placement.deployment import most_by_memory
from twin import seeding
from twin.errors import InputError
from twin.moe.boards import memory_gb
from twin.moe.inference import inference
from twin.planning.problems import plan_deployment
from twin.scenario import loader
from twin.scenario.schema import Scenario
from twin.study.place import problem_of
from twin.world.world import World

type Fields = Mapping[str, Any]

_ANYWHERE: Final = {
    "placement.experts_per_satellite": 100_000,
    "placement.experts_on_gateway": True,
}
_CLUSTER: Final = {
    "planes": 81,
    "satellites_per_plane": 1,
    "altitude_km": 650.0,
    "inclination_deg": 97.99,
    "raan_spread_deg": 0.009,
    "raan_first_deg": 90.0,
}
"""Suncatcher's 81 satellites, as a row a kilometre long, over the terminator in March."""

_FULL: Final = 0.9
"""Part of what a satellite with a whole layer's work keeps up with, that each instance bears."""

_MOST_BOARDS: Final = 512

_MOST_COPIES: Final = 8
"""Copies of tiled rings that are run."""


def changed(scenario: Scenario, fields: Fields) -> Scenario:
    """Return a scenario with other values of some fields, or of whole tables."""
    data = tomllib.loads(loader.to_toml(scenario))
    for name, value in fields.items():
        loader.put(data, name, value, told=name)
    loader.give_way(data, fields)
    return loader.from_data(data)


def placed(scenario: Scenario, place: str) -> Scenario:
    """Return a scenario whose model is in a place, by its name in `PLACES`.

    Raises
    ------
    InputError
        If the model finds no room there.
    """
    why: InputError | None = None
    for fields in PLACES[place](scenario):
        found = changed(scenario, fields)
        try:
            _plan(found)
        except InputError as error:
            why = why or error
        else:
            return found
    assert why is not None
    raise why


def _plan(scenario: Scenario) -> None:
    """Raise unless there is a placement."""
    if scenario.ground.data_centre is None:
        problem = problem_of(scenario)
    else:
        problem = rack_problem(scenario, inference(scenario), World(scenario))
    simulation = scenario.simulation
    rng = seeding.stream(simulation.seed, simulation.replicate, "strategy").at(0)
    plan_deployment(scenario, problem, rng)


def _spread(scenario: Scenario) -> Iterator[Fields]:
    """The paper's ring, with as few experts a satellite as there is room for."""
    layers, experts = inference(scenario).activation.shape
    free = World(scenario).constellation.size - layers
    fewest = int(np.ceil(layers * experts / free))
    for each in range(fewest, 2 * fewest + 1):  # subnets are not all of a size
        yield {"placement.strategy": "space-xnet", "placement.experts_per_satellite": each}


def _tiled(scenario: Scenario) -> Iterator[Fields]:
    """Copies side by side, each on about as many satellites as it has layers."""
    model, problem = inference(scenario), problem_of(scenario)
    layer_gb = problem.layer_bytes / 1e9
    largest_gb = float(problem.memory_bytes.max()) / 1e9
    if layer_gb > largest_gb:
        raise InputError(
            f"tiled rings: a layer takes {layer_gb:.2f} GB, the largest satellite has "
            f"{largest_gb:.2f} GB"
        )
    layer_s = float(model.stage_s.max()) + model.card.top_k * model.expert_s
    floor = {"min_tokens_per_s": _FULL / layer_s}
    copies = min(max(most_by_memory(problem), 1), _MOST_COPIES)
    while copies:
        for params in (floor, {}):
            yield {
                "placement.strategy": "tiled",
                "placement.instances": copies,
                "placement.params": params,
                "serving.choose_from": 2,
            }
        copies //= 2


def _single(scenario: Scenario) -> Iterator[Fields]:  # noqa: ARG001
    yield {"placement.strategy": "single-satellite", **_ANYWHERE}


def _cluster(scenario: Scenario, body: Fields) -> Fields:  # noqa: ARG001
    return {
        "constellation": body,
        "placement.strategy": "pipeline",
        "bus.profile": "suncatcher",
        "links.rate_gbps": 800.0,
        **_ANYWHERE,
    }


def _alone(scenario: Scenario) -> Iterator[Fields]:
    """A cluster that only users below it reach."""
    yield _cluster(scenario, {"kind": "walker", **_CLUSTER})


def _relayed(scenario: Scenario) -> Iterator[Fields]:
    """The cluster above the constellation, which hands its users' requests up."""
    below = scenario.constellation.model_dump(mode="json", exclude={"kind"})
    body = {"kind": "shells", "shells": [below, _CLUSTER], "host_shell": 1}
    yield {**_cluster(scenario, body), "links.cross_shell_every": 4}


def _ground(scenario: Scenario) -> Iterator[Fields]:
    """As few boards as hold the model."""
    problem = problem_of(scenario)
    fewest = int(np.ceil(problem.model_bytes / (memory_gb(scenario.compute) * 1e9)))
    for boards in range(min(fewest, _MOST_BOARDS), _MOST_BOARDS + 1):
        yield {
            "ground.data_centre.boards": boards,
            "placement.strategy": "pipeline",
            **_ANYWHERE,
        }


PLACES: Final[Mapping[str, Callable[[Scenario], Iterator[Fields]]]] = {
    "spread ring": _spread,
    "tiled rings": _tiled,
    "one satellite": _single,
    "cluster alone": _alone,
    "relayed cluster": _relayed,
    "ground": _ground,
}
"""Fields that put a model into a place, the best choice first."""
