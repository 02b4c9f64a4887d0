"""How orbit data messages of CCSDS are written: KVN, XML, JSON, CSV. What they mean is elsewhere.

References
----------
CCSDS 502.0-B-3, "Orbit Data Messages" (KVN); CCSDS 505.0-B-3, "XML Specification for Navigation
Data Messages"; JSON and CSV as CelesTrak and Space-Track give them, with the keywords of KVN.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from twin.errors import InputError

_KINDS = ("OMM", "OEM")
_STATE = ("EPOCH", "X", "Y", "Z", "X_DOT", "Y_DOT", "Z_DOT")
_KEYWORD = re.compile(r"([A-Z][A-Z0-9_]*)\s*=\s*(.*)", re.ASCII)
_UNIT = re.compile(r"(.*?)\s*\[([^\[\]]*)\]")
_VERSION = re.compile(r"CCSDS_([A-Z]+)_VERS\s*=", re.ASCII)


@dataclass(kw_only=True)
class Segment:
    """One object of one message.

    Attributes
    ----------
    kind : str
        ``OMM`` or ``OEM``.
    where : str
        Where in the file it begins, for errors.
    fields : dict of str to object
        By keyword; a number only where JSON has one, else text.
    units : dict of str to str
        Of the fields that say theirs.
    states : list of (str, sequence of str)
        Of an OEM: where a line is, and its epoch, position and velocity.
    problem : str
        Why it cannot be read, if so.
    """

    kind: str
    where: str
    fields: dict[str, Any] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    states: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    problem: str = ""

    def put(self, keyword: str, value: Any, unit: str | None = None) -> None:
        """Add a field, which must not be there yet."""
        if keyword in self.fields:
            self.problem = self.problem or f"{keyword} is given twice"
        self.fields[keyword] = value
        if unit is not None:
            self.units[keyword] = unit.strip()


def is_csv(first_line: str) -> bool:
    """Whether a file's first line is the header of a CSV of OMM."""
    return {"EPOCH", "MEAN_MOTION"} <= set(re.split(r'[,;\t" ]+', first_line.strip()))


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def is_kvn(first_line: str) -> bool:
    """Whether a file's first line belongs to a message in KVN."""
    return bool(_KEYWORD.match(first_line)) or first_line.startswith("COMMENT ")


def csv_segments(path: str, text: str) -> Iterator[Segment]:
    """Each row of a CSV as an OMM."""
    text = text.lstrip()
    delimiter = _delimiter(text.partition("\n")[0])
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(rows)]
        if len(set(header)) < len(header):
            raise InputError(f"{path}, line 1: a column is there twice")
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            segment = Segment(kind="OMM", where=f"line {rows.line_num}")
            segment.fields = dict(zip(header, row, strict=False))
            if len(row) > len(header):
                segment.problem = f"has {len(row)} cells, the header {len(header)}"
            yield segment
    except csv.Error as error:
        raise InputError(f"{path}: not valid CSV: {error}") from None


def json_segments(path: str, text: str) -> Iterator[Segment]:
    """Each object of a JSON list, or the only one, as an OMM."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: not valid JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON: {error}") from None
    for number, fields in enumerate(data if isinstance(data, list) else [data], start=1):
        segment = Segment(kind="OMM", where=f"record {number}")
        if isinstance(fields, dict):
            segment.fields = fields
        else:
            segment.problem = "must be an object of OMM fields"
        yield segment


def xml_segments(path: str, text: str) -> Iterator[Segment]:
    """Segments of all OMM and OEM in an XML file, whatever their namespace."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InputError(f"{path}: must have no document type declaration")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"{path}, line {error.position[0]}: not valid XML: {error}") from None
    messages = [e for e in root.iter() if _tag(e).upper() in _KINDS]
    if not messages:
        raise InputError(f"{path}: must hold messages of kind omm or oem, not {_tag(root)}")
    number = 0
    for message in messages:
        segments = [e for e in message.iter() if _tag(e) == "segment"]
        if not segments:
            raise InputError(f"{path}: a message of kind {_tag(message)} has no segment")
        for element in segments:
            number += 1
            yield _xml_segment(_tag(message).upper(), message.get("version"), element, number)


def _xml_segment(
    kind: str, version: str | None, element: ElementTree.Element, number: int
) -> Segment:
    segment = Segment(kind=kind, where=f"record {number}")
    if version is not None:
        segment.put(f"CCSDS_{kind}_VERS", version)
    parts = {_tag(part): part for part in element}
    if not {"metadata", "data"} <= parts.keys():
        segment.problem = "must have metadata and data"
        return segment
    groups = [parts["metadata"]]
    for group in parts["data"]:
        if _tag(group) == "stateVector":
            values = {_tag(e): _content(e) for e in group}
            line = f"record {number}, state {len(segment.states) + 1}"
            segment.states.append((line, [values.get(name, "") for name in _STATE]))
        elif _tag(group) in ("meanElements", "tleParameters"):
            groups.append(group)
    for leaf in (leaf for group in groups for leaf in group if _tag(leaf) != "COMMENT"):
        segment.put(_tag(leaf), _content(leaf), leaf.get("units"))
    return segment


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _content(element: ElementTree.Element) -> str:
    return "".join(element.itertext()).strip()


def kvn_segments(path: str, text: str, units: Mapping[str, str]) -> Iterator[Segment]:
    """Segments of all messages in a KVN file; only keywords of `units` may have a unit."""
    lines = enumerate((line.strip() for line in text.split("\n")), start=1)
    said = [(n, line) for n, line in lines if line and not re.match(r"COMMENT\b", line)]
    starts = [i for i, (_, line) in enumerate(said) if _VERSION.match(line)]
    if not starts or starts[0]:
        starts.insert(0, 0)
    for first, last in zip(starts, [*starts[1:], len(said)], strict=True):
        version = _VERSION.match(said[first][1])
        kind = version.group(1) if version else "OMM"
        if kind not in _KINDS:
            raise InputError(
                f"{path}, line {said[first][0]}: must be an OMM or an OEM, not an {kind}"
            )
        read = _kvn_omm if kind == "OMM" else _kvn_oem
        yield from read(said[first:last], units)


type _Lines = list[tuple[int, str]]


def _kvn_omm(lines: _Lines, units: Mapping[str, str]) -> Iterator[Segment]:
    """One message; what repeats its keywords from OBJECT_NAME on is a further segment."""
    header: dict[str, Any] = {}
    segment = Segment(kind="OMM", where=f"line {lines[0][0]}")
    for number, line in lines:
        keyword = line.partition("=")[0].strip()
        if keyword == "OBJECT_NAME" and "EPOCH" in segment.fields:
            yield segment
            segment = Segment(kind="OMM", where=f"line {number}", fields=dict(header))
        _put_line(segment, number, line, units)
        if "OBJECT_NAME" not in segment.fields:
            header = dict(segment.fields)
    yield segment


def _kvn_oem(lines: _Lines, units: Mapping[str, str]) -> Iterator[Segment]:
    """One message: blocks of metadata, each with the states that follow it."""
    version = Segment(kind="OEM", where="")
    segment: Segment | None = None
    part = "header"
    for number, line in lines:
        if line in ("META_START", "META_STOP", "COVARIANCE_START", "COVARIANCE_STOP"):
            part = {"META_START": "meta", "COVARIANCE_START": "covariance"}.get(line, "states")
            if line == "META_START":
                if segment is not None:
                    yield segment
                head = {k: v for k, v in version.fields.items() if k == "CCSDS_OEM_VERS"}
                segment = Segment(kind="OEM", where=f"line {number}", fields=head)
        elif part == "states" and segment is not None:
            segment.states.append((f"line {number}", line.split()))
        elif part != "covariance":
            _put_line(version if segment is None else segment, number, line, units)
    yield segment or Segment(kind="OEM", where=f"line {lines[0][0]}", problem="has no META_START")


def _put_line(segment: Segment, number: int, line: str, units: Mapping[str, str]) -> None:
    found = _KEYWORD.fullmatch(line)
    if found is None:
        segment.problem = segment.problem or f"line {number}: must be KEYWORD = value, not {line!r}"
        return
    keyword, value = found.groups()
    with_unit = _UNIT.fullmatch(value) if keyword in units else None
    if with_unit:
        segment.put(keyword, *with_unit.groups())
    else:
        segment.put(keyword, value)
