"""Schemas of a run's Parquet tables."""

import pyarrow as pa

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

TABLES: dict[str, pa.Schema] = {
    "steps": pa.schema(
        [
            ("step", pa.int32()),
            ("t_s", pa.float64()),
            ("tokens_asked", pa.int32()),
            ("tokens_served", pa.int32()),
            ("tokens_retried", pa.int32()),
            ("tokens_lost", pa.int32()),
            ("lost_dead", pa.int32()),
            ("lost_unreachable", pa.int32()),
            ("lost_refused", pa.int32()),
            ("lost_unserved", pa.int32()),
            ("lost_moving", pa.int32()),
            ("ttft_p50_s", pa.float64()),
            ("ttft_p99_s", pa.float64()),
            ("ground_availability", pa.float64()),
            ("ground_handovers", pa.int32()),
            ("latency_mean_s", pa.float64()),
            ("latency_p50_s", pa.float64()),
            ("latency_p95_s", pa.float64()),
            ("latency_p99_s", pa.float64()),
            ("expected_latency_s", pa.float64()),
            ("expected_served", pa.float64()),
            ("propagation_mean_s", pa.float64()),
            ("compute_mean_s", pa.float64()),
            ("links_up", pa.int32()),
            ("links_down_range", pa.int32()),
            ("links_down_grazing", pa.int32()),
            ("links_down_rate", pa.int32()),
            ("links_down_random", pa.int32()),
            ("links_down_sun", pa.int32()),
            ("links_down_power", pa.int32()),
            ("links_down_polar", pa.int32()),
            ("links_down_pat", pa.int32()),
            ("links_down_cut", pa.int32()),
            ("sunlit_mean", pa.float64()),
            ("soc_mean", pa.float64()),
            ("soc_min", pa.float64()),
            ("temperature_max_c", pa.float64()),
            ("unpowered", pa.int32()),
            ("low", pa.int32()),
            ("throttled", pa.int32()),
            ("utilisation_max", pa.float64()),
            ("deficit_j", pa.float64()),
            ("energy_per_token_j", pa.float64()),
            ("compute_done_flop", pa.float64()),
            ("compute_deficit_flop", pa.float64()),
            ("placement", pa.int32()),
            ("migrated_bytes", pa.float64()),
            ("migrated_byte_hops", pa.float64()),
            ("under_way", pa.int32()),
            ("faulty", pa.int32()),
        ]
    ),
    "layers": pa.schema(
        [
            ("step", pa.int32()),
            ("layer", pa.int16()),
            ("latency_mean_s", pa.float64()),
            ("propagation_mean_s", pa.float64()),
            ("compute_mean_s", pa.float64()),
        ]
    ),
    "quantiles": pa.schema(
        [
            ("step", pa.int32()),
            ("share", pa.float32()),
            ("latency_s", pa.float32()),
        ]
    ),
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
            ("layer", pa.int16()),
            ("expert", pa.int16()),
            ("copy", pa.int8()),
            ("satellite", pa.int32()),
            ("activation", pa.float64()),
        ]
    ),
    "tokens": pa.schema(
        [
            ("step", pa.int32()),
            ("token", pa.int32()),
            ("latency_s", pa.float64()),
            ("served", pa.bool_()),
            ("cause", pa.string()),
            ("hops", pa.list_(HOP)),
        ]
    ),
}
"""Schema of every table. ``outages`` has the links whose random outage begins or ends with a step;
none is down before the first. ``quantiles.share`` is the part of the step's tokens served that took
no longer than ``latency_s``. ``placements.expert`` is -1 for a layer's gateway, and
``copy`` counts the hosts of one thing from 0. A null ``events.satellite`` or ``other`` means that
none is meant."""
