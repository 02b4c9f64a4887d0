"""The links of one step of a run as a GraphML graph, for networkx and Gephi."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import networkx as nx
import numpy as np
import pyarrow.compute as pc
from networkx.readwrite.graphml import generate_graphml
from numpy.typing import NDArray

from twin.constants import C_KM_S
from twin.errors import InputError
from twin.export.hosted import hosted
from twin.network import grid
from twin.runs.replay import snapshots
from twin.runs.store import Run
from twin.vocabulary import LinkState
from twin.world.topology import Snapshot
from twin.world.world import World


def graphml(
    run: Run,
    step: int,
    *,
    progress: Callable[[int, int], None] = lambda step, steps: None,  # noqa: ARG005
) -> str:
    """Return the topology of one step of a run as GraphML, which networkx and Gephi read.

    Satellites are nodes, numbered as in the run's tables. Links that exist in this step are
    edges, also those that are down, with the reason in ``state``; ``delay_s`` is the light time
    between the two ends, whether the link is up or not.

    Parameters
    ----------
    run : Run
    step : int
    progress : callable
        Called with (steps done, steps in all): earlier steps decide which links are up.

    Raises
    ------
    InputError
        If the run has no such step.
    """
    first, steps = run.first_step, run.scenario.simulation.steps
    if not first <= step < steps:
        raise InputError(f"--step {step}: must be from {first} to {steps - 1}")
    world = World(run.scenario)
    for snapshot, up in islice(snapshots(run, world), step + 1 - first):  # noqa: B007 (the last is used)
        progress(snapshot.step + 1, step + 1)
    graph = nx.Graph(run=run.manifest["run_id"], step=step, t_s=snapshot.instant.t_s)
    graph.add_nodes_from(enumerate(_rows(_nodes(run, world, snapshot, up))))
    paired = np.flatnonzero(snapshot.link_state != LinkState.UNPAIRED)
    ends = world.skeleton.edges[paired].tolist()
    links = _rows(_links(world, snapshot, paired))
    graph.add_edges_from((a, b, link) for (a, b), link in zip(ends, links, strict=True))
    return "\n".join(generate_graphml(graph, named_key_ids=True)) + "\n"


def _nodes(
    run: Run, world: World, snapshot: Snapshot, up: NDArray[np.bool_]
) -> dict[str, NDArray[Any]]:
    """Node attributes, one array each; charge only where the run recorded it in this step."""
    body, step = world.constellation, snapshot.step
    found = hosted(run, step, body.size)
    recorded = run.table("satellites", ["soc"], filters=pc.field("step") == step)
    return {
        "name": np.array(body.names),
        "plane": body.plane,
        "slot": body.slot,
        **{f"{axis}_km": snapshot.instant.r_km[:, k] for k, axis in enumerate("xyz")},
        "up": up,
        "sunlit": world.ephemeris.sunlit(step),
        **({"soc": recorded["soc"].to_numpy()} if recorded.num_rows else {}),
        "layer": found.layer,
        "gateway": found.gateway,
        "experts": found.experts,
    }


def _links(world: World, snapshot: Snapshot, paired: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    """Edge attributes of chosen links, one array each."""
    a, b = world.skeleton.edges[paired].T
    distance_km = np.linalg.norm(snapshot.instant.r_km[a] - snapshot.instant.r_km[b], axis=1)
    states = np.array([state.word for state in LinkState])
    kinds = np.array([kind.name.lower().replace("_", "-") for kind in grid.LinkKind])
    return {
        "delay_s": distance_km / C_KM_S,
        "distance_km": distance_km,
        "up": snapshot.up[paired],
        "state": states[snapshot.link_state[paired]],
        "kind": kinds[world.skeleton.kind[paired]],
    }


def _rows(columns: Mapping[str, NDArray[Any]]) -> Iterator[dict[str, Any]]:
    """Columns as plain values row by row."""
    for row in zip(*(column.tolist() for column in columns.values()), strict=True):
        yield dict(zip(columns, row, strict=True))
