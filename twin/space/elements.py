"""Read element sets: two-line (TLE), or orbit mean-elements messages (OMM) in CSV, JSON or XML."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import Any
from xml.etree import ElementTree

import numpy as np
from boinor.core.angles import E_to_M, E_to_nu, M_to_E_scalar, nu_to_E
from numpy.typing import NDArray
from sgp4 import omm
from sgp4.api import SGP4_ERRORS, Satrec

from twin.constants import MU_EARTH_KM3_S2
from twin.errors import InputError
from twin.scenario.attachments import read_text
from twin.space.compiled import compiled
from twin.space.frames import teme_to_gcrs, utc_jd

type Array = NDArray[np.float64]

type NamedSets = list[tuple[str, Satrec]]

LONGEST_DAYS = 30.0
"""Element sets are used at most this long before or after their epoch."""

DECIMAL = r" *[+-]?\d*\.\d+"
POWER = r" *[+-]?\d+[+-]\d"
FIELDS: Mapping[str, tuple[tuple[str, int, int, str], ...]] = {
    "1": (
        ("epoch year", 18, 20, r"\d\d"),
        ("epoch day", 20, 32, r" *\d+\.\d+"),
        ("first derivative of the mean motion", 33, 43, DECIMAL),
        ("second derivative of the mean motion", 44, 52, POWER),
        ("drag term", 53, 61, POWER),
    ),
    "2": (
        ("inclination", 8, 16, DECIMAL),
        ("right ascension of the node", 17, 25, DECIMAL),
        ("eccentricity", 26, 33, r"\d{7}"),
        ("argument of perigee", 34, 42, DECIMAL),
        ("mean anomaly", 43, 51, DECIMAL),
        ("mean motion", 52, 63, r" *\d+\.\d+"),
    ),
}
"""Name, first and last column (from 0, end excluded) and pattern of the fields SGP4 uses."""

NUMBERS = (
    "NORAD_CAT_ID", "MEAN_MOTION", "ECCENTRICITY", "INCLINATION", "RA_OF_ASC_NODE",
    "ARG_OF_PERICENTER", "MEAN_ANOMALY", "BSTAR", "MEAN_MOTION_DOT", "MEAN_MOTION_DDOT",
)  # fmt: skip
"""Fields of an OMM that must be finite numbers."""


def read(path: str) -> NamedSets:
    """Element sets of a file, in its order; the format is recognised by the content.

    Parameters
    ----------
    path : str
        TLE with or without name lines (a leading ``0 `` of a name is dropped), OMM CSV, OMM JSON
        or OMM XML, in UTF-8.

    Returns
    -------
    list of (name, sgp4.api.Satrec)
        A set without a name is called by its catalogue number.

    Raises
    ------
    InputError
        With file, line or record, and what is wrong.
    """
    text = read_text(path, encoding="utf-8-sig")
    if "\0" in text:
        raise InputError(f"{path}: has zero bytes, no text file has")
    start = text.lstrip()[:1]
    if start == "<":
        sets = _read_messages(path, _xml_messages(path, text))
    elif start in ("[", "{"):
        sets = _read_messages(path, _json_messages(path, text))
    elif "NORAD_CAT_ID" in text.lstrip().partition("\n")[0]:
        sets = _read_messages(path, _csv_messages(text))
    else:
        sets = _read_lines(path, text.splitlines())
    if not sets:
        raise InputError(f"{path}: no element sets in it")
    return sets


def mean_at(satrecs: Sequence[Satrec], epoch_utc: str) -> tuple[Array, dict[int, str]]:
    """Mean elements of M element sets at a common epoch, and which of them are unusable.

    SGP4's secular rates and drag carry each set from its own epoch. Its mean motion is the one
    without J2 (Brouwer's), from which the semi-major axis follows with our gravitational
    parameter, so that the motion is the same. Axes are turned from TEME to the GCRS. Periodic
    terms are left out: up to 18 km in low orbit, most of it J3's where orbits are near-polar.

    Returns
    -------
    mean : (M, 6) float64
        a_km, ecc, inc_rad, raan_rad, argp_rad, nu_rad; meaningless for unusable sets.
    unusable : dict of int to str
        Index and reason: further than 30 days from the epoch, where SGP4 and the node are no longer
        accurate; superseded by a set of the same satellite; or refused by SGP4.
    """
    jd = utc_jd(epoch_utc)
    age_days = [s.jdsatepoch - jd[0] + (s.jdsatepochF - jd[1]) for s in satrecs]
    nearest: dict[str, int] = {}
    for i in sorted(range(len(satrecs)), key=lambda i: abs(age_days[i])):
        nearest.setdefault(satrecs[i].satnum_str, i)
    mean, unusable = np.zeros((len(satrecs), 6)), {}
    for i, satrec in enumerate(satrecs):
        error = satrec.sgp4(*jd)[0]
        if abs(age_days[i]) > LONGEST_DAYS:
            unusable[i] = (
                f"epoch not within {LONGEST_DAYS:g} days of the start {epoch_utc[:10]}: "
                f"{age_days[i]:+.0f} days"
            )
        elif nearest[satrec.satnum_str] != i:
            unusable[i] = "another element set of the same satellite is nearer to the start"
        elif error:
            unusable[i] = f"SGP4 at the start: {SGP4_ERRORS[error]}"
        mean[i] = satrec.nm, satrec.em, satrec.im, satrec.Om, satrec.om, satrec.mm
    ok = np.array([i for i in range(len(satrecs)) if i not in unusable], dtype=np.int64)
    n_rad_s, ecc, inc, raan, argp, anomaly = mean[ok].T
    mean[ok, 0] = np.cbrt(MU_EARTH_KM3_S2 / (n_rad_s / 60) ** 2)
    mean[ok, 2:5] = turned(teme_to_gcrs(epoch_utc, np.zeros(1))[0], inc, raan, argp).T
    mean[ok, 5] = true_anomaly(anomaly, ecc)
    return mean, unusable


@compiled
def true_anomaly(mean_rad: Array, ecc: Array) -> Array:
    """True anomaly in [-pi, pi] from mean anomaly and eccentricity < 1, arrays (N,)."""
    nu_rad = np.empty_like(mean_rad)
    for i in range(len(mean_rad)):
        within_rad = (mean_rad[i] + np.pi) % (2 * np.pi) - np.pi
        nu_rad[i] = E_to_nu(M_to_E_scalar(within_rad, ecc[i]), ecc[i])
    return nu_rad


@compiled
def mean_anomaly(nu_rad: Array, ecc: Array) -> Array:
    """Mean anomaly in [-pi, pi] from true anomaly and eccentricity < 1, arrays (N,)."""
    mean_rad = np.empty_like(nu_rad)
    for i in range(len(nu_rad)):
        mean_rad[i] = E_to_M(nu_to_E(nu_rad[i], ecc[i]), ecc[i])
    return mean_rad


def turned(rotation: Array, inc: Array, raan: Array, argp: Array) -> Array:
    """Inclination, node and argument of perigee (3, N) of orbits seen from turned axes."""
    zero = np.zeros_like(inc)
    node = rotation @ np.stack([np.cos(raan), np.sin(raan), zero])
    normal = rotation @ np.stack(
        [np.sin(raan) * np.sin(inc), -np.cos(raan) * np.sin(inc), np.cos(inc)]
    )
    new_inc = np.arctan2(np.hypot(normal[0], normal[1]), normal[2])
    new_raan = np.arctan2(normal[0], -normal[1])
    new_node = np.stack([np.cos(new_raan), np.sin(new_raan), zero])
    # Where the old node now stands, counted along the orbit from the new one.
    ahead = np.cross(normal, new_node, axis=0)
    shift = np.arctan2(np.sum(node * ahead, axis=0), np.sum(node * new_node, axis=0))
    return np.stack([new_inc, new_raan % (2 * np.pi), (argp + shift) % (2 * np.pi)])


def _read_lines(path: str, lines: list[str]) -> NamedSets:
    sets: NamedSets = []
    name, first = "", ""
    for number, full in enumerate(lines, start=1):
        line, where = full.rstrip(), f"{path}, line {number}"
        if not line or line.startswith("#"):
            continue
        kind = line[0] if line[:2] in ("1 ", "2 ") else "name"
        if (kind == "2") != bool(first):
            expected = "line 2" if first else "a name or line 1"
            raise InputError(f"{where}: {expected} of an element set expected, not {line!r}")
        if kind == "name":
            if name:
                raise InputError(f"{where}: line 1 of {name!r} expected, not {line!r}")
            name = line.removeprefix("0 ").strip()
            continue
        _check_line(where, line)
        if kind == "1":
            first = line
            continue
        if first[2:7] != line[2:7]:
            raise InputError(f"{where}: catalogue number {line[2:7]!r} is not line 1's")
        satrec = _in_range(where, Satrec.twoline2rv(first, line))
        sets.append((name or line[2:7].strip(), satrec))
        name, first = "", ""
    if name or first:
        raise InputError(f"{path}: ends within the element set of {name or first[2:7]!r}")
    return sets


def _check_line(where: str, line: str) -> None:
    if len(line) != 69:
        raise InputError(f"{where}: must be 69 characters long, not {len(line)}")
    for name, start, end, pattern in FIELDS[line[0]]:
        if not re.fullmatch(pattern, line[start:end]):
            raise InputError(
                f"{where}: {name} (columns {start + 1}-{end}) is not a number: {line[start:end]!r}"
            )
    total = sum(int(c) if c in "0123456789" else c == "-" for c in line[:68]) % 10
    if line[68] != str(total):
        raise InputError(f"{where}: checksum must be {total}, not {line[68]!r}")


def _csv_messages(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    rows = omm.parse_csv(io.StringIO(text.lstrip()))
    for fields in rows:
        yield f"line {rows.line_num}", fields


def _json_messages(path: str, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: not valid JSON: {error.msg}") from None
    except (ValueError, RecursionError):  # of too many digits, or too deep
        raise InputError(f"{path}: not valid JSON: too many digits or levels") from None
    for number, fields in enumerate(data if isinstance(data, list) else [data], start=1):
        if not isinstance(fields, dict):
            raise InputError(f"{path}, record {number}: must be an object of OMM fields")
        yield f"record {number}", fields


def _xml_messages(path: str, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        messages = list(omm.parse_xml(io.StringIO(text)))
    except ElementTree.ParseError as error:
        raise InputError(f"{path}, line {error.position[0]}: not valid XML: {error}") from None
    except (AttributeError, TypeError):
        raise InputError(
            f"{path}: each segment must have metadata, meanElements and tleParameters"
        ) from None
    for number, fields in enumerate(messages, start=1):
        yield f"record {number}", fields


def _read_messages(path: str, messages: Iterator[tuple[str, Mapping[str, Any]]]) -> NamedSets:
    sets: NamedSets = []
    try:
        for where, message in messages:
            sets.append(_from_message(f"{path}, {where}", message))
    except csv.Error as error:
        raise InputError(f"{path}: not valid CSV: {error}") from None
    return sets


def _from_message(where: str, message: Mapping[str, Any]) -> tuple[str, Satrec]:
    fields = {**message, "OBJECT_ID": str(message.get("OBJECT_ID") or "")}
    satrec = Satrec()
    try:
        for name in NUMBERS:
            if not isfinite(float(fields[name])):
                raise ValueError(f"{name} is {fields[name]}")
        # sgp4 wants a fraction of a second and no zone.
        epoch = datetime.fromisoformat(fields["EPOCH"]).replace(tzinfo=None)
        fields["EPOCH"] = epoch.isoformat(timespec="microseconds")
        omm.initialize(satrec, fields)
    except KeyError as error:
        raise InputError(f"{where}: field {error.args[0]} is missing") from None
    except (ValueError, TypeError) as error:
        raise InputError(f"{where}: not a valid element set: {error}") from None
    return str(fields.get("OBJECT_NAME") or fields["NORAD_CAT_ID"]), _in_range(where, satrec)


def _in_range(where: str, satrec: Satrec) -> Satrec:
    if not 0 <= satrec.inclo <= np.pi:
        raise InputError(f"{where}: inclination must be 0 to 180 deg")
    if not 0 <= satrec.ecco < 1:
        raise InputError(f"{where}: eccentricity must be at least 0 and below 1")
    if not satrec.no_kozai > 0:
        raise InputError(f"{where}: mean motion must be above 0")
    return satrec
