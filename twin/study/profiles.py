"""A run in a few short curves, so that a study can draw them without keeping its runs."""

import numpy as np

from twin.runs.repeats import Case, least, mean
from twin.runs.statistics import SHARES
from twin.runs.store import Run

POINTS = 96
"""Along the time of a run, at most: steps are taken together."""

PROFILES = {
    "profile_latency_s": "latency within which 0, 5, ... 100 % of all tokens served came",
    "profile_layer_way_s": "mean time of each layer on the way between satellites",
    "profile_layer_compute_s": "mean time of each layer computing",
    "profile_t_s": "middles of equal stretches of steps, since the start",
    "profile_served_share": "tokens served in each, of those asked",
    "profile_soc_min": "lowest state of charge in each",
    "profile_sunlit_share": "satellites in sunlight in each, mean",
}
"""Names of the curves, and what they are."""

type Profile = list[float | None]
"""None where there is no such figure."""


def profiles(run: Run) -> dict[str, Profile]:
    """Curves of a complete run, by the names in `PROFILES`."""
    case = Case("", (run,))
    way_s, compute_s = case.by_layer()
    t_s, asked = case.over_time("tokens_asked", mean, POINTS)
    served = case.over_time("tokens_served", mean, POINTS)[1]
    found = (
        [case.latency_at(share) for share in SHARES],
        way_s,
        compute_s,
        t_s,
        np.divide(served, asked, out=np.full(len(t_s), np.nan), where=asked > 0),
        case.over_time("soc_min", least, POINTS)[1],
        case.over_time("sunlit_mean", mean, POINTS)[1],
    )
    return {
        name: [float(v) if np.isfinite(v) else None for v in values]
        for name, values in zip(PROFILES, found, strict=True)
    }
