"""Two-line element sets, with name lines or without.

References
----------
F. R. Hoots and R. L. Roehrich, "Spacetrack Report No. 3", 1980; catalogue numbers beyond 99,999
as 18 SDS writes them ("Alpha-5").
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sgp4.api import Satrec

from twin.space.omm import ElementSet, check_ephemeris_type, check_range

_LONGEST_NAME = 60
"""A line that begins like an element line and is shorter may be a name."""

_DECIMAL = r" *[+-]?\d*\.\d+"
_POWER = r" *[+-]?\d+[+-]\d"
_CATALOGUE = ("catalogue number", 2, 7, r" {0,4}\d{1,5}|[A-HJ-NP-Z]\d{4}")
FIELDS: Mapping[str, tuple[tuple[str, int, int, str], ...]] = {
    "1": (
        _CATALOGUE,
        ("epoch year", 18, 20, r"\d\d"),
        ("epoch day", 20, 32, r" *\d+\.\d+"),
        ("first derivative of the mean motion", 33, 43, _DECIMAL),
        ("second derivative of the mean motion", 44, 52, _POWER),
        ("drag term", 53, 61, _POWER),
        ("ephemeris type", 62, 63, r"[ \d]"),
    ),
    "2": (
        _CATALOGUE,
        ("inclination", 8, 16, _DECIMAL),
        ("right ascension of the node", 17, 25, _DECIMAL),
        ("eccentricity", 26, 33, r"\d{7}"),
        ("argument of perigee", 34, 42, _DECIMAL),
        ("mean anomaly", 43, 51, _DECIMAL),
        ("mean motion", 52, 63, r" *\d+\.\d+"),
    ),
}
"""Name, first and last column (from 0, end excluded) and pattern of the fields that are read."""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """What stands for one object: a name, if it has one, and its two lines, as (number, text).

    `problem` says what is wrong with where they stand, if anything, and at which line.
    """

    name: str = ""
    first: tuple[int, str] = (0, "")
    second: tuple[int, str] = (0, "")
    problem: tuple[int, str] = (0, "")


def is_tle(lines: list[str]) -> bool:
    """Whether non-empty lines begin with an element set, whatever the first of them looks like."""
    starts = [line[:2] for line in lines[:3]]
    return starts[:2] == ["1 ", "2 "] or starts[1:] == ["1 ", "2 "]


def grouped(lines: list[str]) -> Iterator[Lines]:
    """Names and pairs of lines; empty lines and those that begin with # are left out."""
    said = [
        (n, line.rstrip())
        for n, line in enumerate(lines, start=1)
        if line.strip() and not line.startswith("#")
    ]
    name, i = "", 0
    while i < len(said):
        at, line = said[i]
        begins = [other[:2] for _, other in said[i : i + 3]]
        i += 1
        if _is_name(line, begins):
            if name:
                yield Lines(problem=(at, f"line 1 of {name!r} expected, not {line!r}"))
            name = "" if line == "0" else line.removeprefix("0 ").strip()
            name = name or " "
        elif begins[0] == "2 ":
            yield Lines(problem=(at, f"a name or line 1 of an element set expected, not {line!r}"))
        elif begins[1:2] == ["2 "]:
            yield Lines(name=name.strip(), first=(at, line), second=said[i])
            name, i = "", i + 1
        elif i == len(said):
            name = name or line[2:7]
        else:
            wrong = f"line 2 of an element set expected, not {said[i][1]!r}"
            yield Lines(problem=(said[i][0], wrong))
            name = ""
    if name:
        yield Lines(problem=(said[-1][0], f"ends within the element set of {name.strip()!r}"))


def _is_name(line: str, begins: list[str]) -> bool:
    """Whether a line is a name: any but an element line, and what only begins like one."""
    if begins[0] not in ("1 ", "2 "):
        return True
    return len(line) < _LONGEST_NAME and begins[1:] == ["1 ", "2 "]


def element_set(lines: Lines) -> ElementSet:
    """Element set of a pair of lines.

    Raises
    ------
    ValueError
        With the number of the line, and what is wrong with it.
    """
    if lines.problem[0]:
        raise ValueError(f"line {lines.problem[0]}: {lines.problem[1]}")
    for at, line in (lines.first, lines.second):
        try:
            _check(line)
        except ValueError as error:
            raise ValueError(f"line {at}: {error}") from None
    (_, first), (at, second) = lines.first, lines.second
    number = second[2:7]
    if first[2:7] != number:
        raise ValueError(f"line {at}: catalogue number {number!r} is not line 1's")
    satrec = Satrec.twoline2rv(first, second)
    try:
        check_range(satrec)
    except ValueError as error:
        raise ValueError(f"line {at}: {error}") from None
    number = number.strip()
    identity: tuple[str, ...] = (number.rjust(5, "0"),)
    if not number.strip("0"):  # what objects without a number have
        number, identity = "", ("", lines.name) if lines.name else ()
    return ElementSet(name=lines.name, number=number, identity=identity, satrec=satrec)


def _check(line: str) -> None:
    if len(line) != 69:
        raise ValueError(f"must be 69 characters long, not {len(line)}")
    if not (line.isascii() and line.isprintable()):
        raise ValueError("must be ASCII text")
    for name, start, end, pattern in FIELDS[line[0]]:
        if not re.fullmatch(pattern, line[start:end], re.ASCII):
            raise ValueError(
                f"{name} (columns {start + 1}-{end}) is not a number: {line[start:end]!r}"
            )
    total = sum(int(c) if c.isdigit() else c == "-" for c in line[:68]) % 10
    if line[68] != str(total):
        raise ValueError(f"checksum must be {total}, not {line[68]!r}")
    if line[0] == "1":
        day = float(line[20:32])
        if not 1 <= day < 367:
            raise ValueError(f"epoch day must be from 1 to 366, not {day:g}")
        check_ephemeris_type(float(line[62:63].strip() or 0))
