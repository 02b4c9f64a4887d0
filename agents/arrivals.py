"""What is on its way to new hosts, and what it is subject to."""

from dataclasses import dataclass

Thing = tuple[int, int]
"""Layer and expert; expert -1 is the layer's gateway."""

GROUND = -1


@dataclass(kw_only=True)
class Arrival:
    """One thing on its way to one satellite.

    Attributes
    ----------
    thing : Thing
    target : int
    size_bytes, left_bytes : float
        In all, and still to come.
    source : int or None
        Where it comes from, `GROUND` for the ground; None before it has started.
    ready_s : float
        Before this time a cache that is computed anew is not ready.
    """

    thing: Thing
    target: int
    size_bytes: float
    left_bytes: float
    source: int | None = None
    ready_s: float = 0.0

    def take(self, source: int, carried_bytes: float, now_s: float) -> None:
        """Come closer by some bytes."""
        self.source = source
        self.left_bytes -= carried_bytes
        if self.left_bytes <= 1e-6:
            # A cache that is being computed anew keeps a byte back until it is ready.
            self.left_bytes = 0.0 if self.ready_s <= now_s else 1.0

    @property
    def kind(self) -> str:
        """What it is, for the record."""
        return "gateway" if self.thing[1] < 0 else "expert"


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
