"""What reports call the figures of a run, their units, and which way is better."""

from typing import NamedTuple

from twin.network.grid import LinkKind

LESS, MORE, NEITHER = 1, -1, 0


class Metric(NamedTuple):
    """A figure of a run for the reader.

    Attributes
    ----------
    label : str
        In words.
    unit : str
        Unit of the values shown; empty for counts.
    scale : float
        What to multiply the figure by for that.
    better : int
        `LESS`, `MORE` or `NEITHER`.
    """

    label: str
    unit: str
    scale: float
    better: int

    @property
    def header(self) -> str:
        """Of a row or column."""
        return f"{self.label}, {self.unit}" if self.unit else self.label


_MAIN: dict[str, Metric] = {
    "latency_mean_s": Metric("latency of a token, mean", "s", 1.0, LESS),
    "latency_p50_s": Metric("latency, median", "s", 1.0, LESS),
    "latency_p95_s": Metric("latency, 95th percentile", "s", 1.0, LESS),
    "latency_p99_s": Metric("latency, 99th percentile", "s", 1.0, LESS),
    "expected_latency_s": Metric("latency, exact expectation", "s", 1.0, LESS),
    "propagation_mean_s": Metric("time on the way, mean", "s", 1.0, LESS),
    "compute_mean_s": Metric("time computing, mean", "s", 1.0, LESS),
    "ttft_p50_s": Metric("first token, median", "s", 1.0, LESS),
    "ttft_p99_s": Metric("first token, 99th percentile", "s", 1.0, LESS),
    "tokens_asked": Metric("tokens asked", "", 1.0, NEITHER),
    "tokens_served_share": Metric("tokens served", "% of those asked", 100.0, MORE),
    "tokens_retried": Metric("attempts put off to the next step", "", 1.0, LESS),
    "lost_dead": Metric("tokens lost at a dead host", "", 1.0, LESS),
    "lost_unreachable": Metric("tokens lost for want of a path", "", 1.0, LESS),
    "lost_refused": Metric("tokens lost at a host with no compute left", "", 1.0, LESS),
    "lost_unserved": Metric("tokens lost on the ground", "", 1.0, LESS),
    "lost_moving": Metric("tokens lost while a part moved", "", 1.0, LESS),
    "ground_availability": Metric("sites with service", "% of the time", 100.0, MORE),
    "ground_handovers": Metric("hand-overs on the ground", "", 1.0, LESS),
    "links_up_share": Metric("links up", "%", 100.0, MORE),
    "sunlit_share": Metric("satellites in sunlight", "%", 100.0, NEITHER),
    "soc_min": Metric("lowest state of charge", "%", 100.0, MORE),
    "temperature_max_c": Metric("highest temperature", "°C", 1.0, LESS),
    "satellites_without_power": Metric("satellites without power, most at once", "", 1.0, LESS),
    "brown_outs": Metric("brown-outs", "", 1.0, LESS),
    "throttlings": Metric("times a satellite was throttled by heat", "", 1.0, LESS),
    "compute_deficit_share": Metric("compute asked for but not done", "%", 100.0, LESS),
    "energy_per_token_j": Metric("energy drawn by the fleet", "J a token", 1.0, LESS),
    "utilisation_max": Metric("busiest satellite", "% of a step", 100.0, NEITHER),
    "placements": Metric("placements", "", 1.0, NEITHER),
    "migrated_gb": Metric("moved between satellites", "GB", 1.0, LESS),
    "battery_cycles_max": Metric("battery cycles, most of a satellite", "", 1.0, LESS),
    "battery_life_used_max": Metric("battery life used, most of a satellite", "%", 100.0, LESS),
}
_KINDS = [kind.name.lower().replace("_", "-") for kind in LinkKind]
_LINKS = {
    **{f"{k}_availability": Metric(f"{k} links up", "%", 100.0, MORE) for k in _KINDS},
    **{f"{k}_hold_mean_s": Metric(f"{k} links hold, mean", "s", 1.0, MORE) for k in _KINDS},
}
METRICS = _MAIN | _LINKS

KEY_FIGURES = tuple(name for name in _MAIN if not name.startswith(("lost_", "battery_")))
"""Figures of a run's first table; other tables show the rest."""

LATENCIES = tuple(list(_MAIN)[:9])
"""Figures with ratios shown beside differences."""

PERCENTILES = "A percentile shown is the median over a run's steps of each step's percentile."
"""What the figures called percentiles are."""
