"""When satellites rise, stand highest and set over a place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.export.ephemeris import satellite_number, utc
from twin.export.routes import csv_text
from twin.network import ground, passes
from twin.network.passes import Passes, Track
from twin.network.places import place, slant_limit_km
from twin.network.reach import within_range
from twin.runs.store import Run
from twin.scenario.ground import Site
from twin.scenario.schema import Scenario
from twin.space import constellation as constellations
from twin.space.constellation import Constellation
from twin.space.propagation import step_length_s

type Array = NDArray[np.float64]

_SAMPLES = 2_000_000
"""Positions held at a time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SitePasses:
    """M passes over a place, in order of rising.

    Attributes
    ----------
    site : Site
    epoch_utc : str
        What times count from.
    from_s, to_s : float
        The time that was searched.
    satellite : (M,) int32
    names : tuple of M str
    rise_s, top_s, set_s : (M,) float64
        Rise above the mask, or into the range asked for; highest elevation in between; set. A pass
        under way at either end of the time searched is cut there.
    elevation_deg, slant_km : (M,) float64
        At the top.
    """

    site: Site
    epoch_utc: str
    from_s: float
    to_s: float
    satellite: NDArray[np.int32]
    names: tuple[str, ...]
    rise_s: Array
    top_s: Array
    set_s: Array
    elevation_deg: Array
    slant_km: Array

    @property
    def columns(self) -> dict[str, list[Any]]:
        """One value a pass by name, as a data frame takes them.

        Rise and set are None where they lie outside the time searched.
        """
        columns: dict[str, list[Any]] = {
            "satellite": self.satellite.tolist(),
            "name": list(self.names),
        }
        for name in ("rise", "top", "set"):
            t_s: Array = getattr(self, f"{name}_s")
            known = (t_s > self.from_s) & (t_s < self.to_s) | (name == "top")
            text = utc(self.epoch_utc, t_s).tolist()
            columns[f"{name}_s"] = _or_none(t_s.tolist(), known)
            columns[f"{name}_utc"] = _or_none(text, known)
        columns["elevation_deg"] = self.elevation_deg.tolist()
        columns["slant_km"] = self.slant_km.tolist()
        return columns

    def as_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "site": self.site.model_dump(exclude={"weight"}),
            "epoch_utc": self.epoch_utc,
            "from_s": self.from_s,
            "to_s": self.to_s,
            "passes": self.columns,
        }

    def as_csv(self) -> str:
        """A row a pass."""
        return csv_text(self.columns)

    def rows(self, most: int) -> list[list[str]]:
        """The first passes as text: satellite, seconds of rise, top and set, top in degrees, km."""
        c = self.columns
        names = ("rise_s", "top_s", "set_s", "elevation_deg", "slant_km")
        return [
            [c["name"][k], *("-" if c[n][k] is None else f"{c[n][k]:.2f}" for n in names)]
            for k in range(min(most, len(self.names)))
        ]


def site_passes(
    source: Scenario | Run,
    site: str,
    *,
    satellite: str | None = None,
    max_slant_km: float | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> SitePasses:
    """Find every pass over a place during a scenario or a run.

    Parameters
    ----------
    source : Scenario or Run
        Its mask is ``ground.minimum_elevation_deg``.
    site : str
        A site of the scenario, a city, or coordinates, see `twin.network.places.place`.
    satellite : str, optional
        Number or name of the only one that is asked for.
    max_slant_km : float, optional
        How far a satellite may be.
    progress : callable
        Called with (windows of time done, windows in all).

    Raises
    ------
    InputError
        If there is no such place or satellite, or the orbits cannot be computed.
    """
    scenario = source.scenario if isinstance(source, Run) else source
    here = place(site, scenario.ground, option="--site")
    body = constellations.build(scenario)
    rows = np.arange(body.size)
    if satellite is not None:
        rows = rows[[satellite_number(body.names, satellite)]]
    step_s = step_length_s(scenario, body)
    from_s = step_s * (source.first_step if isinstance(source, Run) else 0)
    to_s = step_s * scenario.simulation.steps
    table = scenario.ground.model_copy(update={"sites": (here,), "users": None})
    sites = ground.sites(table, max_slant_km=slant_limit_km(max_slant_km))
    some, model = _of(body, rows), scenario.propagation.model
    edges_s = _windows(from_s, to_s, len(rows))
    parts = []
    for k in range(len(edges_s) - 1):
        track = passes.track(some, model, edges_s[k], edges_s[k + 1])
        parts.append(_with_tops(sites, track))
        progress(k + 1, len(edges_s) - 1)
    found = _joined(np.concatenate(parts, axis=1), edges_s[1:-1])
    number, rise_s, set_s, top_s, elevation_rad, slant_km = found
    chosen = rows[number.astype(np.int64)].astype(np.int32)
    return SitePasses(
        site=here,
        epoch_utc=body.epoch_utc,
        from_s=from_s,
        to_s=to_s,
        satellite=chosen,
        names=tuple(body.names[i] for i in chosen),
        rise_s=rise_s,
        top_s=top_s,
        set_s=set_s,
        elevation_deg=np.degrees(elevation_rad),
        slant_km=slant_km,
    )


def _of(body: Constellation, rows: NDArray[np.intp]) -> Constellation:
    return body if len(rows) == body.size else constellations.subset(body, rows)


def _windows(from_s: float, to_s: float, n: int) -> Array:
    """Edges of stretches of time whose positions fit into memory."""
    longest_s = passes.SAMPLE_S * max(_SAMPLES // n, 60)
    return np.linspace(from_s, to_s, int(np.ceil((to_s - from_s) / longest_s)) + 1)


def _with_tops(sites: ground.Sites, track: Track) -> Array:
    """Satellite, rise, set, top, elevation and range then, of each pass of a window, (6, M)."""
    found: Passes = within_range(sites, track, passes.passes(sites, track))
    top_s, elevation_rad = passes.culminations(sites, track, found)
    _, slant_km = passes.look_at(sites, track, found.site, found.satellite, top_s)
    return np.stack(
        [found.satellite, found.rise_s, found.set_s, top_s, elevation_rad, slant_km]
    ).astype(np.float64)


def _joined(found: Array, edges_s: Array) -> Array:
    """Passes that windows cut put together again, by rise; (6, M)."""
    satellite, rise_s, set_s = found[:3]
    found = found[:, np.lexsort((rise_s, satellite))]
    satellite, rise_s, set_s = found[:3]
    goes_on = (satellite[1:] == satellite[:-1]) & (rise_s[1:] == set_s[:-1])
    goes_on &= np.isin(rise_s[1:], edges_s)
    first = np.flatnonzero(np.concatenate([[True], ~goes_on])[: len(satellite)])
    if not len(first):
        return found
    joined = found[:, first]
    joined[2] = np.maximum.reduceat(set_s, first)
    higher = np.lexsort((found[4], np.cumsum(np.isin(np.arange(len(satellite)), first))))
    joined[3:] = found[3:, higher[np.append(first[1:], len(satellite)) - 1]]
    return joined[:, np.lexsort((joined[0], joined[1]))]


def _or_none(values: list[Any], known: NDArray[np.bool_]) -> list[Any]:
    return [value if there else None for value, there in zip(values, known, strict=True)]
