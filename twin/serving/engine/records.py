"""What the engine holds: rows of requests, groups, jobs, satellites and parts, all plain arrays.

A request sends its prompt in chunks, and then token after token, through the layers. What travels
together is a group. At a satellite a group asks for work as one or more jobs; a job is for one
part of the model: a layer's gateway, one copy of an expert, or the LM head. Rows that are free
hang together by `next`.

The model may have several copies, or instances. A row of the placement is a layer of an instance;
those of instance i are i*L to i*L + L - 1.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

type Rows = NDArray[np.void]

NONE: Final = -1
NEVER: Final = 2**62

FREE, COMING, WAITING, RUNNING, HELD, THINKING, UNDELIVERED = range(7)
"""Phases of a request: row unused; on its way to the first gateway; waits there; admitted; waits
for the next step, to be tried again; not asked yet by its user; all its tokens are made, and some
still wait for a way to the user."""

ARRIVE, JOBS, READY, DONE, START, ASK, GIVE_UP, DROP, CROSSED, RELEASE, RETRY, RESULT = range(12)
"""Kinds of events: a request reaches the first gateway; a chain of jobs reaches its satellite;
a chain of tokens is back at the first gateway; a satellite has served what it served, or may
start now that all that arrives at one instant is there; a user asks; a user has left without a
first token; a request that waits is too late; a job has crossed a link; a group may no longer have
to wait for the one ahead; a request is at the instance that it was sent to from another; what a
gateway or an LM head has done at a satellite that it has left is at its host."""

FORWARD, DRAIN, LOSE = range(3)
"""What becomes of jobs that wait at a satellite when their part moves to another."""

EVENT = np.dtype([("t_s", "f8"), ("order", "i8"), ("kind", "i4"), ("what", "i4")])
"""`what` is a row of the table that the kind is about."""

REQUEST = np.dtype(
    [
        ("number", "i8"),
        ("age", "i8"),
        ("site", "i4"),
        ("instance", "i4"),
        ("user", "i4"),
        ("phase", "i4"),
        ("epoch", "i4"),
        ("prompt", "i4"),
        ("output", "i4"),
        ("due", "i4"),
        ("sent", "i4"),
        ("made", "i4"),
        ("context", "i4"),
        ("blocks", "i4"),
        ("ready", "i4"),
        ("last_chunk", "i4"),
        ("shared", "i4"),
        ("reused", "i4"),
        ("preempted", "i4"),
        ("tries", "i4"),
        ("kept", "i4"),
        ("next", "i4"),
        ("previous", "i4"),
        ("leave_order", "i8"),
        ("drop_order", "i8"),
        ("asked_s", "f8"),
        ("came_s", "f8"),
        ("admitted_s", "f8"),
        ("first_s", "f8"),
        ("last_s", "f8"),
        ("gap_s", "f8"),
        ("wait_s", "f8"),
        ("serve_s", "f8"),
        ("way_s", "f8"),
        ("busy_s", "f8"),
        ("hops", "f8"),
    ]
)
"""`due` tokens must pass before the next one is made: the prompt and, after a preemption, what was
made before. `sent` of them have left. `context` tokens are cached, in `blocks` and in `shared`
pieces of its prompt; `reused` tokens were there already. The age is the order of asking.
`last_chunk` is the group of the last chunk under way, or -1. The epoch counts what cancels a
request's groups under way. The user is the one who asks again in a closed loop, else -1. Orders are
those of the events at which its user leaves, or it is dropped; -1 if there is none. Its first and
its last token so far are at the user at `first_s` and `last_s`, and the longest gap is the user's
too; `kept` says whether tokens wait at the satellite of the LM head for a way down."""

MEMBER = np.dtype(
    [
        ("request", "i4"),
        ("epoch", "i4"),
        ("tokens", "i4"),
        ("position", "i4"),
        ("gives", "i4"),
        ("next", "i4"),
    ]
)
"""A request's part of a group; `gives` whether a token comes of it."""

GROUP = np.dtype(
    [
        ("instance", "i4"),
        ("first", "i4"),
        ("tokens", "i4"),
        ("gives", "i4"),
        ("layer", "i4"),
        ("pending", "i4"),
        ("next", "i4"),
        ("ahead", "i4"),
        ("after", "i4"),
        ("at", "i4"),
        ("held", "i4"),
        ("chunk", "i4"),
        ("behind", "i8"),
        ("chunk_reads", "i8"),
        ("reads", "i8"),
        ("scores", "i8"),
        ("join_s", "f8"),
        ("there_s", "f8"),
        ("wait_s", "f8"),
        ("serve_s", "f8"),
        ("way_s", "f8"),
        ("busy_s", "f8"),
        ("hops", "i8"),
        ("branch_wait_s", "f8"),
        ("branch_serve_s", "f8"),
        ("branch_way_s", "f8"),
    ]
)
"""Chunks of a prompt keep their order, and so do batches: the one `ahead`, if any, was sent to a
layer's gateway before the one `after` it, which is `held` until then; `at` is the last gateway that
a group was sent to, where it is at `there_s`. `pending` jobs are under way. `reads` cached tokens
are read, `scores` pairs of a token and one before it are computed. `chunk` tokens are of prompts;
each of them is behind others of its own prompt that are cached, `behind` in all, and they read
`chunk_reads`. The branch is the slowest of the experts so far. `busy_s` of satellites at their full
speed, and `hops` of tokens over links, are not charged to requests yet."""

JOB = np.dtype(
    [
        ("group", "i4"),
        ("part", "i4"),
        ("tokens", "i4"),
        ("next", "i4"),
        ("hop", "i4"),
        ("last_hop", "i4"),
        ("back", "i4"),
        ("since_s", "f8"),
        ("wait_s", "f8"),
        ("serve_s", "f8"),
        ("way_s", "f8"),
    ]
)
"""On its way over links, a job has those from `hop` to before `last_hop` ahead of it, and is `back`
from its expert, or not there yet. It waits, or is on a leg, since `since_s`."""

WAY = np.dtype([("link", "i4"), ("delay_s", "f8")])
"""One link of a leg."""

LINK = np.dtype([("free_s", "f8"), ("taken_s", "f8"), ("tokens", "i8")])
"""A directed link, by its entry in the network's skeleton: when all that waits for it is on its
way, how much of its time has been taken in this step, and by how many tokens."""

SATELLITE = np.dtype(
    [
        ("first", "i4", (2,)),
        ("last", "i4", (2,)),
        ("stay_first", "i4"),
        ("stay_last", "i4"),
        ("serving", "i4"),
        ("jobs", "i4"),
        ("reached", "i4"),
        ("done_order", "i8"),
        ("started_s", "f8"),
        ("ends_s", "f8"),
        ("booked_s", "f8"),
        ("left_s", "f8"),
        ("free_s", "f8"),
        ("work_s", "f8"),
        ("pace", "f8"),
        ("speed", "f8"),
        ("busy_s", "f8"),
        ("served_tokens", "i8"),
        ("services", "i8"),
    ]
)
"""Parts that wait, decoding and prompts apart; jobs of parts that have moved on, which stay and go
first; jobs in service, which take `work_s` at speed 1. At
full speed a satellite has its `pace`. It is free from `free_s` on as far as services are worked out
ahead; see `twin.serving.engine.ahead`."""

PART = np.dtype(
    [
        ("satellite", "i4"),
        ("instance", "i4"),
        ("layer", "i4"),
        ("alone", "i4"),
        ("coming", "i4"),
        ("beside", "i4"),
        ("reckoned_s", "f8"),
        ("first", "i4", (2,)),
        ("last", "i4", (2,)),
        ("next", "i4", (2,)),
        ("stamp", "i8", (2,)),
        ("stamp_s", "f8", (2,)),
        ("tail", "i4", (2,)),
        ("weight_s", "f8"),
        ("token_s", "f8"),
        ("score_s", "f8"),
        ("read_s", "f8"),
        ("overhead_s", "f8"),
    ]
)
"""Time on a satellite of speed 1: the longer of reading weights and computing, then caches. A part
is `alone` if its satellite has no other, and every way that its tokens may take leads somewhere.
`coming` counts an expert's jobs that it has not served yet, but for those worked out ahead. With
several copies to choose from, the gateway reckons until when what it has sent to an expert's
satellite takes: `reckoned_s` of the part `beside`, the first of the layer's experts there."""

INSTANCE = np.dtype(
    [
        ("open", "i8"),
        ("waiting_first", "i8"),
        ("waiting_last", "i8"),
        ("waiting", "i8"),
        ("running_first", "i8"),
        ("running_last", "i8"),
        ("running", "i8"),
        ("last_batch", "i8"),
        ("all_blocks", "i8"),
        ("blocks", "i8"),
        ("idle_first", "i8"),
        ("idle_last", "i8"),
        ("idle", "i8"),
        ("made", "i8"),
    ]
)
"""A copy of the model: whether its first gateway lets requests in, those that wait there and those
that run, both by age, the last batch that has left, blocks of cache that there are and that are
free, pieces of prompts that are cached without users, and tokens made."""

PREFIX = np.dtype([("users", "i4"), ("cached", "i4"), ("previous", "i4"), ("next", "i4")])
"""A piece of prompts that requests share; those without users hang together, by how long."""

GRID = np.dtype([("rows", "i4"), ("columns", "i4"), ("at", "i8")])
"""A table of measured times: where its rows, columns and times begin among the numbers."""

OUTCOME = np.dtype(
    [
        ("number", "i8"),
        ("site", "i4"),
        ("instance", "i4"),
        ("cause", "i4"),
        ("prompt", "i4"),
        ("output", "i4"),
        ("made", "i4"),
        ("reused", "i4"),
        ("preempted", "i4"),
        ("tries", "i4"),
        ("asked_s", "f8"),
        ("came_s", "f8"),
        ("admitted_s", "f8"),
        ("first_s", "f8"),
        ("last_s", "f8"),
        ("gap_s", "f8"),
        ("wait_s", "f8"),
        ("serve_s", "f8"),
        ("way_s", "f8"),
        ("busy_s", "f8"),
        ("hops", "f8"),
    ]
)

VISIT = np.dtype(
    [
        ("number", "i8"),
        ("layer", "i4"),
        ("expert", "i4"),
        ("satellite", "i4"),
        ("first_token", "i4"),
        ("tokens", "i4"),
        ("came_s", "f8"),
        ("began_s", "f8"),
        ("ended_s", "f8"),
    ]
)
"""A service that a recorded request's tokens were in; the expert is -1 for a gateway, and the layer
L for the LM head."""
