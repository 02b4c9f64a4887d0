"""Transfers to new hosts, and their limits."""

from dataclasses import dataclass

from twin.moe.inference import Inference
from twin.scenario.schema import Scenario
from twin.vocabulary import Migration

Thing = tuple[int, int]
"""Layer and expert; expert -1 is the layer's gateway."""

GROUND = -1


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The hosts that one thing is to have."""

    thing: Thing
    hosts: list[int]


@dataclass(kw_only=True)
class Shipment:
    """One thing on its way to one satellite.

    Attributes
    ----------
    thing : Thing
    target : int
    size_bytes : float
        Memory it takes there.
    left_bytes : float
        Still to come.
    cache_bytes : float
        The part of `left_bytes` that is a cache of keys and values; it comes last.
    carried_bytes : float
        What has come over links, or up from the ground.
    source : int or None
        Where it comes from, `GROUND` for the ground; None before it has started.
    ready_s : float
        A cache that is recomputed is not ready before this time.
    """

    thing: Thing
    target: int
    size_bytes: float
    left_bytes: float
    cache_bytes: float = 0.0
    carried_bytes: float = 0.0
    source: int | None = None
    ready_s: float = 0.0

    def take(self, source: int, carried_bytes: float) -> None:
        """Receive some bytes."""
        self.source = source
        self.carried_bytes += carried_bytes
        self.left_bytes = max(self.left_bytes - carried_bytes, 0.0)
        self.cache_bytes = min(self.cache_bytes, self.left_bytes)

    def compute_cache(self, ready_s: float) -> None:
        """Recompute the rest of the cache, to be ready at some time, instead of carrying it."""
        self.left_bytes -= self.cache_bytes
        self.cache_bytes = 0.0
        self.ready_s = ready_s

    def arrived(self, now_s: float) -> bool:
        """Whether everything has arrived and the cache is ready."""
        return self.source is not None and self.left_bytes <= 1e-6 and self.ready_s <= now_s

    @property
    def kind(self) -> str:
        """What it is, for the record."""
        return Migration.GATEWAY if self.thing[1] < 0 else Migration.EXPERT


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Limits of transfers.

    Attributes
    ----------
    rate_bytes : float
        What a link carries in a step, each way.
    link_bytes : float
        What of this is for them, at most.
    store_bytes : float
        What comes up from the ground in a step.
    recompute_byte_s : float
        Time to recompute a byte of a layer's cache.
    step_s : float
    """

    rate_bytes: float
    link_bytes: float
    store_bytes: float
    recompute_byte_s: float
    step_s: float


def terms(scenario: Scenario, model: Inference, step_s: float) -> Terms:
    """Return what the transfers of a scenario are subject to."""
    table = scenario.controller
    stage_s = float(model.stage_s.max() + model.card.top_k * model.expert_s)
    rate_bytes = scenario.links.rate_gbps * 1e9 / 8 * step_s
    return Terms(
        rate_bytes=rate_bytes,
        link_bytes=rate_bytes * table.migration_share,
        store_bytes=table.store_gbps * 1e9 / 8 * step_s,
        # The prompts run through the ring again, as fast as its slowest stage.
        recompute_byte_s=stage_s / model.card.kv_bytes_per_token_per_layer,
        step_s=step_s,
    )
