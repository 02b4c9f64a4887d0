"""Every placement strategy by name; a new one is a file beside this and an entry here."""

from collections.abc import Callable

from placement.problem import Placement
from placement.strategies.energy_aware import energy_aware
from placement.strategies.exact import exact
from placement.strategies.joint import joint
from placement.strategies.local_search import local_search
from placement.strategies.packed import packed
from placement.strategies.rand_intra import rand_intra, rand_intra_cg
from placement.strategies.rand_place import rand_place
from placement.strategies.replicated import replicated
from placement.strategies.single_satellite import single_satellite
from placement.strategies.space_xnet import compact_random, space_xnet
from placement.strategies.sun_tracking import sun_tracking
from twin.registry import Registry

type Strategy = Callable[..., Placement]

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
        "exact": exact,
        "single-satellite": single_satellite,
    },
    field="placement.strategy",
)
"""Each takes ``(problem, *, rng)`` and parameters of its own, and returns a `Placement`."""
