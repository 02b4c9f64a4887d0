"""Where layers run, against plain loops over copies."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.recorder import hosts as hosts_of
from placement.hosting import from_rows, hosting
from placement.problem import Placement, serving_gateways
from twin.serving.hosts import Hosts, resolve

N, LAYERS, EXPERTS = 9, 3, 2
TRANSFER_S = 0.5


@st.composite
def cases(draw):
    """A placement with copies, who is up, and delays some of which are infinite."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    standbys, replicas = draw(st.integers(0, 2)), draw(st.integers(0, 3))

    def distinct(*shape):
        hosts = np.argsort(rng.random((*shape[:-1], N)), axis=-1)[..., : shape[-1]]
        optional = rng.random(hosts.shape) < 0.3
        optional[..., 0] = False
        return np.where(optional, -1, hosts).astype(np.int32)

    gateways, copies = distinct(LAYERS, 1 + standbys), distinct(LAYERS, EXPERTS, 1 + replicas)
    placement = Placement(
        gateway=gateways[:, 0],
        expert=copies[..., 0],
        standby=gateways[:, 1:],
        replica=copies[..., 1:],
    )
    delay_s = rng.uniform(1, 5, (LAYERS, N))
    delay_s[rng.random(delay_s.shape) < 0.2] = np.inf
    up = rng.random(N) < draw(st.sampled_from([0.0, 0.6, 1.0]))
    gateway = serving_gateways(placement, up)
    delay_s[np.arange(LAYERS), gateway] = 0.0
    return placement, gateway, delay_s, up


@settings(max_examples=150, deadline=None)
@given(cases())
def test_the_first_gateway_that_is_up_serves(case):
    placement, gateway, _, up = case
    for layer in range(LAYERS):
        standbys = [g for g in placement.gateways[layer] if g >= 0 and up[g]]
        assert gateway[layer] == [*standbys, placement.gateway[layer]][0]


@settings(max_examples=150, deadline=None)
@given(cases())
def test_copies_are_ordered_by_way_with_the_off_and_the_missing_last(case):
    placement, gateway, delay_s, up = case
    hosts = resolve(placement, gateway, delay_s, TRANSFER_S, up=up)
    width = placement.copies.shape[2]
    for layer, expert in np.ndindex(LAYERS, EXPERTS):

        def way_s(copy, layer=layer, expert=expert):
            host = placement.copies[layer, expert, copy]
            if host < 0:
                return np.inf
            legs_s = delay_s[layer, host], delay_s[(layer + 1) % LAYERS, host]
            return sum(leg_s + TRANSFER_S * (leg_s > 0) for leg_s in legs_s)

        columns = hosts.order[layer, expert]
        copies = columns - expert * width
        assert sorted(copies) == list(range(width))
        np.testing.assert_allclose(hosts.path_s[layer, columns], [way_s(c) for c in copies])
        if width == 1:
            continue
        usable_s = [
            way_s(c) if up[placement.copies[layer, expert, c]] else np.inf for c in range(width)
        ]
        assert [usable_s[c] for c in copies] == sorted(usable_s)


@settings(max_examples=100, deadline=None)
@given(cases(), st.integers(0, LAYERS - 1), st.integers(0, EXPERTS - 1))
def test_a_first_copy_that_is_not_there_yet_comes_after_any_that_can_serve(case, layer, expert):
    placement, gateway, delay_s, up = case
    absent = np.zeros((LAYERS, EXPERTS), bool)
    absent[layer, expert] = True
    hosts = resolve(placement, gateway, delay_s, TRANSFER_S, up=up, absent=absent)
    width = placement.copies.shape[2]
    assert np.flatnonzero(hosts.absent.ravel()) == [layer * EXPERTS * width + expert * width]
    others = expert * width + np.arange(1, width)
    serve = np.isfinite(hosts.path_s[layer, others]) & up[hosts.satellite[layer, others]]
    assert (hosts.nearest[layer, expert] in others[serve]) == serve.any()


@settings(max_examples=100, deadline=None)
@given(cases())
def test_a_host_shows_one_layer_a_gateways_first_and_a_standbys_next(case):
    placement, *_ = case
    hosted = hosting(N, placement, len(placement.gateway))
    for satellite in range(N):
        by_rank = (
            np.flatnonzero(placement.gateway == satellite),
            np.flatnonzero((placement.standby == satellite).any(axis=1)),
            np.flatnonzero((placement.copies == satellite).any(axis=(1, 2))),
        )
        allowed = next((layers for layers in by_rank if len(layers)), [-1])
        assert hosted.layer[satellite] in allowed
        assert hosted.gateway[satellite] == (placement.gateways == satellite).any()
        assert hosted.experts[satellite] == (placement.copies == satellite).sum()


@settings(max_examples=50, deadline=None)
@given(cases())
def test_a_placement_comes_back_from_the_rows_that_a_run_keeps(case):
    placement, *_ = case
    assert from_rows(**hosts_of(placement, len(placement.gateway))) == placement


def test_what_no_token_chooses_may_be_out_of_reach():
    hosts = Hosts(
        gateway=np.zeros(1, np.int32),
        satellite=np.array([[1, 2]], np.int32),
        path_s=np.array([[0.25, np.inf]]),
        order=np.array([[[0], [1]]]),
        absent=np.zeros((1, 2), bool),
    )
    assert hosts.way_s(np.array([[2.0, 0.0]]), 2) == 0.25
    assert hosts.way_s(np.array([[1.0, 1.0]]), 2) == np.inf
