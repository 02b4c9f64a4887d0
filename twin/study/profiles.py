"""A run in a few short curves, so that a study can draw them without keeping its runs."""

import numpy as np

from twin.runs.repeats import Case
from twin.runs.store import Run
from twin.runs.summary import distribution

POINTS = 96
"""Along the time of a run, at most: steps are taken together."""

LATENCY_PROFILE = ("profile_latency_s", "profile_latency_count")
"""Values and counts of a `twin.runs.distribution.Distribution`."""

STEP_PROFILES = ("profile_tokens_served_share", "profile_soc_min", "profile_sunlit_mean")
"""Figures of a step, by what follows ``profile_``, merged over stretches of steps."""

PROFILES = (
    *LATENCY_PROFILE,
    "profile_layer_way_s",
    "profile_layer_compute_s",
    "profile_t_s",
    *STEP_PROFILES,
)
"""Names of the curves: latency of all tokens served, in bins; mean time of each layer on the way
and computing; the middle of each stretch of steps, since the start, and figures there."""

type Profile = list[float | None]
"""None where there is no such figure."""


def profiles(run: Run) -> dict[str, Profile]:
    """Curves of a complete run, by the names in `PROFILES`."""
    case, latency = Case("", (run,)), distribution(run, "latency").binned()
    names = [name.removeprefix("profile_") for name in STEP_PROFILES]
    found = (
        latency.value_s,
        latency.count,
        *case.by_layer(),
        case.over_time("t_s", POINTS)[0],
        *(case.over_time(name, POINTS)[1] for name in names),
    )
    return {
        name: [float(v) if np.isfinite(v) else None for v in values]
        for name, values in zip(PROFILES, found, strict=True)
    }
