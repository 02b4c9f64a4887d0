"""A step's topology, hosts and memory, written into the engine's tables."""

import numpy as np
from numpy.typing import NDArray

from twin.moe.inference import Inference
from twin.moe.spec import ModelCard
from twin.serving.engine.engine import Engine
from twin.serving.heads import Heads
from twin.serving.hosts import Hosts


def experts(hosts: Hosts, engine: Engine) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Satellites of the copies of experts that tokens choose from, and whether they are there.

    Both (R*L, E*C), with the C nearest copies of each expert.
    """
    core = engine.state.core[0]
    copies = int(core["columns"] // core["experts"])
    if copies == 1:
        return hosts.of_nearest(hosts.satellite), ~hosts.of_nearest(hosts.absent)
    return hosts.choice(copies)


def set_legs(
    engine: Engine,
    hosts: Hosts,
    heads: Heads,
    delay_s: NDArray[np.float64],
    head_delay_s: NDArray[np.float64],
    inference: Inference,
) -> None:
    """Write how long each leg takes, and how experts are chosen; shapes as in `RequestService`."""
    layers, tables = inference.card.layers, engine.step
    expert, there = experts(hosts, engine)
    reached = np.where(there, 0.0, np.inf)
    first = np.arange(0, len(expert), layers)
    row = np.arange(len(expert)).reshape(-1, layers)
    tables["out_s"][:] = delay_s[np.arange(len(expert))[:, None], expert] + reached
    on_s = tables["on_s"].reshape(len(row), -1, expert.shape[1])
    on_s[:, : layers - 1] = delay_s[row[:, 1:, None], expert[row[:, :-1]]]
    on_s[:, : layers - 1] += reached[row[:, :-1]]
    head = np.arange(len(head_delay_s)).reshape(len(row), -1, 1)
    on_s[:, layers - 1 :] = head_delay_s[head, expert[row[:, -1:]]] + reached[row[:, -1:]]
    tables["back_s"][:] = head_delay_s[head[..., 0], hosts.gateway[first, None]].ravel()
    reach_s = tables["reach_s"].T.reshape(len(row), -1, tables["reach_s"].shape[0])
    reach_s[:, :layers], reach_s[:, layers:] = delay_s[row], head_delay_s[head[..., 0]]
    tables["weight"][:], tables["activation"][:] = inference.probability, inference.activation
    following = np.roll(hosts.gateway, -1)
    following[first + layers - 1] = heads.satellite[:, 0]
    one = np.column_stack([expert, following])
    tables["local"][:] = (one == hosts.gateway[:, None]).all(axis=1)


def set_hosts(
    engine: Engine,
    hosts: Hosts,
    heads: Heads,
    delay_s: NDArray[np.float64],
    *,
    up: NDArray[np.bool_],
    speed: NDArray[np.float64],
    draining: NDArray[np.bool_],
) -> None:
    """Let parts be where they are now, and what was under way to them follow."""
    rows, head = np.arange(len(hosts.gateway)), heads.satellite
    first = rows[:: len(rows) // len(head)]
    expert, _ = experts(hosts, engine)
    satellite = np.concatenate([hosts.gateway, expert.ravel(), head.ravel()])
    columns = np.repeat(rows, expert.shape[1])
    row = np.concatenate([rows, columns, np.repeat(first, head.shape[1])])
    # By the gateway of its layer, to which ways are known.
    forward_s = delay_s[row, engine.state.parts["satellite"]] + delay_s[row, satellite]
    engine.state.parts["beside"] = np.arange(len(satellite))
    beside = (expert[:, :, None] == expert[:, None, :]).argmax(axis=2) + columns.reshape(
        expert.shape
    ) * expert.shape[1]
    engine.state.parts["beside"][len(rows) : len(rows) + expert.size] = len(rows) + beside.ravel()
    engine.set(open=up[hosts.gateway[first]] & ~draining)
    engine.change(
        satellite=satellite,
        forward_s=forward_s,
        speed=np.where(up, speed, 0.0),
        dead=~up,
        cache_lost=(~up[hosts.gateway]).reshape(len(head), -1).any(axis=1),
    )


def set_blocks(
    engine: Engine, hosts: Hosts, card: ModelCard, free_bytes: NDArray[np.float64], *, tokens: int
) -> None:
    """Let an instance have as many blocks, of so many tokens, as fit at every gateway of it."""
    layers_here = np.bincount(hosts.gateway, minlength=len(free_bytes))
    per_block = tokens * card.kv_bytes_per_token_per_layer
    # Layers share a satellite's memory evenly, whichever instances they are of.
    fits = free_bytes[hosts.gateway] // (per_block * layers_here[hosts.gateway])
    blocks = fits.reshape(len(engine.state.instances), -1).min(axis=1).astype(np.int64)
    instances = engine.state.instances
    in_use = instances["all_blocks"] - instances["blocks"]
    instances["all_blocks"] = np.maximum(blocks, 0)
    instances["blocks"] = instances["all_blocks"] - in_use
