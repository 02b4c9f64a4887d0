"""What is on its way to new hosts, and what it is subject to."""

from dataclasses import dataclass

from twin.vocabulary import Migration

Thing = tuple[int, int]
"""Layer and expert; expert -1 is the layer's gateway."""

GROUND = -1


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
        Before this time a cache that is computed anew is not ready.
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
        """Come closer by some bytes."""
        self.source = source
        self.carried_bytes += carried_bytes
        self.left_bytes = max(self.left_bytes - carried_bytes, 0.0)
        self.cache_bytes = min(self.cache_bytes, self.left_bytes)

    def compute_cache(self, ready_s: float) -> None:
        """Give up the rest of the cache, and have it by some time all the same."""
        self.left_bytes -= self.cache_bytes
        self.cache_bytes = 0.0
        self.ready_s = ready_s

    def arrived(self, now_s: float) -> bool:
        """Whether it is all there, and its cache ready."""
        return self.source is not None and self.left_bytes <= 1e-6 and self.ready_s <= now_s

    @property
    def kind(self) -> str:
        """What it is, for the record."""
        return Migration.GATEWAY if self.thing[1] < 0 else Migration.EXPERT


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What transfers are subject to.

    Attributes
    ----------
    link_bytes : float
        What a link carries for them in a step, each way.
    store_bytes : float
        What comes up from the ground in a step.
    recompute_s : float
        Time to compute a layer's cache anew.
    step_s : float
    """

    link_bytes: float
    store_bytes: float
    recompute_s: float
    step_s: float
