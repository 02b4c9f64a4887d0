"""What the page shows of a run: positions, light, links, placements and tokens as plain arrays."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.views import palette


@dataclass(frozen=True, kw_only=True)
class TraceMeta:
    """What a trace is of.

    `n_steps` counts the run's steps; the trace shows every `stride`-th of them. `tokens_drawn`
    of the `tokens_per_step` tokens are recorded hop by hop.
    """

    name: str
    strategy: str
    n_satellites: int
    n_steps: int
    step_s: float
    start_utc: str
    model: str
    n_layers: int
    n_planes: int
    stride: int
    tokens_drawn: int
    tokens_per_step: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Trace:
    """A run as the page shows it: T frames, N satellites, E links, L layers.

    Attributes
    ----------
    positions : float32 (T, N, 3), km
        Along the GCRS axes.
    sun : float32 (T, 3)
        Unit vector to the Sun.
    earth_rotation : float32 (T,), rad
        Angle from the GCRS x axis to Greenwich.
    sunlit, soc : uint8 (T, N)
        Sunlit fraction of the step, and state of charge; 255 is all.
    plane, slot : int16 (N,)
        Where in the constellation each satellite is.
    placement_step : int32 (R,)
        Frame from which each of the R placements holds; the first is 0.
    placement_layer : int16 (R, N)
        Layer a satellite hosts (the first, if several), -1 if none.
    placement_role : uint8 (R, N)
        0 none, 1 expert, 2 gateway.
    edges : int32 (E, 2)
        Satellites at the ends of each link.
    edge_up : uint8 (T, ceil(E / 8))
        Whether each link works, eight to a byte, lowest bit first.
    hop_step, hop_token, hop_layer, hop_source, hop_target : int32 or int16 (H,)
        Every hop of the recorded tokens, sorted by frame and token.
    hop_start_s, hop_end_s : float32 (H,), s
        Since the start of the token.
    latency_s, latency_p95_s : float64 (T,), s
        Token latency, mean and 95th percentile; nan if none was served.
    served, availability, sunlit_share : float64 (T,)
        Share of tokens served, share of links up, mean sunlit fraction.
    layer_propagation_s, layer_compute_s : float64 (T, L), s
        The mean token's latency, layer by layer.
    """

    meta: TraceMeta
    positions: NDArray[np.float32]
    sun: NDArray[np.float32]
    earth_rotation: NDArray[np.float32]
    sunlit: NDArray[np.uint8]
    soc: NDArray[np.uint8]
    plane: NDArray[np.int16]
    slot: NDArray[np.int16]
    placement_step: NDArray[np.int32]
    placement_layer: NDArray[np.int16]
    placement_role: NDArray[np.uint8]
    edges: NDArray[np.int32]
    edge_up: NDArray[np.uint8]
    hop_step: NDArray[np.int32]
    hop_token: NDArray[np.int32]
    hop_layer: NDArray[np.int16]
    hop_source: NDArray[np.int32]
    hop_target: NDArray[np.int32]
    hop_start_s: NDArray[np.float32]
    hop_end_s: NDArray[np.float32]
    latency_s: NDArray[np.float64]
    latency_p95_s: NDArray[np.float64]
    served: NDArray[np.float64]
    availability: NDArray[np.float64]
    sunlit_share: NDArray[np.float64]
    layer_propagation_s: NDArray[np.float64]
    layer_compute_s: NDArray[np.float64]


DRAWN = (
    "positions",
    "sun",
    "earth_rotation",
    "sunlit",
    "soc",
    "plane",
    "slot",
    "placement_step",
    "placement_layer",
    "placement_role",
    "edges",
    "edge_up",
    "hop_step",
    "hop_token",
    "hop_layer",
    "hop_source",
    "hop_target",
    "hop_start_s",
    "hop_end_s",
)
"""The arrays that the globe needs; the rest feeds the charts, which Python draws."""


def pack(trace: Trace) -> bytes:
    """Return the trace as one message for the globe.

    Little-endian: the header's length (uint32), the header (JSON: meta, palette, and of each
    array name, type, offset and size), then the arrays, each at a multiple of 8 bytes.
    """
    arrays = [np.ascontiguousarray(getattr(trace, name)) for name in DRAWN]
    header: dict[str, Any] = {"meta": dataclasses.asdict(trace.meta), "palette": palette.GLOBE}
    # The header tells offsets, which depend on its length: leave room for their largest.
    room = _aligned(4 + len(json.dumps(header)) + 120 * len(arrays))
    offset, table = room, []
    for name, array in zip(DRAWN, arrays, strict=True):
        table.append({"name": name, "type": array.dtype.name, "offset": offset, "size": array.size})
        offset = _aligned(offset + array.nbytes)
    text = json.dumps(header | {"arrays": table}).encode().ljust(room - 4)
    packed = bytearray(offset)
    packed[:room] = np.uint32(len(text)).astype("<u4").tobytes() + text
    for entry, array in zip(table, arrays, strict=True):
        data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        packed[entry["offset"] : entry["offset"] + len(data)] = data
    return bytes(packed)


def _aligned(size: int) -> int:
    return -(-size // 8) * 8
