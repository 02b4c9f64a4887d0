"""What a step has done for requests, as the service tells it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.serving.by_satellite import BySatellite
from twin.serving.engine.records import Rows
from twin.serving.spent import Spent


@dataclass(frozen=True, kw_only=True)
class RequestStep:
    """What a step has done for requests.

    Attributes
    ----------
    ended : (A,) records
        Requests that ended, times from the step's start; see `OUTCOME`.
    visits : (V,) records
        Services that recorded requests were in, times from the step's start; see `VISIT`.
    busy_s : (N,) float64
        Work of each satellite, in seconds at speed 1.
    tokens_made, tokens_passed : int
        Tokens that came out of the model; tokens that entered it, prompts included.
    made_by : (R,) int64
        Tokens that came out of each instance.
    open : (R,) bool
        Instances that let requests in.
    moved : int
        Requests that waited and were sent to other instances.
    running, waiting : (R,) int64
        Requests inside each instance at the end.
    left_tokens : (R,) int64
        Tokens of them that have not passed yet.
    blocks_share : (R,) float64
        Of the cache's blocks in use at the end.
    cached_tokens : (R,) int64
        Room of the blocks in use at the end, those that keep a prefix included.
    each : BySatellite
    link_share : (nnz,) float64
        Share of the step in which hidden states were on each directed link.
    link_tokens : (nnz,) int64
        Hidden states that were put on each directed link.
    unwanted, under_way : Spent
        Work that no request waited for, and at the end work not charged to requests yet.
    """

    ended: Rows
    visits: Rows
    busy_s: NDArray[np.float64]
    tokens_made: int
    tokens_passed: int
    made_by: NDArray[np.int64]
    open: NDArray[np.bool_]
    moved: int
    running: NDArray[np.int64]
    waiting: NDArray[np.int64]
    left_tokens: NDArray[np.int64]
    blocks_share: NDArray[np.float64]
    cached_tokens: NDArray[np.int64]
    each: BySatellite
    link_share: NDArray[np.float64]
    link_tokens: NDArray[np.int64]
    unwanted: Spent
    under_way: Spent
