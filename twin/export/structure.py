"""What a file of element sets holds: shells, planes, satellites, and what is left out and why."""

import csv
import io
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.constants import R_EARTH_KM
from twin.space import constellation as constellations
from twin.space import elements, planes, recovery

type Array = NDArray[np.float64]
type Row = dict[str, Any]

_NOBODY = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Listing:
    """Shells and planes of a file, and its N element sets.

    Attributes
    ----------
    epoch_utc : str
        The middle epoch of the file, at which all was found.
    shells, planes : list of dict
        One a shell, one a plane: mean altitude above the equatorial radius, inclination to
        the equator of the time, node, number of satellites, and how many of them carry links.
        A plane none of whose satellites do has no number, and says why.
    satellites : list of dict
        One an element set, in the order of the file: name, shell and plane where it is in one,
        altitude, inclination, node, whether it carries links, and why not.
    """

    epoch_utc: str
    shells: list[Row]
    planes: list[Row]
    satellites: list[Row]

    def as_json(self) -> dict[str, Any]:
        """All of it as plain data; planes name their satellites."""
        return {
            "epoch_utc": self.epoch_utc,
            "shells": [
                {**shell, "planes": [p for p in self.planes if p["shell"] == shell["shell"]]}
                for shell in self.shells
            ],
            "left_out": [
                {"name": one["name"], "reason": one["reason"]}
                for one in self.satellites
                if not one["carries_links"]
            ],
        }

    def as_csv(self) -> str:
        """One row an element set."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self.satellites[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.satellites)
        return text.getvalue()

    def shell_rows(self) -> list[list[str]]:
        """Shells as text: number, altitude, inclination, planes, satellites, with links."""
        return [
            [
                f"{one['shell']}",
                f"{one['altitude_km']:.1f}",
                f"{one['inclination_deg']:.2f}",
                f"{one['n_planes']}",
                f"{one['n_satellites']}",
                f"{one['with_links']}",
            ]
            for one in self.shells
        ]

    def plane_rows(self) -> list[list[str]]:
        """Planes as text: shell, number, node, altitude, inclination, satellites, why no links."""
        return [
            [
                f"{one['shell']}",
                "-" if one["plane"] is None else f"{one['plane']}",
                f"{one['node_deg']:.1f}",
                f"{one['altitude_km']:.1f}",
                f"{one['inclination_deg']:.2f}",
                f"{len(one['satellites'])}",
                one["reason"],
            ]
            for one in self.planes
        ]

    def left_out_rows(self) -> list[list[str]]:
        """What is left out as text: class of reason, how many, the first of them."""
        reasons = [(one["reason"], one["name"]) for one in self.satellites if one["reason"]]
        counts = Counter(reason.partition(": ")[0] for reason, _ in reasons)
        first: dict[str, str] = {}
        for reason, name in reasons:
            kind, _, detail = reason.partition(": ")
            first.setdefault(kind, f"{name}: {detail}" if detail else name)
        return [[kind, str(count), first[kind]] for kind, count in counts.most_common()]


def structure(path: str) -> Listing:
    """Find shells and planes of a file of element sets, as a scenario would.

    Parameters
    ----------
    path : str
        TLE, OMM or OEM.

    Raises
    ------
    InputError
        If the file cannot be read, or nothing of it can be used.
    """
    source = elements.read(path)
    _, out = source.mean_at(source.middle_epoch())
    usable, found = constellations.recovered(source, out)
    count = len(source.objects)
    shell, plane = (np.full(count, _NOBODY) for _ in range(2))
    shell[usable], plane[usable] = found.structure.shell, found.structure.plane
    linked = np.array([i not in out for i in range(count)])
    orbit = {i: _orbit(found, k) for k, i in enumerate(usable.tolist())}
    number = {int(p): k for k, p in enumerate(np.unique(plane[linked]))}
    satellites = [
        {
            "name": one.name,
            "catalogue_number": one.number,
            "shell": int(shell[i]) if shell[i] >= 0 else None,
            "plane": number.get(int(plane[i])),
            **orbit.get(i, dict.fromkeys(("altitude_km", "inclination_deg", "node_deg"))),
            "carries_links": bool(linked[i]),
            "reason": out.get(i, ""),
        }
        for i, one in enumerate(source.objects)
    ]
    listed = [_plane(satellites, np.flatnonzero(plane == p)) for p in range(plane.max() + 1)]
    return Listing(
        epoch_utc=found.epoch_utc,
        shells=[_shell(satellites, listed, k) for k in range(shell.max() + 1)],
        planes=listed,
        satellites=satellites,
    )


def _orbit(found: recovery.Recovered, k: int) -> Row:
    return {
        "altitude_km": round(float(found.mean[k, 0]) - R_EARTH_KM, 3),
        "inclination_deg": round(float(np.degrees(found.inc_rad[k])), 4),
        "node_deg": round(float(np.degrees(found.mean[k, 3])), 4),
    }


def _plane(satellites: list[Row], rows: NDArray[np.intp]) -> Row:
    members = [satellites[i] for i in rows]
    node_rad = np.radians([one["node_deg"] for one in members])
    inc_rad = np.radians([one["inclination_deg"] for one in members])
    mean = planes.mean_normals(np.zeros(len(rows), np.int32), planes.normals(inc_rad, node_rad))[0]
    linked = any(one["carries_links"] for one in members)
    return {
        "shell": members[0]["shell"],
        "plane": members[0]["plane"],
        "node_deg": round(float(np.degrees(np.arctan2(mean[0], -mean[1])) % 360), 4),
        **_middle(members),
        "carries_links": linked,
        "reason": "" if linked else members[0]["reason"],
        "satellites": [one["name"] for one in members],
    }


def _shell(satellites: list[Row], listed: list[Row], number: int) -> Row:
    members = [one for one in satellites if one["shell"] == number]
    altitude_km = [one["altitude_km"] for one in members]
    return {
        "shell": number,
        **_middle(members),
        "lowest_km": min(altitude_km),
        "highest_km": max(altitude_km),
        "n_planes": sum(plane["shell"] == number for plane in listed),
        "n_satellites": len(members),
        "with_links": sum(one["carries_links"] for one in members),
    }


def _middle(members: list[Row]) -> Row:
    return {
        key: round(float(np.median([one[key] for one in members])), 4)
        for key in ("altitude_km", "inclination_deg")
    }
