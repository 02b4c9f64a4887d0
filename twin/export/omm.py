"""A run's satellites as orbit mean-elements messages, for programs that take element sets."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from twin.errors import InputError
from twin.runs.store import Run
from twin.scenario.attachments import shown
from twin.scenario.world import ElementSets
from twin.space import constellation
from twin.space.messages import messages

type Messages = list[dict[str, Any]]

_PARTS = {
    "metadata": ("OBJECT_NAME", "MEAN_ELEMENT_THEORY"),
    "meanElements": ("EPOCH", "MEAN_ANOMALY"),
    "tleParameters": ("EPHEMERIS_TYPE", "MEAN_MOTION_DDOT"),
}
"""First and last field of each part of an XML message."""


def omm(run: Run, ending: str) -> str:
    """Return a run's satellites at its start as OMM in CSV, JSON or XML.

    As in `twin.space.messages.mean_elements`, the elements are those of Kepler's motion with J2,
    written as if they were SGP4's. Read back as ``constellation.tle``
    they give the same positions at the epoch, with ``kepler-j2``.

    Parameters
    ----------
    run : Run
    ending : str
        One of `FORMATS`.

    Raises
    ------
    InputError
        If the satellites came from a file of element sets: those are better.
    """
    table = run.scenario.constellation
    if isinstance(table, ElementSets):
        raise InputError(
            f"--omm: this run's satellites came from {shown(table.tle)}: hand that file on"
        )
    body = constellation.build(run.scenario)
    return FORMATS[ending](messages(body), str(run.manifest["written_utc"]))


def _csv(sets: Messages, written_utc: str) -> str:  # noqa: ARG001 (CSV has no header)
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(sets[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _text(value) for name, value in fields.items()} for fields in sets)
    return out.getvalue()


def _json(sets: Messages, written_utc: str) -> str:
    head = {
        "CCSDS_OMM_VERS": "3.0",
        "CREATION_DATE": written_utc.removesuffix("Z"),
        "ORIGINATOR": "orbital-twin",
    }
    return json.dumps([head | fields for fields in sets], indent=1) + "\n"


def _xml(sets: Messages, written_utc: str) -> str:
    root = ElementTree.Element("ndm")
    for fields in sets:
        message = ElementTree.SubElement(root, "omm", id="CCSDS_OMM_VERS", version="3.0")
        header = ElementTree.SubElement(message, "header")
        ElementTree.SubElement(header, "CREATION_DATE").text = written_utc.removesuffix("Z")
        ElementTree.SubElement(header, "ORIGINATOR").text = "orbital-twin"
        body = ElementTree.SubElement(message, "body")
        segment = ElementTree.SubElement(body, "segment")
        metadata = ElementTree.SubElement(segment, "metadata")
        data = ElementTree.SubElement(segment, "data")
        names = list(fields)
        for part, (first, last) in _PARTS.items():
            parent = metadata if part == "metadata" else ElementTree.SubElement(data, part)
            for name in names[names.index(first) : names.index(last) + 1]:
                ElementTree.SubElement(parent, name).text = _text(fields[name])
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _text(value: Any) -> str:
    """A value as any reader takes it: numbers with all digits and without an exponent."""
    return np.format_float_positional(value, trim="0") if isinstance(value, float) else str(value)


FORMATS: Mapping[str, Callable[[Messages, str], str]] = {".csv": _csv, ".json": _json, ".xml": _xml}


def ending_of(path: Path) -> str:
    """Return the ending of a file's name, which says the format.

    Raises
    ------
    InputError
        If it is none of `FORMATS`.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"--omm {path}: must end in {', '.join(FORMATS)}")
    return path.suffix.lower()
