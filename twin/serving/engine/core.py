"""The one record that compiled code takes: where the tables are, rules, counters and sizes."""

import numpy as np

from twin.serving.engine.records import (
    EVENT,
    GRID,
    GROUP,
    INSTANCE,
    JOB,
    LINK,
    MEMBER,
    OUTCOME,
    PART,
    PREFIX,
    REQUEST,
    SATELLITE,
    VISIT,
    WAY,
)

TABLES = {
    "heap": EVENT,
    "requests": REQUEST,
    "members": MEMBER,
    "groups": GROUP,
    "jobs": JOB,
    "satellites": SATELLITE,
    "parts": PART,
    "instances": INSTANCE,
    "outcomes": OUTCOME,
    "visits": VISIT,
    "prefixes": PREFIX,
    "links": LINK,
    "ways": WAY,
    "first": np.dtype("i4"),
    "passed": np.dtype("i8"),
    "out_s": np.dtype("f8"),
    "on_s": np.dtype("f8"),
    "back_s": np.dtype("f8"),
    "entry_s": np.dtype("f8"),
    "exit_s": np.dtype("f8"),
    "reach_s": np.dtype("f8"),
    "local": np.dtype("i4"),
    "weight": np.dtype("f8"),
    "cumulated": np.dtype("f8"),
    "activation": np.dtype("f8"),
    "scratch": np.dtype("i4"),
    "hash_first": np.dtype("i8"),
    "hash_piece": np.dtype("i4"),
    "listed": np.dtype("i4"),
    "grids": GRID,
    "numbers": np.dtype("f8"),
}

RULES = (
    ("layers", "i8"),
    ("experts", "i8"),
    ("columns", "i8"),
    ("heads", "i8"),
    ("copies", "i8"),
    ("rows", "i8"),
    ("first_head", "i8"),
    ("pieces", "i8"),
    ("sites", "i8"),
    ("seed", "u8"),
    ("top_k", "i8"),
    ("chunk", "i8"),
    ("block", "i8"),
    ("most_running", "i8"),
    ("batch_tokens", "i8"),
    ("batch_requests", "i8"),
    ("micro", "i8"),
    ("first_class", "i8"),
    ("one_class", "i8"),
    ("fuse", "i8"),
    ("service_tokens", "i8"),
    ("queue_most", "i8"),
    ("retries", "i8"),
    ("handover", "i8"),
    ("patience_s", "f8"),
    ("drop_s", "f8"),
    ("exponential", "i8"),
    ("record_every", "i8"),
    ("prefix_blocks", "i8"),
    ("prefix_tokens", "i8"),
    ("boards", "i8"),
    ("exchange_s", "f8"),
    ("exchange_token_s", "f8"),
    ("users", "i8"),
    ("users_seed", "u8"),
    ("think_fixed", "i8"),
    ("think_s", "f8"),
    ("last_ask_s", "f8"),
    ("prompt_mean", "f8"),
    ("prompt_sigma", "f8"),
    ("output_mean", "f8"),
    ("output_sigma", "f8"),
    ("waiting_tokens", "i8"),
    ("transfer_s", "f8"),
    ("settled", "i8"),
    ("until_s", "f8"),
)
"""What the scenario and the placement fix. A patience, or a time to drop, of 0 is none. Exponential
service is for tests against theory. There are `copies` of the model with `layers`, so many `rows`
in all, and a row has `columns` for the copies of its experts, those of one expert after the other.
Parts of heads, `heads` of each copy of the model, begin at `first_head`; each caches prefixes by
`pieces` of prompts. `settled` says whether nothing can cancel work that may be worked out ahead,
before `until_s`."""

COUNTERS = (
    ("events", "i8"),
    ("order", "i8"),
    ("age", "i8"),
    ("free_requests", "i8"),
    ("free_members", "i8"),
    ("free_groups", "i8"),
    ("free_jobs", "i8"),
    ("left_requests", "i8"),
    ("left_members", "i8"),
    ("left_groups", "i8"),
    ("left_jobs", "i8"),
    ("inside", "i8"),
    ("done", "i8"),
    ("visited", "i8"),
    ("preemptions", "i8"),
    ("cancels", "i8"),
    ("tokens_made", "i8"),
    ("tokens_passed", "i8"),
    ("now_s", "f8"),
    ("clock_s", "f8"),
    ("inside_s", "f8"),
    ("unwanted_busy_s", "f8"),
    ("unwanted_hops", "f8"),
)
"""What changes with every event. Unwanted is the work of groups that their requests have not waited
for: cancelled, lost, or left behind. `free_` is the first of a table's free rows, `left_` how many.
`cancels` counts what may have left jobs that no request wants."""

SIZES = tuple((f"size_{name}", "i8") for name in ("heap", "requests", "outcomes", "visits"))

CORE = np.dtype([*((name, "i8") for name in TABLES), *RULES, *COUNTERS, *SIZES])
"""One row: addresses of the tables, rules, counters, sizes."""
