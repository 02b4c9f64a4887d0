"""One reader of what says where satellites are: element sets (TLE, OMM), or positions (OEM)."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sgp4.api import Satrec

from twin.constants import MU_EARTH_KM3_S2
from twin.errors import InputError
from twin.scenario.attachments import is_kept, read_text, shown
from twin.space import ccsds, dates, decay, oem, omm, osculating, tle
from twin.space.angles import true_anomaly, turned
from twin.space.frames import teme_to_gcrs, utc_jd
from twin.space.oem import Track
from twin.space.omm import ElementSet
from twin.text import printable

type Array = NDArray[np.float64]

LONGEST_DAYS = 30.0
"""Element sets are used at most this long before or after their epoch."""

_PLACE = re.compile(r"((?:line|record) \d[^:]*): (.*)", re.DOTALL)

BAD = "bad record"
"""Class of the reasons why records were left out by the scenario's rule."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """What a file says of M objects, in its order: element sets, or tracks.

    Attributes
    ----------
    path : str
        As a reader knows it.
    objects : tuple of ElementSet, or all of Track; length M
        Their names can be printed, and none is empty.
    left_out : tuple of (str, str)
        Where bad records are, and what is wrong with each.
    notes : tuple of str
        What a reader of a run should know.
    """

    path: str
    objects: tuple[ElementSet | Track, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names, length M."""
        return tuple(one.name for one in self.objects)

    @property
    def satrecs(self) -> tuple[Satrec, ...] | None:
        """Element sets as SGP4 takes them, length M; None if the file holds tracks."""
        sets = [one.satrec for one in self.objects if isinstance(one, ElementSet)]
        return tuple(sets) or None

    @property
    def tracks(self) -> tuple[Track, ...] | None:
        """Tracks, length M; None if the file holds element sets."""
        return tuple(one for one in self.objects if isinstance(one, Track)) or None

    def newest_epoch(self) -> str:
        """Newest epoch of the element sets, or newest start of the tracks, as ISO 8601 UTC."""
        if self.tracks is not None:
            return max(oem.span(track)[0] for track in self.tracks)
        jd = [(s.jdsatepoch, s.jdsatepochF) for s in self.satrecs or ()]
        return dates.text(*max(jd, key=sum))

    def middle_epoch(self) -> str:
        """Epoch in the middle of those of the objects, or of the starts of tracks, as ISO 8601."""
        if self.tracks is not None:
            starts = sorted(oem.span(track)[0] for track in self.tracks)
            return starts[len(starts) // 2]
        epochs = sorted((s.jdsatepoch, s.jdsatepochF) for s in self.satrecs or ())
        return dates.text(*epochs[len(epochs) // 2])

    def some(self, index: Sequence[int]) -> "Source":
        """Some of the objects."""
        return replace(self, objects=tuple(self.objects[i] for i in index))

    def mean_at(self, epoch_utc: str) -> tuple[Array, dict[int, str]]:
        """Mean elements (M, 6) at a common epoch, and which objects are unusable; see `mean_at`."""
        if self.tracks is not None:
            return _mean_of_tracks(self.tracks, epoch_utc)
        sets = [one for one in self.objects if isinstance(one, ElementSet)]
        return mean_at(sets, epoch_utc)

    def unique_names(self, index: Sequence[int]) -> tuple[str, ...]:
        """Names of some objects; shared names get the catalogue number too."""
        count = Counter(self.objects[i].name for i in index)
        taken: set[str] = set()
        names = []
        for i in index:
            one = self.objects[i]
            name = one.name if count[one.name] == 1 else f"{one.name} {one.number}".strip()
            names.append(name if name not in taken else f"{name} (object {i + 1})")
            taken.add(names[-1])
        return tuple(names)


def read(path: str, *, leave_out_bad: bool = False) -> Source:
    """Read a file of element sets or tracks; its format is recognised by its content.

    Parameters
    ----------
    path : str
        TLE with or without name lines (a leading ``0 `` of a name is dropped); OMM as CSV, JSON,
        XML or KVN (see `twin.space.omm` for what is taken); OEM as XML or KVN; in UTF-8.
    leave_out_bad : bool
        Whether to do without records that are wrong, or else refuse the file.

    Raises
    ------
    InputError
        With file, line or record, and what is wrong.
    """
    told = shown(path) if is_kept(path) else path
    text = read_text(path, told=told, encoding="utf-8-sig")
    text, path = text.replace("\r\n", "\n").replace("\r", "\n"), told
    bad: list[tuple[str, str]] = []
    found = _objects(path, text, bad)
    if bad and not leave_out_bad:
        where, wrong = bad[0]
        raise InputError(f"{path}, {where}: {wrong}")
    if not found:
        wrong = f"; {bad[0][0]}: {bad[0][1]}" if bad else ""
        raise InputError(f"{path}: no element sets in it{wrong}")
    named, notes = _named(found)
    left_out = tuple((where, f"{BAD}: {wrong}") for where, wrong in bad)
    return Source(path=path, objects=named, left_out=left_out, notes=notes)


def _objects(path: str, text: str, bad: list[tuple[str, str]]) -> list[ElementSet | Track]:
    """What a text holds, by its format; records that are wrong go to `bad`."""
    lines = text.split("\n")
    said = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    first = said[0] if said else ""
    if tle.is_tle(said):
        pass  # whatever the name on the first line looks like
    elif first.startswith("<"):
        return _of_segments(path, ccsds.xml_segments(path, text), bad)
    elif first.startswith(("[", "{")):
        return _of_segments(path, ccsds.json_segments(path, text), bad)
    elif ccsds.is_csv(first):
        return _of_segments(path, ccsds.csv_segments(path, text), bad)
    elif ccsds.is_kvn(first):
        return _of_segments(path, ccsds.kvn_segments(path, text, omm.UNITS), bad)
    return list(_good(tle.grouped(lines), tle.element_set, _where_in_lines, bad))


def _good[T, U](
    records: Iterator[T],
    convert: Callable[[T], U],
    where: Callable[[T], str],
    bad: list[tuple[str, str]],
) -> Iterator[U]:
    """Records that can be converted; the others go to `bad`."""
    for record in records:
        try:
            yield convert(record)
        except ValueError as error:
            wrong = printable(str(error))
            # Some errors know better than the record where they are.
            place = _PLACE.match(wrong)
            bad.append(place.groups() if place else (where(record), wrong))  # type: ignore[arg-type]


def _where_in_lines(lines: tle.Lines) -> str:
    return f"line {lines.problem[0] or lines.first[0]}"


def _of_segments(
    path: str, segments: Iterator[ccsds.Segment], bad: list[tuple[str, str]]
) -> list[ElementSet | Track]:
    known = list(segments)
    kinds = {segment.kind for segment in known}
    if len(kinds) > 1:
        raise InputError(f"{path}: must hold OMM or OEM, not both")
    if "OEM" not in kinds:
        return list(_good(iter(known), omm.element_set, lambda s: s.where, bad))
    arcs = _good(iter(known), lambda s: (s, oem.arc(s)), lambda s: s.where, bad)
    return list(oem.tracks(arcs))


def _named(
    objects: Sequence[ElementSet | Track],
) -> tuple[tuple[ElementSet | Track, ...], tuple[str, ...]]:
    """Objects with names that can be printed, and what was done about them."""
    cleaned = 0
    named = []
    for i, one in enumerate(objects, start=1):
        name = printable(one.name).strip()
        cleaned += name != one.name
        spare = one.number or " ".join(one.identity).strip() or f"object {i}"
        named.append(replace(one, name=name or printable(spare), number=printable(one.number)))
    notes = (f"control characters in {cleaned} names are written out",) if cleaned else ()
    return tuple(named), notes


def mean_at(sets: Sequence[ElementSet], epoch_utc: str) -> tuple[Array, dict[int, str]]:
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
        accurate; superseded by a set of the same satellite; or given up by SGP4 on the way, which
        means a decay.
    """
    jd = utc_jd(epoch_utc)
    unusable = _old_or_superseded(sets, jd, epoch_utc)
    rest = [i for i in range(len(sets)) if i not in unusable]
    given_up = decay.given_up([sets[i].satrec for i in rest], jd)
    unusable |= {rest[k]: reason for k, reason in given_up.items()}
    mean = np.zeros((len(sets), 6))
    for i, one in enumerate(sets):
        satrec = one.satrec
        satrec.sgp4(*jd)
        mean[i] = satrec.nm, satrec.em, satrec.im, satrec.Om, satrec.om, satrec.mm
        if i not in unusable and not (np.isfinite(mean[i]).all() and satrec.nm > 0):
            unusable[i] = "SGP4 at the start: no finite orbit"
    ok = np.array([i for i in range(len(sets)) if i not in unusable], dtype=np.int64)
    n_rad_s, ecc, inc, raan, argp, anomaly = mean[ok].T
    mean[ok, 0] = np.cbrt(MU_EARTH_KM3_S2 / (n_rad_s / 60) ** 2)
    mean[ok, 2:5] = turned(teme_to_gcrs(epoch_utc, np.zeros(1))[0], inc, raan, argp).T
    mean[ok, 5] = true_anomaly(anomaly, ecc)
    return mean, unusable


def _old_or_superseded(
    sets: Sequence[ElementSet], jd: tuple[float, float], epoch_utc: str
) -> dict[int, str]:
    age_days = [s.satrec.jdsatepoch - jd[0] + (s.satrec.jdsatepochF - jd[1]) for s in sets]
    nearest: dict[tuple[str, ...], int] = {}
    for i in sorted(range(len(sets)), key=lambda i: abs(age_days[i])):
        nearest.setdefault(sets[i].identity or (str(i),) * 3, i)
    unusable = {}
    for i, one in enumerate(sets):
        if abs(age_days[i]) > LONGEST_DAYS:
            unusable[i] = (
                f"epoch not within {LONGEST_DAYS:g} days of the start {epoch_utc[:10]}: "
                f"{age_days[i]:+.0f} days"
            )
        elif one.identity and nearest[one.identity] != i:
            unusable[i] = "another element set of the same satellite is nearer to the start"
    return unusable


def _mean_of_tracks(tracks: Sequence[Track], epoch_utc: str) -> tuple[Array, dict[int, str]]:
    """The same of tracks; unusable are those that do not hold at the epoch."""
    mean, unusable = np.zeros((len(tracks), 6)), {}
    for i, track in enumerate(tracks):
        r_km, v_km_s, inside = oem.states(track, epoch_utc, np.zeros(1))
        if not inside[0]:
            first, last = oem.span(track)
            unusable[i] = f"no position at the start {epoch_utc}: its span is {first} to {last}"
        else:
            with np.errstate(all="ignore"):  # states of no closed orbit are reported below
                mean[i] = osculating.mean_elements(r_km, v_km_s)[0]
            if not np.isfinite(mean[i]).all() or mean[i, 1] >= 1:
                unusable[i] = "no closed orbit: its position and velocity at the start"
    return mean, unusable
