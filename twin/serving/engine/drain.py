"""Jobs that stay at a satellite when their part of the model moves on. Compiled.

They are served there before anything else. An expert's result goes to the next gateway from there;
a gateway's, or an LM head's, to the new host, and on from there. What comes later goes to the new
host. A group that comes there before the one ahead of it, which has stayed behind, is held.
"""

import numpy as np
from numba import njit

from twin.serving.engine.edge import UNREACHABLE, fail_group
from twin.serving.engine.groups import free_job
from twin.serving.engine.links import leg_s
from twin.serving.engine.places import is_expert, reach_s
from twin.serving.engine.queues import add_event
from twin.serving.engine.records import DRAIN, NONE, RELEASE, RESULT
from twin.serving.engine.rows import group_at, job_at, part_at


@njit(cache=True)
def has_moved(x, part, s):  # type: ignore[no-untyped-def]
    """Whether a satellite has served a part that is another's by now, and hands the result on."""
    return x.handover == DRAIN and part_at(x, part).satellite != s


@njit(cache=True)
def hand_on(x, j, s, now_s):  # type: ignore[no-untyped-def]
    """Send what a gateway or an LM head has done at a satellite to where that is now."""
    job = job_at(x, j)
    g = job.group
    group = group_at(x, g)
    way_s = leg_s(x, job.tokens, reach_s(x, g, s))
    if np.isinf(way_s):
        free_job(x, j)
        group.pending -= 1
        fail_group(x, g, UNREACHABLE, now_s)
        return
    group.way_s += way_s
    add_event(x, now_s + way_s, RESULT, j)


@njit(cache=True)
def hold_behind(x, j, now_s):  # type: ignore[no-untyped-def]
    """Hold a group that has come to a gateway or an LM head before the one ahead of it."""
    job = job_at(x, j)
    g = job.group
    group = group_at(x, g)
    if is_expert(x, job.part) or group.ahead == NONE:
        return False
    if group_at(x, group.ahead).at >= group.layer:
        return False
    free_job(x, j)
    group.pending -= 1
    group.at, group.held, group.join_s = group.layer - 1, 1, now_s
    return True


@njit(cache=True)
def let_follow(x, g, now_s):  # type: ignore[no-untyped-def]
    """Note that a group has been served by its layer's gateway; one held behind it may follow."""
    group = group_at(x, g)
    group.at, group.there_s = group.layer, now_s
    after = group.after
    if after != NONE and group_at(x, after).held and group_at(x, after).layer <= group.at:
        add_event(x, now_s, RELEASE, after)
