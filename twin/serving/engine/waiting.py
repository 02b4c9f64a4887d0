"""What waits at each satellite. Compiled."""

from numba import njit

from twin.serving.engine.groups import alive
from twin.serving.engine.records import NONE
from twin.serving.engine.rows import job_at, part_at, satellite_at


@njit(cache=True)
def add_waiting_tokens(x, tokens):  # type: ignore[no-untyped-def]
    """Add up the tokens that wait at each satellite, (N,); what is in service does not wait."""
    for s in range(len(tokens)):
        satellite = satellite_at(x, s)
        tokens[s] += _wanted(x, satellite.stay_first)
        for c in range(2):
            p = satellite.first[c]
            while p != NONE:
                part = part_at(x, p)
                tokens[s] += _wanted(x, part.first[c])
                p = part.next[c]


@njit(cache=True)
def _wanted(x, j):  # type: ignore[no-untyped-def]
    """Tokens of a chain of jobs that some request still wants."""
    tokens = 0
    while j != NONE:
        job = job_at(x, j)
        if alive(x, job.group):
            tokens += job.tokens
        j = job.next
    return tokens
