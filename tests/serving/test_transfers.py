"""Migration as traffic, on a line of satellites: 0 - 1 - 2 - 3 - 4 - 5, one second a hop."""

from types import SimpleNamespace

import numpy as np
import pytest

from placement.problem import Placement
from twin.serving.shipments import GROUND, Terms
from twin.serving.transfer_state import in_force
from twin.serving.transfers import Transfers

N = 6
TAIL = np.array([0, 1, 1, 2, 2, 3, 3, 4, 4, 5])
INDICES = np.array([1, 0, 2, 1, 3, 2, 4, 3, 5, 4], np.int32)
INDPTR = np.searchsorted(TAIL, np.arange(N + 1)).astype(np.int32)
UP = np.ones(N, bool)
GB, EB = 10.0, 4.0
SIZES = SimpleNamespace(gateway_bytes=GB, expert_bytes=EB, kv_bytes=0.0)


def at(step=0, down=()):
    weight_s = np.ones(10)
    for pair in down:
        weight_s[np.isin(TAIL, pair) & np.isin(INDICES, pair)] = np.inf
    return SimpleNamespace(weight_s=weight_s, instant=SimpleNamespace(t_s=10.0 * step))


def placed(gateway, experts, **copies):
    return Placement(
        gateway=np.array(gateway, np.int32), expert=np.array(experts, np.int32), **copies
    )


def transfers(placement, *, memory=100.0, link=100.0, store=0.0, recompute_s=0.0):
    """Transfers on satellites alike; `recompute_s` is for a cache of 6 bytes."""
    terms = Terms(
        rate_bytes=1e3,
        link_bytes=link,
        store_bytes=store,
        recompute_byte_s=recompute_s / 6.0,
        step_s=10.0,
    )
    return Transfers(in_force(placement), np.broadcast_to(np.float64(memory), N).copy(), terms)


def carry(moving, step=0, *, up=UP, accepting=UP, down=(), taken=None):
    return moving.carry(at(step, down), INDPTR, INDICES, up=up, accepting=accepting, taken=taken)


START = placed([0], [[1, 2]])


def test_the_old_host_serves_until_the_copy_has_arrived():
    moving = transfers(START)
    wanted = placed([0], [[4, 2]])
    assert moving.start(SIZES, wanted) is False
    assert moving.placement == START
    (begun,) = carry(moving)
    assert (begun.source, begun.target, begun.kind) == (1, 4, "expert")
    assert (moving.carried_bytes, moving.hop_bytes) == (EB, 3 * EB)
    assert moving.placement == START
    (arrived,), changed = moving.settle()
    assert arrived is begun
    assert changed
    assert moving.placement == wanted
    assert not moving.under_way


def test_links_carry_no_more_than_their_share_each_way():
    moving = transfers(placed([0], [[1, 1]]), link=3.0)
    moving.start(SIZES, placed([0], [[3, 4]]))  # both over link 1 - 2 - 3: 8 bytes in all
    steps = 0
    while moving.under_way:
        carry(moving, steps)
        assert moving.carried_bytes <= 3.0
        moving.settle()
        steps += 1
    assert steps == 3
    # The other way round the same link is free.
    both_ways = transfers(placed([0], [[1, 4]]), link=4.0)
    both_ways.start(SIZES, placed([0], [[4, 1]]))
    carry(both_ways)
    assert both_ways.carried_bytes == 2 * EB


def test_links_carry_what_hidden_states_leave_of_them():
    """Of 1000 bytes 4 are for migration, and 3 are left on the link from 2 to 3; none, later."""
    for left, carried in ((0.5, 4.0), (0.003, 3.0), (0.0, 0.0)):
        moving = transfers(START, link=4.0)
        moving.start(SIZES, placed([0], [[4, 2]]))
        share = np.where((TAIL == 2) & (INDICES == 3), 1.0 - left, 0.0)
        begun = carry(moving, taken=share)
        assert moving.carried_bytes == pytest.approx(carried)
        assert len(begun) == (carried > 0)


def test_the_nearest_living_holder_is_the_source():
    copies = np.array([[[5], [-1]]], np.int32)
    moving = transfers(placed([0], [[1, 2]], replica=copies))
    wanted = placed([0], [[4, 2]], replica=copies)
    moving.start(SIZES, wanted)
    assert carry(moving)[0].source == 5
    moving = transfers(placed([0], [[1, 2]], replica=copies))
    moving.start(SIZES, wanted)
    off = UP.copy()
    off[5] = False
    assert carry(moving, up=off)[0].source == 1


def test_what_no_living_satellite_holds_comes_from_the_ground_or_waits():
    off = UP.copy()
    off[1] = False
    wanted = placed([0], [[3, 2]])
    moving = transfers(START, store=3.0)
    moving.start(SIZES, wanted)
    assert carry(moving, up=off)[0].source == GROUND
    moving.settle()
    assert moving.placement == START  # 3 of 4 bytes are there
    carry(moving, 1, up=off)
    moving.settle()
    assert moving.placement == wanted
    waiting = transfers(START, store=0.0)
    waiting.start(SIZES, wanted)
    assert carry(waiting, up=off) == []
    assert carry(waiting, 1)[0].source == 1


def test_a_cut_off_or_refusing_target_has_to_wait():
    moving = transfers(START)
    moving.start(SIZES, placed([0], [[4, 2]]))
    assert carry(moving, down=[(2, 3)]) == []
    refusing = UP.copy()
    refusing[4] = False
    assert carry(moving, 1, accepting=refusing) == []
    assert len(carry(moving, 2)) == 1


def test_full_satellites_that_swap_give_one_thing_up_first():
    # Memory for one expert each on 1 and 2; the store must bring what was given up.
    memory = np.array([100.0, EB, EB, 100, 100, 100])
    terms = Terms(
        rate_bytes=1e3, link_bytes=100.0, store_bytes=100.0, recompute_byte_s=0.0, step_s=10.0
    )
    moving = Transfers(in_force(START), memory, terms)
    wanted = placed([0], [[2, 1]])
    moving.start(SIZES, wanted)
    out_of_service = 0
    for step in range(6):
        carry(moving, step)
        out_of_service += int(moving.absent.sum())
        moving.settle()
        held = np.bincount(moving.placement.expert[~moving.absent], minlength=N) * EB
        assert (held <= memory).all()
        if not moving.under_way:
            break
    assert moving.placement == wanted
    assert not moving.absent.any()
    assert out_of_service > 0


def test_where_memory_allows_both_a_swap_leaves_nothing_out_of_service():
    moving = transfers(START, memory=2 * EB)
    moving.start(SIZES, placed([0], [[2, 1]]))
    carry(moving)
    assert not moving.absent.any()
    moving.settle()
    assert moving.placement == placed([0], [[2, 1]])


@pytest.mark.parametrize(("recompute_s", "cache_moves"), [(1e9, True), (0.1, False)])
def test_a_cache_moves_along_or_is_computed_anew_whichever_is_quicker(recompute_s, cache_moves):
    sizes = SimpleNamespace(gateway_bytes=GB, expert_bytes=EB, kv_bytes=6.0)
    moving = transfers(START, recompute_s=recompute_s)
    moving.start(sizes, placed([3], [[1, 2]]))
    carry(moving)
    assert moving.carried_bytes == (GB if cache_moves else GB - 6.0)
    moving.settle()
    assert moving.placement.gateway[0] == 3


def test_a_cache_that_died_with_its_gateway_takes_its_time():
    sizes = SimpleNamespace(gateway_bytes=GB, expert_bytes=EB, kv_bytes=6.0)
    moving = transfers(START, store=100.0, recompute_s=25.0)
    moving.start(sizes, placed([3], [[1, 2]]))
    off = UP.copy()
    off[0] = False
    taken = 0
    while moving.placement.gateway[0] == 0:
        carry(moving, taken, up=off)
        moving.settle()
        taken += 1
    assert taken == 3  # 25 s are over in the third step of 10 s


def test_a_new_plan_drops_what_is_not_wanted_any_more():
    moving = transfers(START, link=1.0)
    moving.start(SIZES, placed([0], [[4, 2]]))
    carry(moving)
    moving.start(SIZES, placed([5], [[1, 2]]))
    assert [(a.thing, a.target) for a in moving.under_way] == [((0, -1), 5)]
    moving.start(SIZES, START)
    assert not moving.under_way
    assert moving.placement == START


def test_reordering_copies_moves_nothing():
    copies = np.array([[[5], [-1]]], np.int32)
    moving = transfers(placed([0], [[1, 2]], replica=copies))
    other = placed([0], [[5, 2]], replica=np.array([[[1], [-1]]], np.int32))
    assert moving.start(SIZES, other) is True
    assert moving.placement == other
    assert not moving.under_way


WITH_CACHE = SimpleNamespace(gateway_bytes=GB, expert_bytes=EB, kv_bytes=6.0)


def test_nothing_arrives_without_having_been_carried():
    moving = transfers(START, store=0.0, recompute_s=25.0)
    moving.start(WITH_CACHE, placed([3], [[1, 2]]))
    off = UP.copy()
    off[0] = False
    for step in range(4):
        carry(moving, step, up=off)
        assert moving.carried_bytes == 0.0
        moving.settle()
    assert moving.placement == START


def test_a_cache_whose_gateway_dies_on_the_way_is_computed_anew():
    moving = transfers(START, link=3.0, store=100.0, recompute_s=1e9)
    moving.start(WITH_CACHE, placed([3], [[1, 2]]))
    carry(moving)
    moving.settle()
    off = UP.copy()
    off[0] = False
    for step in range(1, 4):
        carry(moving, step, up=off)
        moving.settle()
    assert moving.placement.gateway[0] == 0


def test_a_swap_gives_up_as_many_things_as_it_needs():
    memory = np.array([100.0, GB, GB, 100, 100, 100])
    terms = Terms(
        rate_bytes=1e3, link_bytes=100.0, store_bytes=100.0, recompute_byte_s=0.0, step_s=10.0
    )
    moving = Transfers(in_force(placed([2], [[1, 1]])), memory, terms)
    wanted = placed([1], [[2, 2]])
    moving.start(SIZES, wanted)
    for step in range(20):
        carry(moving, step)
        moving.settle()
    assert moving.placement == wanted
    assert not moving.absent.any()
