"""A made-up trace, so that the page can be tested without a run."""

import numpy as np
import pytest

from twin.views.trace import Trace, TraceMeta

STEP_S = 30.0


def make_trace(planes=6, slots=8, frames=5, layers=4, tokens=2, seed=0):
    """Planes of circular polar orbits, links within planes, tokens hopping at random."""
    rng = np.random.default_rng(seed)
    n = planes * slots
    plane, slot = np.divmod(np.arange(n), slots)
    node = 2 * np.pi * plane / planes
    angle = 2 * np.pi * (slot / slots + np.arange(frames)[:, None] / 180)
    radius_km = 6928.137
    positions = radius_km * np.stack(
        [np.cos(angle) * np.cos(node), np.cos(angle) * np.sin(node), np.sin(angle)], axis=-1
    )
    along = np.stack([np.arange(n), plane * slots + (slot + 1) % slots], axis=1)
    across = np.stack([np.arange(n - slots), np.arange(slots, n)], axis=1)
    edges = np.concatenate([along, across])
    up = rng.random((frames, len(edges))) < 0.95
    layer = np.where(slot < layers, slot, -1)
    layer[plane % 3 == 2] = -1
    role = np.where(layer >= 0, np.where(plane == planes // 2, 2, 1), 0)
    layer[role == 0] = -1
    hops = _hops(rng, frames, tokens, layers, planes, slots)
    return Trace(
        meta=TraceMeta(
            name="made-up",
            strategy="none",
            n_satellites=n,
            n_steps=frames,
            step_s=STEP_S,
            start_utc="2026-03-20T00:00:00.000000Z",
            model="toy",
            n_layers=layers,
            n_planes=planes,
            stride=1,
            tokens_drawn=tokens,
            tokens_per_step=64,
        ),
        positions=positions.astype(np.float32),
        sun=np.tile(np.float32([1, 0, 0]), (frames, 1)),
        earth_rotation=np.linspace(3.1, 3.1 + 7.29e-5 * STEP_S * frames, frames).astype(np.float32),
        sunlit=np.where(positions[..., 0] > -2000, 255, 0).astype(np.uint8),
        soc=rng.integers(120, 256, (frames, n)).astype(np.uint8),
        plane=plane.astype(np.int16),
        slot=slot.astype(np.int16),
        placement_step=np.int32([0]),
        placement_layer=layer[None].astype(np.int16),
        placement_role=role[None].astype(np.uint8),
        edges=edges.astype(np.int32),
        edge_up=np.packbits(up, axis=1, bitorder="little"),
        **hops,
        latency_s=rng.uniform(0.9, 1.1, frames),
        latency_p95_s=rng.uniform(1.2, 1.3, frames),
        served=np.ones(frames),
        availability=up.mean(axis=1),
        sunlit_share=np.full(frames, 0.63),
        layer_propagation_s=rng.uniform(0.01, 0.03, (frames, layers)),
        layer_compute_s=np.full((frames, layers), 0.0046),
    )


def _hops(rng, frames, tokens, layers, planes, slots):
    rows = []
    for frame in range(frames):
        for token in range(tokens):
            begin = 0.0
            for layer in range(layers):
                gate = planes // 2 * slots + layer
                following = planes // 2 * slots + (layer + 1) % layers
                joins = []
                for plane in rng.choice(planes, 2, replace=False):
                    expert = plane * slots + layer
                    time = begin
                    if expert != gate:
                        for p in range(planes // 2, plane, 1 if plane > planes // 2 else -1):
                            q = p + (1 if plane > planes // 2 else -1)
                            rows.append(
                                (frame, token, layer, p * slots + layer, q * slots + layer, time)
                            )
                            time += 0.006
                    time += 0.0046
                    rows.append((frame, token, layer, expert, following, time))
                    joins.append(time + 0.006)
                begin = max(joins)
    names = ["hop_step", "hop_token", "hop_layer", "hop_source", "hop_target"]
    kinds = [np.int32, np.int32, np.int16, np.int32, np.int32]
    columns = list(zip(*rows, strict=True))
    hops = {k: np.array(c, t) for k, c, t in zip(names, columns, kinds, strict=False)}
    start = np.array(columns[5])
    return hops | {
        "hop_start_s": start.astype(np.float32),
        "hop_end_s": (start + 0.006).astype(np.float32),
    }


@pytest.fixture(scope="session")
def trace():
    return make_trace()
