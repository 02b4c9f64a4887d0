"""Where telemetry comes from: lines of a file or a pipe, a log, or a growing folder of sets."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from sgp4.exporter import export_tle

from twin.errors import InputError, why
from twin.live import journal, maps, mqtt
from twin.live.fields import LONGEST_BYTES
from twin.space import elements, fitted, oem
from twin.space.omm import ElementSet

STANDARD_INPUT: Final = "-"
POLL_S: Final = 0.2
"""How often a file or folder that grows is looked at."""
_ENDINGS = (".tle", ".txt", ".json", ".csv", ".xml", ".kvn", ".omm", ".oem")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A source as it is asked for.

    Attributes
    ----------
    source : str
        As `lines` takes it, or the address of a broker, see `twin.live.mqtt`.
    follow : bool
    mapping : Path or None
    idle_s : float or None
        End after so long without a message by MQTT.
    client_id : str
        Names the session that a broker keeps.
    ca_file : Path or None
        Certificates that a broker's is checked against.
    """

    source: str
    follow: bool = False
    mapping: Path | None = None
    idle_s: float | None = None
    client_id: str = "twin-live"
    ca_file: Path | None = None

    @property
    def of_broker(self) -> bool:
        """Whether messages come by MQTT."""
        return mqtt.is_address(self.source)

    def checked(self) -> "Wanted":
        """Return this; InputError if its address is wrong."""
        if self.of_broker:
            self._broker()
        return self

    def __call__(self, skip: int) -> Iterable[bytes]:
        """Return the lines that come after so many that are known."""
        if self.of_broker:
            return mqtt.Subscription(self._broker(), idle_s=self.idle_s)
        return lines(self.source, follow=self.follow, skip=skip, mapping=self.mapping)

    def _broker(self) -> mqtt.Broker:
        return mqtt.broker(self.source, client_id=self.client_id, ca_file=self.ca_file)


def lines(
    source: str,
    *,
    follow: bool = False,
    skip: int = 0,
    mapping: Path | None = None,
) -> Iterator[bytes]:
    """Yield the lines of a source.

    Parameters
    ----------
    source : str
        ``-``, a file of messages, the log of a live run, or a folder of
        element sets and positions.
    follow : bool
        Whether a file or folder grows, and does not end.
    skip : int
        Lines that are known already.
    mapping : Path, optional
        How the rows of an archive, CSV or Parquet, become messages; see `twin.live.maps`.

    Raises
    ------
    InputError
        If there is none.
    """
    if source == STANDARD_INPUT and mapping is None:
        yield from _of_pipe()
        return
    path = Path(source)
    if mapping is not None:
        found = maps.lines(path, maps.read(mapping))
    elif path.is_dir():
        found = _of_folder(path, follow=follow)
    elif path.is_file():
        found = _of_file(path, follow=follow)
    else:
        raise InputError(f"--from {source}: no such file or folder; '-' is standard input")
    for number, line in enumerate(found):
        if number >= skip:
            yield line


def _of_pipe() -> Iterator[bytes]:
    # A line that never ends must not fill the memory: what is too long is cut, and refused later.
    while line := sys.stdin.buffer.readline(2 * LONGEST_BYTES):
        if line.strip():
            yield line


def _of_file(path: Path, *, follow: bool) -> Iterator[bytes]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"--from {path}: cannot be read: {why(error)}") from None
    with file:
        if journal.is_log(file.readline(LONGEST_BYTES)):
            yield from _of_log(file, follow=follow)
            return
        file.seek(0)
        part = b""
        while True:
            part += file.readline(2 * LONGEST_BYTES)
            if part.endswith(b"\n") or len(part) > LONGEST_BYTES or (part and not follow):
                line, part = part, b""
                if line.strip():
                    yield line
            elif follow:
                time.sleep(POLL_S)
            else:
                return


def _of_log(file: BinaryIO, *, follow: bool) -> Iterator[bytes]:
    """Every line as it came, an empty one too, so that all is counted as then."""
    file.seek(0)
    part = b""
    while True:
        part += file.readline()
        if part.endswith(b"\n"):
            line, part = part, b""
            yield line.partition(b"\t")[2]
        elif follow:
            time.sleep(POLL_S)
        else:
            return


def _of_folder(folder: Path, *, follow: bool) -> Iterator[bytes]:
    """Messages made of the element sets and tracks of files, in the order of their names."""
    seen: set[str] = set()
    while True:
        files = sorted(f for f in folder.iterdir() if f.suffix.lower() in _ENDINGS)
        for file in files:
            if file.name not in seen:
                seen.add(file.name)
                yield from _of_sets(file)
        if not follow:
            return
        time.sleep(POLL_S)


def _of_sets(file: Path) -> Iterator[bytes]:
    """A message for each object, by its name; what cannot be read is a wrong message each."""
    try:
        found = elements.read(str(file), leave_out_bad=True)
    except InputError as error:
        yield json.dumps({"file": file.name, "wrong": str(error)}).encode()
        return
    for where, wrong in found.left_out:
        yield json.dumps({"file": file.name, "wrong": f"{where}: {wrong}"}).encode()
    for one in found.objects:
        yield json.dumps(_of_set(one) if isinstance(one, ElementSet) else _of_track(one)).encode()


def _of_set(one: ElementSet) -> dict[str, Any]:
    days = one.satrec.jdsatepoch - 2440587.5 + one.satrec.jdsatepochF
    when = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)).isoformat()
    return {"satellite": one.name, "time_utc": when, "tle": export_tle(one.satrec)}


def _of_track(one: oem.Track) -> dict[str, Any]:
    """A message with the element set of a track's first state."""
    when = oem.span(one)[0]
    r_km, v_km_s, _ = oem.states(one, when, np.zeros(1))
    try:
        made = fitted.element_set(r_km[0], v_km_s[0], when)
    except ValueError as error:
        return {"track": one.name, "wrong": str(error)}
    return {"satellite": one.name, "time_utc": when, "tle": export_tle(made)}
