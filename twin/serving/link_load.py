"""The links of a step's legs in the engine, and how much hidden states have used them."""

import numpy as np
from numpy.typing import NDArray

from twin.serving.engine.engine import Engine
from twin.serving.engine.records import Rows
from twin.serving.ways import Ways


def set_ways(engine: Engine, ways: Ways) -> None:
    """Let legs go over other links; who is under way goes on over those it set out for."""
    jobs, old = engine.state.jobs, engine.state.ways
    flying = np.flatnonzero(jobs["hop"] < jobs["last_hop"])
    first, last = jobs["hop"][flying], jobs["last_hop"][flying]
    ahead = [old[a:b] for a, b in zip(first, last, strict=True)]
    engine.state.ways = np.concatenate([ways.links, *ahead])
    jobs["last_hop"][flying] = len(ways.links) + np.cumsum(last - first)
    jobs["hop"][flying] = jobs["last_hop"][flying] - (last - first)
    engine.step["first"][:] = ways.first
    engine.step["passed"][:] = 0


def link_busy_s(engine: Engine, before: Rows, step_s: float) -> NDArray[np.float64]:
    """Time of a step in which each link was taken, or passed by tokens that cut through.

    Parameters
    ----------
    engine : Engine
        At the end of the step.
    before : (links,) records
        The links at its start.
    step_s : float
    """
    links = engine.state.links
    # What waits at the end keeps the link busy from then on, and did so from the start.
    left_s = np.maximum(links["free_s"] - step_s, 0.0) - np.maximum(before["free_s"], 0.0)
    through_s = _cut_through(engine) * float(engine.state.core["transfer_s"][0])
    return np.asarray(links["taken_s"] - left_s + through_s)


def link_tokens(engine: Engine) -> NDArray[np.int64]:
    """Tokens that were put on each link in the step."""
    return np.asarray(engine.state.links["tokens"] + _cut_through(engine).astype(np.int64))


def _cut_through(engine: Engine) -> NDArray[np.float64]:
    """Tokens of the step that have cut through each link."""
    tokens = np.repeat(engine.step["passed"].ravel(), np.diff(engine.step["first"]))
    link = engine.state.ways["link"][: len(tokens)]
    return np.bincount(link, weights=tokens, minlength=len(engine.state.links))
