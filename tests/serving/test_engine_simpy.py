"""The serving engine beside an independent SimPy model: the same requests, token by token."""

import numpy as np
import simpy_ring

from twin.serving.engine.draws import uniform
from twin.serving.engine.state import Engine, nothing_served

MANY = 10**9
LAYERS, EXPERTS, TOP_K = 6, 4, 2


def test_a_ring_in_simpy_ends_at_the_same_times():
    """Three gateways share satellites with experts; services batch; ways are all different."""
    rng = np.random.default_rng(5)
    count = 60
    at_s, output = np.sort(rng.uniform(0, 6, count)), rng.integers(1, 12, count)
    parts = LAYERS + 1 + LAYERS * EXPERTS
    satellite = np.arange(parts)
    satellite[[1, 2]] = 0
    satellite[LAYERS + 5] = 3
    token_s = rng.uniform(0.004, 0.02, parts)
    overhead_s = rng.uniform(0.001, 0.01, parts)
    ways = rng.uniform(0.001, 0.02, (2, LAYERS, EXPERTS))
    weight = rng.dirichlet(np.ones(EXPERTS), LAYERS)

    engine = Engine(
        nothing_served(satellites=parts, layers=LAYERS, experts=EXPERTS),
        layers=LAYERS,
        experts=EXPERTS,
    )
    rows = engine.state.parts
    rows["satellite"], rows["token_s"], rows["overhead_s"] = satellite, token_s, overhead_s
    engine.step["out_s"][:], engine.step["on_s"][:] = ways
    engine.step["weight"][:] = weight
    most = ("chunk", "most_running", "service_tokens", "queue_most", "blocks", "all_blocks")
    engine.set(seed=9, top_k=TOP_K, block=16, one_class=1, **dict.fromkeys(most, MANY))
    # The head is with the first gateway; a way of no length is on one satellite.
    rows["satellite"][LAYERS] = 0
    number = np.arange(count)
    asked = {"number": number, "site": 0 * number, "prompt": 0 * number + 1, "output": output}
    engine.add(asked | {"asked_s": at_s}, at_s)
    engine.advance(1e9)
    mine = np.sort(engine.outcomes(), order="number")["last_s"]

    names = {("gateway", layer): layer for layer in range(LAYERS)} | {("head",): LAYERS}
    for layer in range(LAYERS):
        for e in range(EXPERTS):
            names["expert", layer, e] = LAYERS + 1 + layer * EXPERTS + e

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
        satellite_of={name: int(rows["satellite"][p]) for name, p in names.items()},
        work_s=lambda part, tokens: overhead_s[names[part]] + tokens * token_s[names[part]],
        out_s=ways[0],
        on_s=ways[1],
        chosen=chosen,
    )
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-9)
