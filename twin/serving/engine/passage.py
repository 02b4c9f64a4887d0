"""From a layer's gateway to its experts and on to the next, the LM head, and back. Compiled."""

from typing import Final

import numpy as np
from numba import njit

from twin.serving.engine.admission import go
from twin.serving.engine.ahead import expert_ahead, gateway_ends_s, is_free
from twin.serving.engine.choosing import can_be_reached, choose_copy
from twin.serving.engine.drain import has_moved
from twin.serving.engine.draws import clear, draw, list_chosen
from twin.serving.engine.edge import fail_group
from twin.serving.engine.groups import (
    alive,
    drop,
    free_group,
    free_job,
    new_job,
)
from twin.serving.engine.links import cross, cut_through, set_out, waits_for_links
from twin.serving.engine.places import (
    column_of,
    expert_part,
    gateway_part,
    next_satellite,
    on_row,
    reach_next_s,
    row_of,
)
from twin.serving.engine.queues import enqueue, send
from twin.serving.engine.records import NONE
from twin.serving.engine.rows import (
    count_listed,
    group_at,
    job_at,
    listed,
    member_at,
    on_s,
    out_s,
    part_at,
    request_at,
    tokens_of,
)
from twin.vocabulary import Cause

SERVED: Final = int(Cause.NONE)
UNREACHABLE: Final = int(Cause.UNREACHABLE)


@njit(cache=True)
def fan_out(x, g, now_s, s, stamp):  # type: ignore[no-untyped-def]
    """Send a group's tokens from its layer's gateway to the experts that they choose."""
    group = group_at(x, g)
    row = row_of(x, g)
    clear(x)
    draw(x, g, group.layer)
    list_chosen(x, group.tokens)
    for i in range(count_listed(x).value):
        if not can_be_reached(x, row, listed(x, i).value):
            fail_group(x, g, UNREACHABLE, now_s)
            return
    group.join_s = -np.inf
    for i in range(count_listed(x).value):
        e = listed(x, i).value
        tokens = tokens_of(x, e).value
        column = choose_copy(x, g, e, tokens, now_s, s)
        if expert_ahead(x, g, column, now_s):
            continue
        p, way = expert_part(x, row, column), row * x.columns + column
        j = new_job(x, g, p, tokens)
        part_at(x, p).coming += 1
        if waits_for_links(x, tokens, way):
            set_out(x, j, way, now_s)
            continue
        way_s = cut_through(x, g, way, tokens, out_s(x, row, column))
        job_at(x, j).way_s = way_s
        send(x, j, now_s, now_s + way_s, s, stamp)
    if group.pending == 0:
        _joined(x, g, now_s, s, stamp)


@njit(cache=True)
def pass_layer(x, j, now_s, stamp):  # type: ignore[no-untyped-def]
    """Work a token's layer out as it comes to the gateway, if that can be known by then."""
    if not is_free(x, j):
        return False
    g, p = job_at(x, j).group, job_at(x, j).part
    ends_s = gateway_ends_s(x, j, now_s)
    if ends_s < 0.0:
        return False
    free_job(x, j)
    group = group_at(x, g)
    group.pending -= 1
    group.layer = group.at = part_at(x, p).layer
    fan_out(x, g, ends_s, part_at(x, p).satellite, stamp)
    return True


@njit(cache=True)
def expert_done(x, j, now_s, s, stamp):  # type: ignore[no-untyped-def]
    """Send an expert's result to the next gateway."""
    job, layers = job_at(x, j), x.layers
    group = group_at(x, job.group)
    part_at(x, job.part).coming -= 1
    row, column = on_row(x, job.group), column_of(x, job.part)
    way = (x.rows + row) * x.columns + column  # behind those from gateways
    moved = has_moved(x, job.part, s)
    delay_s = reach_next_s(x, job.group, s) if moved else on_s(x, row, column)
    # What is only cached ends with its last layer.
    wanted = group.layer + 1 < layers or group.gives > 0
    waits = wanted and not moved and waits_for_links(x, job.tokens, way)
    if waits and not np.isinf(delay_s):
        job.back = 1
        set_out(x, j, way, now_s)
        return
    leg_s = cut_through(x, job.group, way, job.tokens, delay_s)
    result_there(x, j, now_s + leg_s, leg_s, now_s, s, stamp)


@njit(cache=True)
def crossed(x, j, now_s, stamp):  # type: ignore[no-untyped-def]
    """Let a job go on at the end of a link; returns the satellite that it has reached, or NONE."""
    job = job_at(x, j)
    if not alive(x, job.group):
        drop(x, j)
        return NONE
    if job.hop < job.last_hop:
        cross(x, j, now_s)
        return NONE
    leg_s = now_s - job.since_s
    if job.back:
        s = next_satellite(x, job.group)
        result_there(x, j, now_s, leg_s, now_s, s, stamp)
    else:
        s = part_at(x, job.part).satellite
        job.way_s = leg_s
        enqueue(x, j, now_s)
    return s


@njit(cache=True)
def result_there(x, j, there_s, leg_s, now_s, s, stamp):  # type: ignore[no-untyped-def]
    """Note when an expert's result is at the next gateway; with the last one the group goes on."""
    job = job_at(x, j)
    g = job.group
    group = group_at(x, g)
    if there_s > group.join_s:
        group.join_s = there_s
        group.branch_wait_s = job.wait_s
        group.branch_serve_s = job.serve_s
        group.branch_way_s = job.way_s + leg_s
    free_job(x, j)
    group.pending -= 1
    if group.pending == 0:
        _joined(x, g, now_s, s, stamp)


@njit(cache=True)
def _joined(x, g, now_s, s, stamp):  # type: ignore[no-untyped-def]
    """Let a group go on from its experts: all results have arrived, or are on their way."""
    group, layers = group_at(x, g), x.layers
    if np.isinf(group.join_s):
        fail_group(x, g, UNREACHABLE, now_s)
        return
    group.wait_s += group.branch_wait_s
    group.serve_s += group.branch_serve_s
    group.way_s += group.branch_way_s
    group.layer += 1
    if group.layer == layers and group.gives == 0:
        free_group(x, g)
        return
    # The slowest has arrived, or is the one that leaves now.
    pass_on(x, g, now_s, s, stamp)


@njit(cache=True)
def pass_on(x, g, now_s, s, stamp):  # type: ignore[no-untyped-def]
    """Send a group to its layer's gateway, unless the one ahead is still to be sent there.

    Attention of a chunk needs what the chunks before it have cached in the same layer.
    """
    while g != NONE:
        group, held = group_at(x, g), group_at(x, g).held
        if held and not alive(x, g):
            free_group(x, g)
            return
        there_s = max(group.join_s, now_s)
        if group.ahead != NONE:
            ahead = group_at(x, group.ahead)
            if ahead.at < group.layer:
                group.held = 1
                return
            if ahead.at == group.layer:
                there_s = max(there_s, ahead.there_s)
        group.wait_s += there_s - group.join_s
        group.at, group.there_s, group.held = group.layer, there_s, 0
        tokens = group.gives if group.layer == x.layers else group.tokens
        send(
            x, new_job(x, g, gateway_part(x, g), tokens), now_s, there_s, NONE if held else s, stamp
        )
        after = group.after
        waits = after != NONE and group_at(x, after).held and group_at(x, after).layer <= group.at
        g = after if waits else NONE


@njit(cache=True)
def next_chunks(x, g, now_s):  # type: ignore[no-untyped-def]
    """Let the next chunk of each prompt follow the one that has left the first gateway."""
    m = group_at(x, g).first
    while m != NONE:
        member = member_at(x, m)
        r = member.request
        request = request_at(x, r)
        if request.epoch == member.epoch and request.sent < request.due:
            if x.micro:
                request.ready = 1
            else:
                go(x, r, now_s)
        m = member.next
