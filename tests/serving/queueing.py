"""Small systems with an answer, on the compiled engine."""

import numpy as np

from twin.serving.engine.engine import Engine
from twin.serving.engine.start import nothing_served

MANY = 10**9


def system(
    *, layers=1, experts=1, top_k=1, gateway=0.0, expert=0.0, head=0.0, ways=0.0, spare=0, **rules
):
    """Layers, experts and the head each on a satellite of its own, work linear in tokens.

    `spare` satellites host nothing.
    """
    parts = layers + 1 + layers * experts
    state = nothing_served(satellites=parts + spare, layers=layers, experts=experts)
    engine = Engine(state, layers=layers, experts=experts)
    state.parts["satellite"] = np.arange(parts)
    state.parts["token_s"][:layers] = gateway
    state.parts["token_s"][layers:-1] = expert
    state.parts["token_s"][-1] = head
    engine.step["out_s"][:] = engine.step["on_s"][:] = ways
    engine.step["weight"][:] = 1 / experts
    engine.step["activation"][:] = top_k / experts
    plain = {
        "seed": 1,
        "top_k": top_k,
        "block": 16,
        "micro": 0,
        "one_class": 1,
        "batch_requests": 1,
    }
    for name in ("chunk", "most_running", "batch_tokens", "service_tokens", "queue_most", "blocks"):
        plain[name] = MANY
    engine.set(**plain | {"all_blocks": MANY} | rules)
    return engine
