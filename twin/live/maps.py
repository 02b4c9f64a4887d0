"""Turn other archives into messages: a TOML file says which column is which field.

```toml
[archive]
satellite = "spacecraft"          # column; or name = "SAT-1" where all rows are one's
time = "timestamp"                # column
time_format = "unix-ms"           # "iso" (default), "unix-s", "unix-ms", or one of strptime

[names]                           # optional: their names of satellites, and ours
"S/C 01" = "P0S0"

[fields]                          # our field: their column, scaled and moved
soc = { column = "batt_pct", scale = 0.01 }
battery_current_a = { column = "i_batt_ma", scale = -0.001 }
temperature_c = { column = "t_k", offset = -273.15 }
```
"""

import csv
import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from twin.errors import InputError, why
from twin.live.fields import NUMBERS

_KNOWN = {one.name: one for one in NUMBERS}
_BATCH = 4_096


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Archive(_Table):
    """Where satellite and time stand."""

    satellite: str = ""
    name: str = ""
    time: str
    time_format: str = "iso"
    sequence: str = ""

    @model_validator(mode="after")
    def _one_of_them(self) -> "Archive":
        if bool(self.satellite) == bool(self.name):
            raise ValueError("give satellite (a column) or name (of the only satellite)")
        return self


class Column(_Table):
    """Where a field comes from: ``scale * value + offset``."""

    column: str
    scale: float = Field(1.0, allow_inf_nan=False)
    offset: float = Field(0.0, allow_inf_nan=False)
    kind: Literal["number"] = "number"


class Map(_Table):
    """How the rows of an archive become messages."""

    archive: Archive
    names: dict[str, str] = {}
    fields: dict[str, Column]

    @model_validator(mode="after")
    def _known(self) -> "Map":
        unknown = sorted(self.fields.keys() - _KNOWN.keys())
        if unknown:
            raise ValueError(f"fields.{unknown[0]}: unknown; known: {', '.join(_KNOWN)}")
        return self


def read(file: Path) -> Map:
    """Read a map.

    Raises
    ------
    InputError
        With file and field, if it is none.
    """
    try:
        return Map.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"--map {file}: cannot be read: {why(error)}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"--map {file}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"--map {file}: {where or 'map'}: {first['msg']}") from None


def lines(file: Path, chosen: Map) -> Iterator[bytes]:
    """Yield a message for each row of a CSV or Parquet file, as JSON; rows keep their order.

    What is wrong with a value is left for the reader of messages to find, and to count.

    Raises
    ------
    InputError
        If the file cannot be read, or has not the columns of the map.
    """
    try:
        if file.suffix.lower() in (".parquet", ".pq"):
            yield from _parquet(file, chosen)
        else:
            yield from _csv(file, chosen)
    except OSError as error:
        raise InputError(f"--from {file}: cannot be read: {why(error)}") from None


def _csv(file: Path, chosen: Map) -> Iterator[bytes]:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        rows = csv.DictReader(text)
        _check(file, rows.fieldnames or (), chosen)
        for row in rows:
            yield _message(row, chosen)


def _parquet(file: Path, chosen: Map) -> Iterator[bytes]:
    try:
        table = pq.ParquetFile(file)
    except ValueError as error:  # Arrow's own are of this kind
        raise InputError(f"--from {file}: no Parquet file: {str(error).splitlines()[0]}") from None
    _check(file, table.schema_arrow.names, chosen)
    for batch in table.iter_batches(_BATCH, columns=sorted(set(_columns(chosen)))):
        for row in batch.to_pylist():
            yield _message(row, chosen)


def _columns(chosen: Map) -> list[str]:
    head = (chosen.archive.satellite, chosen.archive.time, chosen.archive.sequence)
    return [*filter(None, head), *(one.column for one in chosen.fields.values())]


def _check(file: Path, names: Any, chosen: Map) -> None:
    missing = [name for name in _columns(chosen) if name not in names]
    if missing:
        raise InputError(f"--from {file}: no column {missing[0]!r}; it has: {', '.join(names)}")


def _message(row: Mapping[str, Any], chosen: Map) -> bytes:
    archive = chosen.archive
    theirs = archive.name or str(row[archive.satellite])
    said: dict[str, Any] = {
        "satellite": chosen.names.get(theirs, theirs),
        "time_utc": _time(row[archive.time], archive.time_format),
    }
    if archive.sequence:
        number = _number(row[archive.sequence])
        said["sequence"] = int(number) if isinstance(number, float) else number
    for name, one in chosen.fields.items():
        value = _number(row[one.column])
        if isinstance(value, float):
            value = value * one.scale + one.offset
            value = round(value) if _KNOWN[name].whole and math.isfinite(value) else value
        if value is not None:
            said[name] = value
    return json.dumps(said).encode()


def _number(value: Any) -> Any:
    """Return a number as a float, nothing as None, and anything else as it is."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return str(value)


def _time(value: Any, form: str) -> str | None:
    """Return a time as ISO 8601; None where it is none."""
    try:
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
        if form in ("unix-s", "unix-ms"):
            seconds = float(value) / (1000.0 if form == "unix-ms" else 1.0)
            return datetime.fromtimestamp(seconds, UTC).isoformat()
        text = str(value)
        return text if form == "iso" else datetime.strptime(text, form).isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return None
