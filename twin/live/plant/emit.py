"""Write a flight's telemetry line by line, at a pace, and keep its truth aside."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.live.plant.flight import CHUNK_S, MINUTES, Chunk, Flight
from twin.live.plant.telemetry import Telemetry


class Truth:
    """What is true of a flight, for judging; the mirror never sees it."""

    def __init__(self, flight: Flight) -> None:
        self._flight = flight
        self._soc: list[NDArray[np.float32]] = []
        self._low: list[NDArray[np.float32]] = []
        self._dark: list[NDArray[np.bool_]] = []

    def add(self, chunk: Chunk) -> None:
        """Add ten minutes: charge at the end of each, the smallest, and the sunlight."""
        self._soc.append(chunk.found[4].astype(np.float32))
        self._low.append(chunk.found[5].astype(np.float32))
        self._dark.append(chunk.sunlit < 0.5)

    def write(self, file: Path, telemetry: Telemetry) -> None:
        """Write it as a NumPy archive."""
        service = self._flight.service
        tokens: dict[str, Any] = {}
        if service is not None:
            tokens["tokens"] = np.array(service.counts, np.int64)
        with file.open("wb") as out:
            np.savez_compressed(
                out,
                soc=np.concatenate(self._soc),
                soc_low=np.concatenate(self._low),
                dark=np.concatenate(self._dark),
                edges=self._flight.edges,
                wrong_set_s=telemetry.wrong_set_s,
                length_s=self._flight.now_s,
                strings=self._flight.spread.strings,
                elements_every_s=self._flight.spread.elements_every_s,
                **vars(self._flight.hidden),
                **tokens,
            )


def lines(
    flight: Flight,
    telemetry: Telemetry,
    truth: Truth | None = None,
    *,
    progress: Callable[[int, int], None] = lambda done, of: None,  # noqa: ARG005
) -> Iterator[tuple[float, str]]:
    """Yield (arrival, line) of a whole flight."""
    chunks = round(flight.flown_s / CHUNK_S)
    for k in range(chunks):
        chunk = flight.begin()
        for m in range(MINUTES):
            flight.advance(chunk, m)
            yield from telemetry.messages(chunk, m)
        if truth is not None:
            truth.add(chunk)
        progress(k + 1, chunks)
    yield from telemetry.rest()


def paced(
    found: Iterator[tuple[float, str]], speed: float | None, *, skip: int = 0
) -> Iterator[str]:
    """Yield lines when they are due: `speed` seconds of flight in one; at once without it.

    The first `skip` lines are left out, and the pace begins after them.
    """
    began = time.monotonic()
    for number, (arrival_s, line) in enumerate(found):
        if number < skip:
            continue
        if number == skip and skip and speed is not None:
            began = time.monotonic() - arrival_s / speed
        if speed is not None:
            wait_s = arrival_s / speed - (time.monotonic() - began)
            if wait_s > 0:
                time.sleep(wait_s)
        yield line
