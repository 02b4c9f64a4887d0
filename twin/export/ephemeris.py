"""Where one satellite is and what it sees of the Sun, step by step, and its times in shadow."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError
from twin.scenario.schema import Scenario
from twin.space import constellation as constellations
from twin.space import propagation
from twin.space.constellation import Constellation
from twin.space.eclipse import EDGES, ShadowEdges, beta_angle_rad
from twin.space.ephemeris import Ephemeris, ground_track

type Columns = dict[str, NDArray[Any]]
type Interval = dict[str, float | str | None]


@dataclass(frozen=True, kw_only=True, eq=False)
class SatelliteEphemeris:
    """One satellite over a scenario's steps.

    Attributes
    ----------
    satellite : dict
        Its number, name, plane and slot in the constellation.
    epoch_utc : str
        What times count from.
    columns : dict of str to (T,) array
        One value a step, at its start (`sunlit`: the mean over it). Position and velocity in GCRS
        axes, geodetic coordinates on WGS 84, beta angle, UTC.
    shadows : list of dict
        Every passage through the shadow during the run: the seconds and the UTC of its four edges,
        None for an edge that lies outside the run or does not occur.
    """

    satellite: dict[str, int | str]
    epoch_utc: str
    columns: Columns
    shadows: list[Interval]

    def as_json(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "satellite": self.satellite,
            "epoch_utc": self.epoch_utc,
            "shadows": self.shadows,
            "steps": {name: column.tolist() for name, column in self.columns.items()},
        }

    def steps_csv(self) -> str:
        """All steps as CSV."""
        steps = zip(*(column.tolist() for column in self.columns.values()), strict=True)
        return _csv([list(self.columns), *steps])

    def shadows_csv(self) -> str:
        """All shadows as CSV."""
        header = [f"{name}_{unit}" for unit in ("s", "utc") for name in _edge_names()]
        return _csv([header, *([s[name] for name in header] for s in self.shadows)])

    def step_rows(self, most: int) -> list[list[str]]:
        """Evenly chosen steps as text: time, place, beta angle, sunlit share."""
        c = self.columns
        names = ("t_s", "latitude_deg", "longitude_deg", "altitude_km", "beta_deg", "sunlit")
        chosen = np.unique(np.linspace(0, len(c["t_s"]) - 1, most).round().astype(int))
        return [[f"{c[name][k]:.3f}" for name in names] for k in chosen]

    def shadow_rows(self, most: int) -> list[list[str]]:
        """The first passages through the shadow as text: seconds of the four edges."""
        seconds = [[s[f"{name}_s"] for name in _edge_names()] for s in self.shadows[:most]]
        return [["-" if t is None else f"{t:.2f}" for t in row] for row in seconds]


def satellite_ephemeris(
    scenario: Scenario,
    satellite: str,
    *,
    progress: Callable[[int, int], None] = lambda step, steps: None,  # noqa: ARG005
) -> SatelliteEphemeris:
    """Follow one satellite of a scenario over all its steps.

    Parameters
    ----------
    scenario : Scenario
    satellite : str
        Its name or its number in the constellation.
    progress : callable
        Called with (steps done, steps in all) after every step.

    Raises
    ------
    InputError
        If there is no such satellite, or the scenario's orbits cannot be computed.
    """
    body = constellations.build(scenario)
    i = satellite_number(body.names, satellite)
    # The constellation, not this satellite of it, decides how long a step is.
    step_s = propagation.step_length_s(scenario, body)
    simulation = scenario.simulation.model_copy(update={"step_s": step_s, "orbits": None})
    alone = scenario.model_copy(update={"simulation": simulation})
    sky = Ephemeris(alone, _only(body, i))
    instants, lights = [], []
    for step in range(simulation.steps):
        if sky.gone(step)[0]:
            raise InputError(
                f"{body.names[i]}: decays within {sky.t_s[step]:.0f} s of {body.epoch_utc}, where "
                f"SGP4 gives it up; there are {step} steps before that"
            )
        instants.append(sky.at(step))
        lights.append(sky.light(step))
        progress(step + 1, simulation.steps)
    r_km, v_km_s = (np.stack([getattr(x, n)[0] for x in instants]) for n in ("r_km", "v_km_s"))
    beta_deg = np.degrees(beta_angle_rad(r_km, v_km_s, np.stack([x.sun_km for x in instants])))
    latitude_deg, longitude_deg, altitude_km = ground_track(body.epoch_utc, sky.t_s, r_km)
    return SatelliteEphemeris(
        satellite={
            "number": i, "name": body.names[i], "plane": int(body.plane[i]),
            "slot": int(body.slot[i]),
        },
        epoch_utc=body.epoch_utc,
        columns={
            "step": np.arange(simulation.steps), "t_s": sky.t_s,
            "utc": utc(body.epoch_utc, sky.t_s),
            **{f"{axis}_km": r_km[:, k] for k, axis in enumerate("xyz")},
            **{f"v{axis}_km_s": v_km_s[:, k] for k, axis in enumerate("xyz")},
            "latitude_deg": latitude_deg, "longitude_deg": longitude_deg,
            "altitude_km": altitude_km, "beta_deg": beta_deg,
            "sunlit": np.array([light.sunlit[0] for light in lights]),
        },
        shadows=_shadows(body.epoch_utc, [light.edges for light in lights]),
    )  # fmt: skip


def satellite_number(names: Sequence[str], wanted: str) -> int:
    """Row of a satellite given by its name or by that number itself.

    Raises
    ------
    InputError
        If there is none such.
    """
    if wanted in names:
        return names.index(wanted)
    if wanted.isdecimal() and int(wanted) < len(names):
        return int(wanted)
    raise InputError(
        f"--satellite {wanted}: must be a number from 0 to {len(names) - 1} "
        f"or a name ({names[0]} to {names[-1]})"
    )


def utc(epoch_utc: str, t_s: NDArray[np.float64]) -> NDArray[np.str_]:
    """ISO 8601 text, to the millisecond, of seconds since an epoch; leap seconds are not shown."""
    begin = np.datetime64(epoch_utc.removesuffix("Z"), "us")
    when = begin + (np.round(np.asarray(t_s) * 1e3) * 1000).astype("timedelta64[us]")
    return np.strings.add(np.datetime_as_string(when, unit="ms"), "Z")


def _only(body: Constellation, i: int) -> Constellation:
    """The constellation of satellite i alone."""
    return replace(constellations.subset(body, np.array([i])), plane=np.zeros(1, np.int32))


def _edge_names() -> list[str]:
    return [name.replace("-", "_") for name in EDGES]


def _shadows(epoch_utc: str, steps: Sequence[ShadowEdges]) -> list[Interval]:
    """Edges in order of time, four to a passage; a passage ends where the order starts again."""
    t_s, kind = (np.concatenate([getattr(e, name) for e in steps]) for name in ("t_s", "kind"))
    passage = np.cumsum(np.diff(kind, prepend=-1) <= 0)
    shadows: list[Interval] = []
    for n in np.unique(passage):
        times = dict(zip(kind[passage == n].tolist(), t_s[passage == n].tolist(), strict=True))
        text = {k: str(utc(epoch_utc, np.array([t]))[0]) for k, t in times.items()}
        shadows.append(
            {f"{name}_s": times.get(k) for k, name in enumerate(_edge_names())}
            | {f"{name}_utc": text.get(k) for k, name in enumerate(_edge_names())}
        )
    return shadows


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
