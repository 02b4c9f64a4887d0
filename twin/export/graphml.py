"""The links of one step of a run as a GraphML graph, for networkx and Gephi."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
import pyarrow.compute as pc
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

type Columns = Mapping[str, NDArray[Any]]

_NAMESPACES = {
    "xmlns": "http://graphml.graphdrawing.org/xmlns",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:schemaLocation": "http://graphml.graphdrawing.org/xmlns "
    "http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd",
}
_TYPES = {"b": "boolean", "i": "long", "u": "long", "f": "double", "U": "string"}
"""GraphML's type of an array's kind."""


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
    paired = np.flatnonzero(snapshot.link_state != LinkState.UNPAIRED)
    return _document(
        {"run": np.array([run.manifest["run_id"]]), "step": np.array([step]),
         "t_s": np.array([snapshot.instant.t_s])},
        _nodes(run, world, snapshot, up),
        _links(world, snapshot, paired),
        world.skeleton.edges[paired].tolist(),
    )  # fmt: skip


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


def _document(about: Columns, nodes: Columns, links: Columns, ends: list[list[int]]) -> str:
    """GraphML of a graph with attributes of itself, of nodes and of links, a column each.

    An id may be there but once in a document: the key of a name that nodes and links share says
    whose it is, as ``node_up`` and ``edge_up``.

    References
    ----------
    http://graphml.graphdrawing.org/xmlns/1.0/graphml-structure.xsd
    """
    root = Element("graphml", _NAMESPACES)
    domains = {"graph": about, "node": nodes, "edge": links}
    count = Counter(name for columns in domains.values() for name in columns)
    keys: dict[str, list[str]] = {}
    for domain, columns in domains.items():
        keys[domain] = [name if count[name] == 1 else f"{domain}_{name}" for name in columns]
        for key, (name, column) in zip(keys[domain], columns.items(), strict=True):
            kind = _TYPES[column.dtype.kind]
            told = {"id": key, "for": domain, "attr.name": name, "attr.type": kind}
            SubElement(root, "key", told)
    graph = SubElement(root, "graph", edgedefault="undirected")
    _put_data(graph, keys["graph"], next(_rows(about)))
    for i, row in enumerate(_rows(nodes)):
        _put_data(SubElement(graph, "node", id=str(i)), keys["node"], row)
    for (a, b), row in zip(ends, _rows(links), strict=True):
        edge = SubElement(graph, "edge", source=str(a), target=str(b))
        _put_data(edge, keys["edge"], row)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, "unicode") + "\n"


def _put_data(parent: Element, keys: list[str], row: tuple[Any, ...]) -> None:
    for key, value in zip(keys, row, strict=True):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        SubElement(parent, "data", key=key).text = text


def _rows(columns: Columns) -> Iterator[tuple[Any, ...]]:
    """Columns as plain values row by row."""
    return zip(*(column.tolist() for column in columns.values()), strict=True)
