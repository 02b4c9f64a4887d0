"""Groups on links: who waits for a link crosses it first come, first served. Compiled.

Store and forward: a leg's tokens are put on a link together, once the link is free, and may be put
on the next when all of them have arrived. Each arrival at a link is an event of its own, taken in
the order of time. So a link needs no queue: who arrives now is behind all who arrived before, and
gets on at the later of now and when the last of them is off (Lindley's recursion).
"""

from numba import njit

from twin.serving.engine.queues import add_event
from twin.serving.engine.records import CROSSED, NONE
from twin.serving.engine.rows import group_at, hop_at, job_at, link_at, tokens_passed, way_first


@njit(cache=True)
def waits_for_links(x, tokens, way):  # type: ignore[no-untyped-def]
    """Whether so many tokens wait for the links of a leg, or cut through."""
    return tokens >= x.waiting_tokens and way_first(x, way) < way_first(x, way + 1)


@njit(cache=True)
def set_out(x, j, way, now_s):  # type: ignore[no-untyped-def]
    """Send a job over the links of a leg."""
    job = job_at(x, j)
    job.hop, job.last_hop = way_first(x, way), way_first(x, way + 1)
    job.since_s, job.next = now_s, NONE
    cross(x, j, now_s)


@njit(cache=True)
def cross(x, j, now_s):  # type: ignore[no-untyped-def]
    """Put a job on the next of its links as soon as that is free."""
    job = job_at(x, j)
    hop = hop_at(x, job.hop)
    link = link_at(x, hop.link)
    takes_s = job.tokens * x.transfer_s
    link.free_s = max(link.free_s, now_s) + takes_s
    link.taken_s += takes_s
    link.tokens += job.tokens
    group_at(x, job.group).hops += job.tokens
    job.hop += 1
    add_event(x, link.free_s + hop.delay_s, CROSSED, j)


@njit(cache=True)
def cut_through(x, g, way, tokens, delay_s):  # type: ignore[no-untyped-def]
    """Time of a leg whose tokens wait for no link: its delay, and each put on the way once."""
    passes(x, g, way, tokens)
    return leg_s(x, tokens, delay_s)


@njit(cache=True)
def passes(x, g, way, tokens):  # type: ignore[no-untyped-def]
    """Count tokens that cut through a leg's links."""
    tokens_passed(x, way).value += tokens
    group_at(x, g).hops += tokens * (way_first(x, way + 1) - way_first(x, way))


@njit(cache=True)
def leg_s(x, tokens, delay_s):  # type: ignore[no-untyped-def]
    """Time of a leg for tokens that cut through."""
    return delay_s + tokens * x.transfer_s if delay_s > 0.0 else 0.0
