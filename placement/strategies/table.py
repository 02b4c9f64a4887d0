"""Every placement strategy by name; a new one is a file beside this and an entry here."""

from collections.abc import Callable

from placement.deployment import Deployment
from placement.problem import Placement
from placement.strategies.energy_aware import energy_aware
from placement.strategies.exact import exact
from placement.strategies.joint import joint
from placement.strategies.local_search import local_search
from placement.strategies.packed import packed
from placement.strategies.pipeline import pipeline
from placement.strategies.rand_intra import rand_intra, rand_intra_cg
from placement.strategies.rand_place import rand_place
from placement.strategies.replicated import replicated
from placement.strategies.single_satellite import single_satellite
from placement.strategies.space_xnet import compact_random, space_xnet
from placement.strategies.sun_tracking import sun_tracking
from placement.strategies.tiled import tiled
from twin.registry import Registry

type Strategy = Callable[..., Placement | Deployment]

STRATEGIES: Registry[Strategy] = Registry(
    "placement strategy",
    {
        "rand-place": rand_place,
        "rand-intra": rand_intra,
        "rand-intra-cg": rand_intra_cg,
        "compact-random": compact_random,
        "space-xnet": space_xnet,
        "packed": packed,
        "joint": joint,
        "local-search": local_search,
        "sun-tracking": sun_tracking,
        "energy-aware": energy_aware,
        "replicated": replicated,
        "tiled": tiled,
        "exact": exact,
        "single-satellite": single_satellite,
        "pipeline": pipeline,
    },
    field="placement.strategy",
    given=("rng", "instances"),
    bounds={
        "min_tokens_per_s": (0.0, 1e15),
        "busy_margin": (1e-6, 1e3),
        "anchor": (0.0, 1e6),
        "refine": (0, 100_000),
        "moves": (0, 100_000),
        "start_heat": (0.0, 1e3),
        "reserve": (0.0, 1.0),
        "copies": (1, 100),
        "standbys": (0, 100),
        "budget": (0.0, 1e6),
        "time_limit_s": (1e-3, 3600.0),
    },
)
"""Each takes ``(problem, *, rng)`` and parameters of its own, and returns a `Placement`.

One that takes ``instances`` too plans so many at once, and returns a `Deployment`.
"""
