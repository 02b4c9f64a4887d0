"""How long a service takes: measured times where there are any, else the roofline. Compiled."""

from typing import Final

import numpy as np
from numba import njit

from twin.serving.engine.draws import clear, draw, list_chosen
from twin.serving.engine.places import copies_each, expert_part, is_expert
from twin.serving.engine.records import NONE
from twin.serving.engine.rows import (
    count_listed,
    grid_at,
    group_at,
    is_local,
    job_at,
    listed,
    number,
    part_at,
    satellite_at,
    tokens_of,
)

GATEWAY, PREFILL, DECODE, EXPERT, EXPERTS, PASS, HEAD = range(7)
KINDS: Final = 7
"""Tables of measured times, see `twin.moe.kernels.SECOND`."""


@njit(cache=True)
def measured_s(x, kind, tokens, second):  # type: ignore[no-untyped-def]
    """Time from a table, linear between its points and beyond the last, level before the first."""
    grid = grid_at(x, kind)
    rows, columns = grid.rows, grid.columns
    r, across = _place(x, grid.at, rows, tokens)
    c, along = _place(x, grid.at + rows, columns, second)
    at = grid.at + rows + columns + r * columns + c
    right = 1 if columns > 1 else 0
    below = columns if rows > 1 else 0
    upper = number(x, at) * (1.0 - along) + number(x, at + right) * along
    lower = number(x, at + below) * (1.0 - along) + number(x, at + below + right) * along
    return upper * (1.0 - across) + lower * across


@njit(cache=True)
def _place(x, at, count, value):  # type: ignore[no-untyped-def]
    """Interval of a rising axis that a value is in, and how far along; over 1 beyond it."""
    if count == 1 or value <= number(x, at):
        return 0, 0.0
    low, high = 0, count - 1
    while high - low > 1:
        middle = (low + high) // 2
        if number(x, at + middle) <= value:
            low = middle
        else:
            high = middle
    start = number(x, at + low)
    return low, (value - start) / (number(x, at + low + 1) - start)


@njit(cache=True)
def roofline_s(part, tokens, scores, reads):  # type: ignore[no-untyped-def]
    """How long a part takes for some tokens, on a satellite of speed 1."""
    busy_s = max(part.weight_s, tokens * part.token_s + scores * part.score_s)
    return busy_s + reads * part.read_s + part.overhead_s


@njit(cache=True)
def _gateway_s(x, p, load):  # type: ignore[no-untyped-def]
    """Time of a layer's gateway for a load."""
    tokens, _, scores, reads, chunk, behind, chunk_reads = load
    part = part_at(x, p)
    if not grid_at(x, GATEWAY).rows:
        return roofline_s(part, tokens, scores, reads)
    total_s = measured_s(x, GATEWAY, tokens, 0.0) + part.overhead_s
    if part.layer == 0 and grid_at(x, PASS).rows:
        total_s += measured_s(x, PASS, tokens, 0.0)
    if not (grid_at(x, PREFILL).rows and grid_at(x, DECODE).rows):
        return total_s + scores * part.score_s + reads * part.read_s
    if chunk:
        total_s += measured_s(x, PREFILL, chunk, behind / chunk)
    if tokens > chunk:
        decoding = tokens - chunk
        total_s += measured_s(x, DECODE, decoding, (reads - chunk_reads) / decoding)
    return total_s


@njit(cache=True)
def head_s(x, gives):  # type: ignore[no-untyped-def]
    """Time of the LM head."""
    part = part_at(x, x.first_head)
    if grid_at(x, HEAD).rows:
        return measured_s(x, HEAD, gives, 0.0) + part.overhead_s
    return roofline_s(part, gives, 0, 0)


@njit(cache=True)
def expert_s(x, p, tokens):  # type: ignore[no-untyped-def]
    """Time of one expert."""
    part = part_at(x, p)
    if grid_at(x, EXPERT).rows:
        return measured_s(x, EXPERT, tokens, 0.0) + part.overhead_s
    if grid_at(x, EXPERTS).rows:
        return measured_s(x, EXPERTS, tokens / x.top_k, 1.0) + part.overhead_s
    return roofline_s(part, tokens, 0, 0)


@njit(cache=True)
def _load(x, j, alone):  # type: ignore[no-untyped-def]
    """What a chain of jobs asks of a gateway, or its first job."""
    tokens, gives, scores, reads, chunk, behind, chunk_reads = 0, 0, 0, 0, 0, 0, 0
    while j != NONE:
        job = job_at(x, j)
        group = group_at(x, job.group)
        tokens += job.tokens
        gives += group.gives
        scores += group.scores
        reads += group.reads
        chunk += group.chunk
        behind += group.behind
        chunk_reads += group.chunk_reads
        j = NONE if alone else job.next
    return tokens, gives, scores, reads, chunk, behind, chunk_reads


@njit(cache=True)
def gateway_alone_s(x, p, j):  # type: ignore[no-untyped-def]
    """Time of a layer's gateway for one job."""
    return _gateway_s(x, p, _load(x, j, True))


@njit(cache=True)
def service_s(x, s, p, j, now_s):  # type: ignore[no-untyped-def]
    """Time of a service at speed 1, and the layer whose gateway, or L if the head, it ends with."""
    satellite, layers = satellite_at(x, s), x.layers
    first, jobs = j, 0
    while j != NONE:
        job = job_at(x, j)
        job.wait_s = now_s - job.since_s
        satellite.served_tokens += job.tokens
        jobs += 1
        j = job.next
    satellite.jobs = jobs
    layer = part_at(x, p).layer
    load = _load(x, first, False)
    if is_expert(x, p):
        return expert_s(x, p, load[0]), layer
    if layer == layers:
        return head_s(x, load[1]), layers
    total_s = _gateways_s(x, p, first, load)
    fuses = x.fuse and part_at(x, p).satellite == s
    while fuses and layer < layers and is_local(x, p):
        total_s += _experts_s(x, first, p, layer)
        layer += 1
        p += 1
        if layer < layers:
            total_s += _gateways_s(x, p, first, load)
        elif load[1]:
            total_s += _heads_s(x, first, load)
    return total_s, layer


@njit(cache=True)
def _gateways_s(x, p, j, load):  # type: ignore[no-untyped-def]
    """Time of a gateway; boards of one satellite work beside each other, a job each."""
    if x.boards == 1:
        return _gateway_s(x, p, load)
    longest_s, most = 0.0, 0
    while j != NONE:
        own = _load(x, j, True)
        longest_s = max(longest_s, _gateway_s(x, p, own))
        most = max(most, own[0])
        j = job_at(x, j).next
    # Hidden states go to the boards of their experts, and come back.
    return longest_s + 2.0 * (x.exchange_s + most * x.exchange_token_s)


@njit(cache=True)
def _heads_s(x, j, load):  # type: ignore[no-untyped-def]
    if x.boards == 1:
        return head_s(x, load[1])
    longest_s = 0.0
    while j != NONE:
        longest_s = max(longest_s, head_s(x, _load(x, j, True)[1]))
        j = job_at(x, j).next
    return longest_s


@njit(cache=True)
def _experts_s(x, j, row, layer):  # type: ignore[no-untyped-def]
    """Time of a row's experts for the groups of a chain of jobs, all on one satellite."""
    experts, boards = x.experts, x.boards
    start = expert_part(x, row, 0)
    first = part_at(x, start)
    linear = first.weight_s == 0.0 and first.overhead_s == 0.0
    if linear and not (grid_at(x, EXPERT).rows or grid_at(x, EXPERTS).rows):
        return _load(x, j, False)[0] * x.top_k * first.token_s / boards  # no matter which
    clear(x)
    tokens = 0
    while j != NONE:
        draw(x, job_at(x, j).group, layer)
        tokens += group_at(x, job_at(x, j).group).tokens
        j = job_at(x, j).next
    list_chosen(x, tokens)
    longest_s, i = 0.0, 0
    for b in range(boards):
        begin, end = i, experts * (b + 1) // boards
        total_s, tokens = 0.0, 0
        while i < count_listed(x).value and listed(x, i).value < end:
            e = listed(x, i).value
            tokens += tokens_of(x, e).value
            if not grid_at(x, EXPERTS).rows:
                total_s += expert_s(x, start + e * copies_each(x), tokens_of(x, e).value)
            i += 1
        if i > begin and grid_at(x, EXPERTS).rows:
            total_s = measured_s(x, EXPERTS, tokens / x.top_k, np.float64(i - begin))
            total_s += first.overhead_s
        longest_s = max(longest_s, total_s)
    return longest_s
