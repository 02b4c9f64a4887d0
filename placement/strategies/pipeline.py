"""Consecutive layers, each whole, on as few satellites as hold them."""

import numpy as np
from numpy.typing import NDArray

from placement.delays import Ways
from placement.problem import Placement, PlacementProblem
from twin.errors import InputError

_STARTS = 64
"""Satellites that a chain is tried from."""


def pipeline(problem: PlacementProblem, *, rng: np.random.Generator) -> Placement:  # noqa: ARG001
    """Share consecutive whole layers out evenly over the fewest satellites, near each other.

    No token leaves a satellite within a layer, and its layers are one service where
    ``serving.fuse`` says so: a step of all requests in flight reads each weight once. Chains go
    from several satellites on to the nearest free one; the shortest round is kept.
    """
    layers, experts = problem.activation.shape
    holds = np.floor(problem.memory_bytes / problem.layer_bytes)
    for stages in range(1, layers + 1):
        able = np.flatnonzero(holds >= np.ceil(layers / stages)).astype(np.int32)
        if len(able) >= stages:
            break
    else:
        raise InputError(
            f"pipeline: a layer takes {problem.layer_bytes / 1e9:.2f} GB; {int(holds.sum())} of "
            f"{layers} layers find room"
        )
    chain = _shortest(problem, able, stages)
    gateway = chain[np.arange(layers) * stages // layers]
    return Placement(gateway=gateway, expert=np.tile(gateway[:, None], (1, experts)))


def _shortest(problem: PlacementProblem, able: NDArray[np.int32], stages: int) -> NDArray[np.int32]:
    """Return the shortest closed chain over some of the satellites that are able, (stages,)."""
    if stages == 1:
        best = np.argmax(problem.memory_bytes[able])
        return able[best : best + 1]
    ways = Ways(problem)
    found: list[tuple[float, int, list[np.int32]]] = []
    for start in able[:: -(-len(able) // _STARTS)]:
        chain, round_s = [start], 0.0
        for _ in range(stages - 1):
            way_s = ways.of(np.array(chain[-1:]))[0, able]
            way_s[np.isin(able, chain)] = np.inf
            nearest = int(np.argmin(way_s))
            chain.append(able[nearest])
            round_s += float(way_s[nearest])
        round_s += float(ways.of(np.array(chain[-1:]))[0, start])
        found.append((round_s, len(found), chain))
    return np.array(min(found)[2], np.int32)
