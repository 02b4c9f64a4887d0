"""Schemas of a run's Parquet tables."""

import pyarrow as pa

from twin.runs.figures import QUANTITIES, STEP_FIGURES

HOP = pa.struct(
    [
        ("layer", pa.int16()),
        ("rank", pa.int16()),
        ("source", pa.int32()),
        ("target", pa.int32()),
        ("start_s", pa.float32()),
        ("end_s", pa.float32()),
    ]
)

SLOWEST = ("slowest_layer", "slowest_layer_s", "slowest_satellite")
"""Columns of ``tokens`` that older runs have not: what they say is in the hops as well."""

LATER = ("queues", "traffic")
"""Tables that older runs have not."""

_DISTRIBUTION = pa.schema(
    [
        ("step", pa.int32()),
        ("value_s", pa.float64()),
        ("count", pa.int32()),
    ]
)

TABLES: dict[str, pa.Schema] = {
    "steps": pa.schema([(figure.name, figure.kind) for figure in STEP_FIGURES.values()]),
    "layers": pa.schema(
        [
            ("step", pa.int32()),
            ("layer", pa.int16()),
            ("latency_mean_s", pa.float64()),
            ("propagation_mean_s", pa.float64()),
            ("compute_mean_s", pa.float64()),
        ]
    ),
    **dict.fromkeys(QUANTITIES, _DISTRIBUTION),
    "satellites": pa.schema(
        [
            ("step", pa.int32()),
            ("satellite", pa.int32()),
            ("x_km", pa.float64()),
            ("y_km", pa.float64()),
            ("z_km", pa.float64()),
            ("sunlit", pa.float32()),
            ("soc", pa.float64()),
            ("temperature_c", pa.float64()),
            ("powered", pa.bool_()),
            ("speed", pa.float64()),
            ("utilisation", pa.float64()),
            ("degree", pa.int8()),
        ]
    ),
    "outages": pa.schema([("step", pa.int32()), ("link", pa.int32())]),
    "events": pa.schema(
        [
            ("step", pa.int32()),
            ("t_s", pa.float64()),
            ("kind", pa.dictionary(pa.int8(), pa.string())),
            ("cause", pa.dictionary(pa.int8(), pa.string())),
            ("satellite", pa.int32()),
            ("other", pa.int32()),
            ("value", pa.float64()),
        ]
    ),
    "placements": pa.schema(
        [
            ("placement", pa.int32()),
            ("step", pa.int32()),
            ("instance", pa.int32()),
            ("layer", pa.int16()),
            ("expert", pa.int16()),
            ("copy", pa.int8()),
            ("satellite", pa.int32()),
            ("activation", pa.float64()),
        ]
    ),
    "requests": pa.schema(
        [
            ("step", pa.int32()),
            ("request", pa.int64()),
            ("site", pa.int32()),
            ("instance", pa.int32()),
            ("cause", pa.string()),
            ("prompt_tokens", pa.int32()),
            ("output_tokens", pa.int32()),
            ("made_tokens", pa.int32()),
            ("asked_s", pa.float64()),
            ("admitted_s", pa.float64()),
            ("ttft_s", pa.float64()),
            ("tpot_s", pa.float64()),
            ("e2e_s", pa.float64()),
            ("longest_gap_s", pa.float64()),
            ("waiting_s", pa.float64()),
            ("computing_s", pa.float64()),
            ("way_s", pa.float64()),
            ("reused_tokens", pa.int32()),
            ("energy_j", pa.float64()),
            ("preemptions", pa.int32()),
            ("retries", pa.int32()),
        ]
    ),
    "visits": pa.schema(
        [
            ("step", pa.int32()),
            ("request", pa.int64()),
            ("layer", pa.int16()),
            ("expert", pa.int16()),
            ("satellite", pa.int32()),
            ("first_token", pa.int32()),
            ("tokens", pa.int32()),
            ("came_s", pa.float64()),
            ("began_s", pa.float64()),
            ("ended_s", pa.float64()),
        ]
    ),
    "instances": pa.schema(
        [
            ("step", pa.int32()),
            ("instance", pa.int32()),
            ("open", pa.bool_()),
            ("running", pa.int32()),
            ("waiting", pa.int32()),
            ("tokens_out", pa.int64()),
            ("cache_share", pa.float64()),
        ]
    ),
    "queues": pa.schema(
        [
            ("step", pa.int32()),
            ("satellite", pa.int32()),
            ("waiting_tokens", pa.int64()),
            ("services", pa.int32()),
            ("batch_mean", pa.float64()),
            ("cache_share", pa.float64()),
        ]
    ),
    "traffic": pa.schema(
        [
            ("step", pa.int32()),
            ("source", pa.int32()),
            ("target", pa.int32()),
            ("share", pa.float32()),
            ("tokens", pa.int64()),
        ]
    ),
    "load": pa.schema(
        [
            ("step", pa.int32()),
            ("running", pa.int32()),
            ("waiting", pa.int32()),
            ("tokens_in", pa.int64()),
            ("tokens_out", pa.int64()),
            ("batch_mean", pa.float64()),
            ("cache_share", pa.float64()),
            ("busiest_share", pa.float64()),
            ("network_j", pa.float64()),
            ("unwanted_j", pa.float64()),
            ("under_way_j", pa.float64()),
            ("link_mean_share", pa.float64()),
            ("link_most_share", pa.float64()),
            ("link_most_source", pa.int32()),
            ("link_most_target", pa.int32()),
        ]
    ),
    "tokens": pa.schema(
        [
            ("step", pa.int32()),
            ("token", pa.int32()),
            ("latency_s", pa.float64()),
            ("served", pa.bool_()),
            ("cause", pa.string()),
            ("slowest_layer", pa.int16()),
            ("slowest_layer_s", pa.float32()),
            ("slowest_satellite", pa.int32()),
            ("hops", pa.list_(HOP)),
        ]
    ),
}
"""Schema of every table. ``outages`` has the links whose random outage begins or ends with a step;
none is down before the first. ``latency`` and ``ttft`` hold how long the step's tokens took: each
value, or the one that stands for its bin in a long run (`twin.runs.distribution`), and how many
tokens have it. ``placements.expert`` is -1 for a layer's gateway, and ``copy`` counts the hosts of
one thing from 0. ``requests`` has a row for each request that ended, and at the end of the run for
each that is still inside: when it was asked, since the start, how long it took, and the energy of
its work, beyond that of idling and of terminals that are on. ``visits`` has each service that
recorded ones were in, with ``expert`` -1 for a gateway, ``layer`` the number of layers for the LM
head, and of several layers that one satellite serves at once the first. ``instances`` has
how each copy of the model was at the end of each step: whether it let requests in, and what it had.
``queues`` and ``traffic`` are recorded as often as ``satellites``. ``queues`` has the satellites
that worked on requests or hold something of them: tokens that wait there at the end of the step,
services in it and their mean tokens, and the share of the memory beside weights that caches of its
gateways take, NaN without one. ``traffic`` has the share of the step in which hidden states were on
a directed link, and how many were put on it; links without any have no row.
``load`` has what the constellation carried in each step, with the share of it in which hidden
states were on a link, mean of all directed links that are up, and the most of any, from
``link_most_source`` to ``link_most_target``, -1 if none was used; ``network_j`` is the energy of
bits on links, ``unwanted_j`` that of work which
was cancelled or lost, and ``under_way_j`` at the end of the step that of work not charged to
requests yet: those of all requests, all that is unwanted and the last that is under way are
``steps.compute_j`` and ``network_j`` of all steps. Both are empty where only tokens are served. A
null ``events.satellite`` or ``other`` means that none is meant. ``tokens.slowest_layer`` is the
layer that took longest, ``slowest_satellite`` the one whose result came last in it; both are null
for a token without hops."""
