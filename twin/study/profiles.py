"""A run in a few short curves, so that a study can draw them without keeping its runs."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from twin.runs.distribution import Distribution
from twin.runs.repeats import Case
from twin.runs.rules import Floats
from twin.runs.statistics import mean_known
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


@dataclass(frozen=True)
class PointCurves:
    """The same of a study: of a case at one place, from the points (R rows) of its replicates."""

    label: str
    points: pa.Table

    @cached_property
    def distribution(self) -> Distribution | None:
        """Latency of all tokens that the replicates served; None if they served none."""
        values, counts = (self.points[name].combine_chunks() for name in LATENCY_PROFILE)
        found = Distribution.weighted(values.flatten().to_numpy(), counts.flatten().to_numpy())
        return found if found.size else None

    def by_layer(self) -> tuple[Floats, Floats]:
        """Mean time of each layer on the way and computing, s, (L,); NaN if none was served."""
        way_s, work_s = (
            mean_known(np.array(self._rows(name), np.float64), axis=0)
            for name in ("layer_way_s", "layer_compute_s")
        )
        return way_s, work_s

    def over_time(self, column: str) -> tuple[Floats, Floats]:
        """Seconds, and the mean of the replicates that have the figure then."""
        t_s, found = self.each_over_time(column)
        return t_s, mean_known(found, axis=0)

    def all_steps(self, column: str) -> Floats:
        """All values of that mean."""
        return self.over_time(column)[1]

    def each_over_time(self, column: str) -> tuple[Floats, Floats]:
        """Seconds (T,) and a curve over time of every replicate that has it, (R', T).

        Those that ended sooner than others have no values later.
        """
        times = [np.array(t_s, np.float64) for t_s in self._rows("t_s")]
        found = [np.array(row, np.float64) for row in self._rows(column)]
        if not times:
            return np.empty(0), np.empty((0, 0))
        longest = max(times, key=lambda t_s: float(t_s[-1]))
        for i, (t_s, curve) in enumerate(zip(times, found, strict=True)):
            if not np.array_equal(t_s, longest):
                found[i] = np.interp(longest, t_s, curve, right=np.nan)
        return longest, np.array(found)

    def _rows(self, name: str) -> list[list[float | None]]:
        return [row for row in self.points[f"profile_{name}"].to_pylist() if row is not None]
