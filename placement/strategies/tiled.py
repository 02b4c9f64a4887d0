"""Instances side by side: the constellation cut into tiles, a ring on each."""

import numpy as np
from numpy.typing import NDArray

from placement.deployment import Count, Deployment, most_by_memory, share_of_demand
from placement.exchange import exchange
from placement.filling import limits
from placement.nearby import Nearby, nearby
from placement.problem import PlacementProblem
from placement.tile import Ground, Laid, ground, lay
from placement.tiling import Land, blocks, cut, land, widths
from twin.errors import InputError

_AROUND = 128
"""Satellites around each one whose delays are worked out."""

_LARGER = (1.0, 1.04, 1.1, 1.2, 1.35, 1.5, 2.0)
"""Sizes of tiles that are tried, in least ones."""

_FASTER = 0.997
"""What a larger size must gain, or none is tried that is larger still."""

_RAGGED = 1.01
"""Mean time, in that of a usual tile of the best width, from which on tiles count as ragged."""

_SPARE = (1, 2, 4, 8)
"""Further satellites that a tile without room gets, one after the other."""


def tiled(
    problem: PlacementProblem,
    *,
    rng: np.random.Generator,
    instances: Count = 1,
    min_tokens_per_s: float = 0.0,
    busy_margin: float = 0.8,
    refine: int = 300,
    moves: int = 500,
) -> Deployment:
    """Cut the constellation into tiles and lay a ring on each, so that none is in another's way.

    Tiles are rectangles of slots and planes, as large as an instance needs, or larger where that is
    faster and as many fit. It looks at power, unlike `joint`. Where tokens choose from several
    copies, both gateways of a layer have all of its experts, if memory allows: a token's two
    experts then never share a satellite, and load is shared as it comes.

    Parameters
    ----------
    problem : PlacementProblem
    rng : numpy.random.Generator
        Draws the moves.
    instances : int or "fill"
        How many; with "fill" as many as find room.
    min_tokens_per_s, busy_margin : float
        As in `joint`, for every instance.
    refine : int
        Moves of gateways to try in each tile that has satellites to spare.
    moves : int
        Exchanges of satellites between tiles to try, for each satellite, where tiles are ragged.
    """
    around = nearby(problem, _AROUND)
    wanted = max(most_by_memory(problem), 1) if instances == "fill" else instances
    while True:
        one = share_of_demand(problem, wanted)
        limit = limits(
            one, min_tokens_per_s=min_tokens_per_s, busy_margin=busy_margin, spread=False
        )
        found = _side_by_side(ground(one, limit, around), wanted, refine, moves, rng)
        if not found:
            raise InputError(
                "tiled: no tile finds room for all layers and experts; raise compute.memory_gb or "
                "compute.gflops, ask for fewer tokens, or take more satellites"
            )
        if len(found) == wanted or (instances == "fill" and not problem.rate_per_s):
            return Deployment(tuple(laid.placement for laid in found))
        if instances != "fill":
            raise InputError(f"tiled: {len(found)} of {wanted} instances fit")
        wanted = len(found)


def _side_by_side(
    ground: Ground, wanted: int, refine: int, moves: int, rng: np.random.Generator
) -> list[Laid]:
    """Instances on tiles of the size that suits them best, as many as fit up to `wanted`."""
    area = land(ground)
    best: list[Laid] = []
    fastest_s = np.inf
    for size in _sizes(area):
        if area.carries.sum() < size * len(best) * (1 - 1e-9):
            break
        cost_s = widths(area, size)
        if not cost_s:
            continue
        # One more in sixteen than is wanted, for some may turn out slow.
        planned, count = blocks(area, size, cost_s, wanted, wanted + wanted // 16 + 1)
        if count < len(best) or min(cost_s.values()) > fastest_s * _FASTER:
            break
        fastest_s = min(cost_s.values())
        tiles = [tile for block in planned for tile in cut(area, *block, size)]
        best = _better(best, _laid(ground, tiles, wanted, refine))
    ragged = _mean_s(best) > fastest_s * _RAGGED
    if best and moves and ragged and len(best[0].used) <= ground.problem.n_layers:
        tries = moves * int((area.carries > 0).sum())
        tiles = [laid.used for laid in best]
        tiles = exchange(ground.around, tiles, area.carries, moves=tries, rng=rng)
        best = _better(best, _laid(ground, tiles, wanted, refine))
    return best


def _sizes(area: Land) -> list[float]:
    """Sizes of tiles to try, in instances, from the least on."""
    room = area.carries[area.carries > 0]
    if not room.size:
        return []
    each = float(np.median(room))
    least = int(np.ceil(1 / each - 1e-9))
    sizes = sorted({int(least * factor) for factor in _LARGER})
    return [size * each for size in sizes]


def _laid(ground: Ground, tiles: list[NDArray[np.int32]], wanted: int, refine: int) -> list[Laid]:
    """The fastest instances on some tiles, as many as are wanted."""
    found = sorted(_lay_all(ground, tiles, refine), key=lambda laid: laid.score_s)
    return _with_spares(ground, found[:wanted], refine)


def _lay_all(ground: Ground, tiles: list[NDArray[np.int32]], refine: int) -> list[Laid]:
    """Lay an instance on each tile; one that finds no room gets spare satellites near it."""
    spare = (ground.limit.capacity > 0).all(axis=1)
    for tile in tiles:
        spare[tile] = False
    found = []
    for tile in tiles:
        laid = lay(ground, tile, refine=refine)
        for more in _SPARE:
            if laid is not None:
                break
            members = np.concatenate([tile, _spares(ground.around, tile, spare, more)])
            laid = lay(ground, members, refine=refine)
        if laid is None:
            spare[tile] = True
        else:
            spare[laid.used] = False
            found.append(laid)
    return found


def _with_spares(ground: Ground, found: list[Laid], refine: int) -> list[Laid]:
    """Lay the slowest instances again, with spare satellites near them to choose from."""
    spare = (ground.limit.capacity > 0).all(axis=1)
    for laid in found:
        spare[laid.used] = False
    for i in sorted(range(len(found)), key=lambda i: -found[i].score_s):
        members = np.concatenate(
            [found[i].used, _spares(ground.around, found[i].used, spare, _SPARE[-1])]
        )
        again = lay(ground, members, refine=refine) if len(members) > len(found[i].used) else None
        if again is not None and again.score_s < found[i].score_s:
            spare[found[i].used] = True
            found[i] = again
            spare[again.used] = False
    return found


def _spares(
    around: Nearby, tile: NDArray[np.int32], spare: NDArray[np.bool_], count: int
) -> NDArray[np.int32]:
    """The spare satellites nearest to a tile."""
    near, delay_s = around.satellite[tile].ravel(), around.delay_s[tile].ravel()
    free = np.flatnonzero((near >= 0) & spare[near])
    order = free[np.argsort(delay_s[free], kind="stable")]
    return np.asarray(list(dict.fromkeys(near[order].tolist()))[:count], np.int32)


def _better(one: list[Laid], other: list[Laid]) -> list[Laid]:
    """The one with more instances; of as many, that which takes less time on average."""
    return min(one, other, key=lambda found: (-len(found), _mean_s(found)))


def _mean_s(found: list[Laid]) -> float:
    """Seconds a token, mean over instances."""
    return float(np.mean([laid.score_s for laid in found])) if found else np.inf
