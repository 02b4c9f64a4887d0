"""The serving engine beside an independent SimPy model: the same requests, token by token."""

import itertools

import numpy as np
import pytest
import simpy_ring

from twin.serving.engine.draws import uniform
from twin.serving.engine.engine import Engine
from twin.serving.engine.records import WAY
from twin.serving.engine.start import nothing_served
from twin.serving.link_load import set_ways
from twin.serving.ways import Ways

MANY = 10**9
LAYERS, EXPERTS, TOP_K, CHUNK = 6, 4, 2, 5


@pytest.mark.parametrize(
    ("token_s", "waiting_tokens", "most_tokens"),
    [(0.0, MANY, MANY), (0.003, 1, MANY), (0.003, 2, 1)],
)
def test_a_ring_in_simpy_ends_at_the_same_times(token_s, waiting_tokens, most_tokens):
    """Three gateways share satellites with experts; services batch; ways are all different.

    With `token_s`, all cross one to three of ten links, and wait for each other there; or only
    chunks do, and single tokens cut through, served one by one.
    """
    rng = np.random.default_rng(5)
    count = 60
    at_s, output = np.sort(rng.uniform(0, 6, count)), rng.integers(1, 12, count)
    prompt = rng.integers(1, 12, count)
    parts = LAYERS + 1 + LAYERS * EXPERTS
    satellite = np.arange(parts)
    satellite[[1, 2]] = 0
    satellite[LAYERS + 4] = 3
    work_s = rng.uniform(0.004, 0.02, parts)
    overhead_s = rng.uniform(0.001, 0.01, parts)
    hops = rng.integers(1, 4, 2 * LAYERS * EXPERTS) if token_s else np.ones(48, int)
    first = np.concatenate([[0], np.cumsum(hops)]).astype(np.int32)
    rows = np.empty(first[-1], WAY)
    rows["link"], rows["delay_s"] = (
        rng.integers(0, 10, len(rows)),
        rng.uniform(0.001, 0.02, len(rows)),
    )
    weight = rng.dirichlet(np.ones(EXPERTS), LAYERS)

    engine = Engine(
        nothing_served(satellites=parts, layers=LAYERS, experts=EXPERTS, links=10),
        layers=LAYERS,
        experts=EXPERTS,
    )
    table = engine.state.parts
    table["satellite"], table["token_s"], table["overhead_s"] = satellite, work_s, overhead_s
    delay_s = np.add.reduceat(rows["delay_s"], first[:-1]).reshape(2, LAYERS, EXPERTS)
    engine.step["out_s"][:], engine.step["on_s"][:] = delay_s
    set_ways(engine, Ways(first=first, links=rows))
    engine.set(transfer_s=token_s, waiting_tokens=waiting_tokens)
    engine.step["weight"][:] = weight
    most = ("most_running", "queue_most", "blocks", "all_blocks")
    engine.set(seed=9, top_k=TOP_K, block=16, one_class=1, **dict.fromkeys(most, MANY))
    engine.set(chunk=CHUNK, service_tokens=most_tokens)
    # The head is with the first gateway; a way of no length is on one satellite.
    table["satellite"][-1] = 0
    number = np.arange(count)
    asked = {"number": number, "site": 0 * number, "prompt": prompt, "output": output}
    engine.add(asked | {"asked_s": at_s}, at_s)
    engine.advance(1e9)
    mine = np.sort(engine.outcomes(), order="number")["last_s"]

    names = {("gateway", layer): layer for layer in range(LAYERS)} | {("head",): parts - 1}
    for layer in range(LAYERS):
        for e in range(EXPERTS):
            names["expert", layer, e] = LAYERS + layer * EXPERTS + e

    def chosen(number, token, layer):
        left, found = weight[layer].copy(), []
        for k in range(TOP_K):
            at = uniform(np.uint64(9), number, token, layer, k) * left.sum()
            found.append(int(np.searchsorted(np.cumsum(left), at, side="right")))
            left[found[-1]] = 0.0
        return found

    theirs = simpy_ring.run(
        at_s,
        output,
        layers=LAYERS,
        satellite_of={name: int(table["satellite"][p]) for name, p in names.items()},
        work_s=lambda part, jobs: (
            overhead_s[names[part]] + sum(tokens for tokens, _ in jobs) * work_s[names[part]]
        ),
        chosen=chosen,
        ways={
            (leg, layer, e): rows[first[w] : first[w + 1]].tolist()
            for w, (leg, layer, e) in enumerate(
                itertools.product(("out", "on"), range(LAYERS), range(EXPERTS))
            )
        },
        token_s=token_s,
        waiting_tokens=waiting_tokens,
        prompt=prompt,
        chunk=CHUNK,
        most_tokens=most_tokens,
    )
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-9)
