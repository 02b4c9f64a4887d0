"""Migration between random placements under random faults, audited with networkx."""

import itertools
from collections import Counter
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placement.problem import Placement, check, memory_used_bytes
from twin.serving.shipments import GROUND, Terms
from twin.serving.transfer_state import in_force
from twin.serving.transfers import Transfers

N, LAYERS, EXPERTS = 8, 2, 3
STEP_S = 10.0
LINKS = np.array([(i, (i + 1) % N) for i in range(N)] + [(0, 4), (2, 6)])
ORDER = np.lexsort(np.hstack([LINKS.T, LINKS.T[::-1]])[::-1])
TAIL, INDICES = np.hstack([LINKS.T, LINKS.T[::-1]]).astype(np.int32)[:, ORDER]
INDPTR = np.searchsorted(TAIL, np.arange(N + 1)).astype(np.int32)


def problem(memory_bytes=np.inf):
    return SimpleNamespace(
        activation=np.ones((LAYERS, EXPERTS)),
        n_satellites=N,
        memory_bytes=np.full(N, memory_bytes),
        gateway_bytes=7.0,
        expert_bytes=4.0,
        kv_bytes=0.0,
    )


def random_placement(rng, memory_bytes):
    """Things with up to two hosts each that fit into memory."""
    while True:
        gateways = np.argsort(rng.random((LAYERS, N)), axis=-1)[:, :2].astype(np.int32)
        copies = np.argsort(rng.random((LAYERS, EXPERTS, N)), axis=-1)[..., :2].astype(np.int32)
        gateways[:, 1][rng.random(LAYERS) < 0.6] = -1
        copies[..., 1][rng.random((LAYERS, EXPERTS)) < 0.6] = -1
        found = Placement(
            gateway=gateways[:, 0],
            expert=copies[..., 0],
            standby=gateways[:, 1:],
            replica=copies[..., 1:],
        )
        if (memory_used_bytes(problem(), found) <= memory_bytes).all():
            return found


def hosts_of(placement):
    """Hosts of each thing in order; expert -1 is the gateway."""
    return {
        (layer, expert): [
            int(host)
            for host in (
                placement.gateways[layer] if expert < 0 else placement.copies[layer, expert]
            )
            if host >= 0
        ]
        for layer in range(LAYERS)
        for expert in range(-1, EXPERTS)
    }


class Audit:
    """Steps a migration, and checks each step against what the graph allows."""

    def __init__(self, rng, *, memory_bytes, link_bytes, store_bytes):
        self.rng, self.memory_bytes = rng, memory_bytes
        self.link_bytes, self.store_bytes = link_bytes, store_bytes
        terms = Terms(
            rate_bytes=1e3,
            link_bytes=link_bytes,
            store_bytes=store_bytes,
            recompute_byte_s=0.0,
            step_s=STEP_S,
        )
        first = random_placement(rng, memory_bytes)
        self.moving = Transfers(in_force(first), np.full(N, memory_bytes), terms)
        self.given_up = 0

    def holders(self, thing):
        layer, expert = thing
        moving = self.moving
        absent = moving.gateway_absent[layer] if expert < 0 else moving.absent[layer, expert]
        return [] if absent else hosts_of(moving.placement)[thing]

    def held_bytes(self):
        """What is in force, and what has set out."""
        held = np.zeros(N)
        for layer in range(LAYERS):
            for expert in range(-1, EXPERTS):
                held[self.holders((layer, expert))] += 7.0 if expert < 0 else 4.0
        for arrival in self.moving.under_way:
            if arrival.source is not None:
                held[arrival.target] += arrival.size_bytes
        return held

    def step(self, number, *, sound=1.0, refusing=0.0):
        rng, moving = self.rng, self.moving
        up = rng.random(N) < sound
        accepting = up & (rng.random(N) >= refusing)
        graph = nx.Graph()
        graph.add_nodes_from(range(N))
        for a, b in LINKS:
            if up[a] and up[b] and rng.random() < sound:
                graph.add_edge(int(a), int(b), weight=rng.uniform(1, 2))
        weight_s = np.array(
            [
                graph.edges[a, b]["weight"] if graph.has_edge(a, b) else np.inf
                for a, b in zip(TAIL.tolist(), INDICES.tolist(), strict=True)
            ]
        )
        snapshot = SimpleNamespace(weight_s=weight_s, instant=SimpleNamespace(t_s=STEP_S * number))
        before = [(a, a.left_bytes, a.source) for a in moving.under_way]
        holders = {a.thing: self.holders(a.thing) for a in moving.under_way}
        begun = moving.carry(snapshot, INDPTR, INDICES, up=up, accepting=accepting)
        traffic, hop_bytes, brought = Counter(), 0.0, 0.0
        for arrival, left_bytes, source in before:
            carried = left_bytes - arrival.left_bytes
            assert carried >= 0
            assert (arrival in begun) == (source is None and carried > 0)
            if not carried:
                continue
            brought += carried
            assert (accepting if source is None else up)[arrival.target]
            away_s = nx.single_source_dijkstra_path_length(graph, arrival.target)
            near = [h for h in holders[arrival.thing] if h in away_s and up[h]]
            assert arrival.source == (min(near, key=away_s.get) if near else GROUND)
            if arrival.source == GROUND:
                traffic[GROUND] += carried
                hop_bytes += carried
                continue
            path = nx.dijkstra_path(graph, arrival.source, arrival.target)
            hop_bytes += carried * (len(path) - 1)
            for hop in itertools.pairwise(path):
                traffic[hop] += carried
        assert traffic.pop(GROUND, 0.0) <= self.store_bytes + 1e-6
        assert all(bytes_ <= self.link_bytes + 1e-6 for bytes_ in traffic.values())
        assert moving.carried_bytes == pytest.approx(brought)
        assert moving.hop_bytes == pytest.approx(hop_bytes)
        self.given_up += int(moving.absent.sum() + moving.gateway_absent.sum())
        assert (self.held_bytes() <= self.memory_bytes + 1e-6).all()
        moving.settle()
        self.check_in_force()

    def check_in_force(self):
        """Any mixture of old and new is complete, and names no satellite twice for a thing."""
        check(problem(), self.moving.placement)
        assert (self.held_bytes() <= self.memory_bytes + 1e-6).all()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    memory_bytes=st.sampled_from([15.0, 19.0, 60.0]),
    link_bytes=st.sampled_from([1.0, 3.0, 50.0]),
    store_bytes=st.sampled_from([0.0, 2.0, 50.0]),
    sound=st.sampled_from([1.0, 0.8]),
)
def test_every_step_keeps_to_links_memory_and_the_nearest_source(
    seed, memory_bytes, link_bytes, store_bytes, sound
):
    rng = np.random.default_rng(seed)
    audit = Audit(rng, memory_bytes=memory_bytes, link_bytes=link_bytes, store_bytes=store_bytes)
    for number in range(15):
        if number % 5 == 0:  # before the last plan is there
            audit.moving.start(problem(), random_placement(rng, memory_bytes))
            audit.check_in_force()
        audit.step(number, sound=sound, refusing=1 - sound)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), link_bytes=st.sampled_from([1.0, 50.0]))
def test_with_memory_for_both_nothing_is_given_up_and_the_last_plan_is_reached(seed, link_bytes):
    rng = np.random.default_rng(seed)
    audit = Audit(rng, memory_bytes=1e3, link_bytes=link_bytes, store_bytes=0.0)
    audit.moving.start(problem(), random_placement(rng, 1e3))
    audit.step(0)
    wanted = random_placement(rng, 1e3)
    audit.moving.start(problem(), wanted)
    number = 1
    while audit.moving.under_way:
        assert number < 200
        audit.step(number)
        number += 1
    assert audit.given_up == 0
    for thing, hosts in hosts_of(wanted).items():
        assert audit.holders(thing) == hosts


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_starting_twice_leaves_only_what_the_second_plan_wants(seed):
    rng = np.random.default_rng(seed)
    audit = Audit(rng, memory_bytes=1e3, link_bytes=1.0, store_bytes=0.0)
    moving = audit.moving
    moving.start(problem(), random_placement(rng, 1e3))
    audit.step(0)
    going = {(a.thing, a.target): a.left_bytes for a in moving.under_way}
    wanted = random_placement(rng, 1e3)
    moving.start(problem(), wanted)
    expected = {
        (thing, host)
        for thing, hosts in hosts_of(wanted).items()
        for host in hosts
        if host not in audit.holders(thing)
    }
    assert {(a.thing, a.target) for a in moving.under_way} == expected
    # What both plans want goes on from where it was.
    for arrival in moving.under_way:
        key = (arrival.thing, arrival.target)
        assert arrival.left_bytes == going.get(key, arrival.size_bytes)
