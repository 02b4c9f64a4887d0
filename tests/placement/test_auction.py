"""Auctions on arrays, worked out by hand or by trying everything."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from placement.auction import Heard, price_s, sell
from placement.policies.telemetry import Bids
from placement.problem import Placement
from placement.sales import GATEWAY, Hall, Sale, sell_experts, sell_gateways
from twin.errors import InputError
from twin.network.routing import shortest_paths

INF = np.inf


def test_the_greatest_gain_is_taken_first_and_a_satellite_wins_once():
    keep_s = np.array([5.0, 9.0, 4.0])
    bid_s = np.array([[1.0, 2.0, INF], [3.0, 8.0, INF], [1.0, 3.9, 3.0]])
    # Thing 1 gains 6 with satellite 0. Then thing 0 gains 3 with satellite 1, thing 2 gains 1.
    assert sell(keep_s, bid_s, min_gain=0.0, cost_s=0.0) == [(1, 0), (0, 1), (2, 2)]
    assert sell(keep_s, bid_s, min_gain=0.3, cost_s=0.0) == [(1, 0), (0, 1)]  # 1 of 4 is less
    assert sell(keep_s, bid_s, min_gain=0.0, cost_s=3.0) == [(1, 0)]  # 3 is no more than 3


numbers = st.integers(0, 20).map(float)


@given(
    keep_s=hnp.arrays(float, 4, elements=numbers),
    bid_s=hnp.arrays(float, (4, 3), elements=numbers | st.just(INF)),
    min_gain=st.sampled_from([0.0, 0.5]),
)
def test_what_is_sold_is_what_trying_all_pairs_in_turn_finds(keep_s, bid_s, min_gain):
    gain_s = keep_s[:, None] - bid_s
    pairs = set(zip(*np.nonzero(gain_s > min_gain * keep_s[:, None]), strict=True))
    found = []
    while pairs:
        thing, winner = max(pairs, key=lambda pair: (gain_s[pair], -pair[0], -pair[1]))
        found.append((thing, winner))
        pairs = {pair for pair in pairs if pair[0] != thing and pair[1] != winner}
    assert sell(keep_s, bid_s, min_gain=min_gain, cost_s=0.0) == found


def heard(**changes) -> Heard:
    usual = {
        "known": np.ones(4, bool),
        "limit": np.array([1.0, 0.5, 0.5, 0.0]),
        "load": np.array([0.2, 0.2, 1.0, 0.0]),
        "room_bytes": np.full(4, 10.0),
    }
    return Heard(**(usual | changes))


def test_who_bids_and_what_a_host_is_expected_to_lose():
    # Nine tenths of what power allows: 0.9, 0.45, 0.45; the last cannot even idle.
    assert heard().bears(0.25, 10.0).tolist() == [True, True, False, False]
    assert heard().bears(0.26, 10.0).tolist() == [True, False, False, False]
    assert not heard().bears(0.0, 11.0).any()
    assert heard().lost.tolist() == [0.0, 0.0, 0.5, 1.0]
    assert heard(known=np.zeros(4, bool)).lost.tolist() == [1.0] * 4
    # A token in four needs it: a quarter of 0.1 s, and of 10 s for the half that is lost.
    assert price_s(np.array([0.1]), 0.25, 0.5) == pytest.approx(0.025 + 1.25)


# A ring of eight satellites, 10 ms a hop but for 30 ms between 7 and 0.
N, HOP_S = 8, np.array([0.01] * 7 + [0.03])
TAIL = np.array([[i, (i + 1) % N] for i in range(N)]).ravel()
HEAD = np.array([[(i + 1) % N, i] for i in range(N)]).ravel()
ORDER = np.lexsort((HEAD, TAIL))
INDPTR = np.searchsorted(TAIL[ORDER], np.arange(N + 1)).astype(np.int32)
INDICES = HEAD[ORDER].astype(np.int32)
WEIGHT_S = np.repeat(HOP_S, 2)[ORDER]


def hall(*, gateway=(0, 4), expert=((7, 2), (2, 6)), off=(), silent=(), **changes) -> Hall:
    """Two layers of two experts, chosen 0.9 and 0.6 times a token; satellites bear two experts."""
    placement = Placement(gateway=np.array(gateway, np.int32), expert=np.array(expert, np.int32))
    weight_s = WEIGHT_S.copy()
    weight_s[np.isin(TAIL[ORDER], off) | np.isin(HEAD[ORDER], off)] = INF
    delay_s, _ = shortest_paths(INDPTR, INDICES, weight_s, placement.gateway)
    known = np.ones((2, N), bool)
    known[:, list(silent)] = False
    usual = {
        "terms": Bids(min_gain=0.0, token_s_per_gb=0.0),
        "layers": 2,
        "indptr": INDPTR,
        "indices": INDICES,
        "weight_s": weight_s,
        "delay_s": delay_s,
        "up": ~np.isin(gateway, off),
        "placement": placement,
        "chosen": np.tile([0.9, 0.6], (2, 1)),
        "work": np.tile([0.0, 0.4, 0.3], (2, 1)),
        "pace": np.ones(N),
        "gateway_bytes": 5.0,
        "expert_bytes": 5.0,
        "transfer_s": 0.0,
        "tokens": 1e6,
        "heard": Heard(
            known=known,
            limit=np.ones((2, N)),
            load=np.zeros((2, N)),
            room_bytes=np.full((2, N), 10.0),
        ),
        "busy": frozenset(),
    }
    return Hall(**(usual | changes))


def test_experts_move_to_where_the_token_passes_anyway():
    # Between 0 and 4 lie 1 to 3, 40 ms either way round; through 7 it is 30 + 60 ms, through 6
    # 40 + 20. Expert (0, 0) gains 50 ms, and takes the first of the five on the way.
    sales = sell_experts(hall(), everything=True)
    assert sales == [Sale(0, 0, 7, 0, 0), Sale(1, 1, 6, 0, 1)]
    # What is on its way or sold already is not sold again; nothing moves unasked.
    assert sell_experts(hall(busy=frozenset({(0, 0)})), everything=True)[0].layer == 1
    assert sell_experts(hall(), everything=False) == []


def test_a_host_without_word_loses_its_expert_unasked():
    (sale,) = sell_experts(hall(silent=[2], expert=((2, 3), (3, 3))), everything=False)
    assert sale[:3] == (0, 0, 2)
    assert sale.target in (0, 1, 3, 4)


def test_a_gateway_goes_to_the_weighted_median_of_those_it_speaks_with():
    # Seat 1 speaks with 1, 2 (its own) and 1, 2 (of the layer before): 2 and 1 cost the same hop,
    # but 1 is chosen more often. From 4 it is 3 hops to 1 and 2 to 2, both ways.
    sales = sell_gateways(hall(expert=((1, 2), (1, 2))), parity=1)
    assert sales == [Sale(1, GATEWAY, 4, 1, 1)]
    assert sell_gateways(hall(expert=((1, 2), (1, 2))), parity=None) == []


def test_a_dead_gateway_is_sold_by_the_one_before_it_once_there_is_no_word():
    experts = ((1, 2), (2, 3))
    assert sell_gateways(hall(off=[4], expert=experts), parity=None) == []  # word is recent
    (sale,) = sell_gateways(hall(off=[4], silent=[4], expert=experts), parity=None)
    assert sale[:3] == (1, GATEWAY, 4)
    assert (sale.seller, sale.target) == (0, 2)
    assert sell_gateways(hall(off=[0, 4], silent=[0, 4]), parity=None) == []  # nobody is left


places = st.lists(st.integers(0, N - 1), min_size=2, max_size=2)


@given(
    gateway=places,
    expert=st.lists(places, min_size=2, max_size=2),
    off=st.sets(st.integers(0, N - 1), max_size=3),
    load=hnp.arrays(float, (2, N), elements=st.sampled_from([0.0, 0.5, 0.8])),
    room=hnp.arrays(float, (2, N), elements=st.sampled_from([0.0, 4.0, 5.0, 10.0])),
    busy=st.sets(st.tuples(st.integers(0, 1), st.integers(-1, 1))),
)
def test_whatever_is_known_things_go_once_and_to_those_that_bear_them(
    gateway, expert, off, load, room, busy
):
    known = np.ones((2, N), bool)
    known[:, list(off)] = False
    heard = Heard(known=known, limit=np.ones((2, N)), load=load, room_bytes=room)
    of = hall(gateway=gateway, expert=expert, off=list(off), heard=heard, busy=frozenset(busy))
    sales = sell_experts(of, everything=True) + sell_gateways(of, parity=0)
    things = [sale[:2] for sale in sales]
    assert len(set(things)) == len(things)
    assert not set(things) & busy
    for layer, part, source, target, seller in sales:
        assert of.up[seller]
        work = 0.0 if part == GATEWAY else of.work[layer, 1 + part]
        assert load[seller, target] + work <= 0.9
        assert room[seller, target] >= 5.0
        assert target not in off
        held = of.placement.gateway[layer] if part == GATEWAY else of.placement.expert[layer, part]
        assert source == held != target
    of_experts = [sale for sale in sales if sale.expert != GATEWAY]
    winners = [(sale.seller, sale.target) for sale in of_experts]
    assert len(set(winners)) == len(winners)


@pytest.mark.parametrize("value", [-1, np.nan, np.inf, "soon", True])
def test_terms_of_a_market_are_numbers(value):
    with pytest.raises(InputError, match=r"Bids: patience_s must be a number >= 0"):
        Bids(patience_s=value)
