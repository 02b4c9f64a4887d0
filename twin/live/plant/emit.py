"""Write a flight's telemetry line by line, at a pace, and keep its truth aside."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twin.live.plant.flight import CHUNK_S, Chunk, Flight
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
        self._soc.append(chunk.soc_end.astype(np.float32))
        self._low.append(chunk.soc_low.astype(np.float32))
        self._dark.append(chunk.sunlit < 0.5)

    def write(self, file: Path, telemetry: Telemetry) -> None:
        """Write it as a NumPy archive."""
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
            )


def lines(
    flight: Flight,
    telemetry: Telemetry,
    truth: Truth | None = None,
    *,
    progress: Callable[[int, int], None] = lambda done, of: None,  # noqa: ARG005
) -> Iterator[tuple[float, str]]:
    """Yield (arrival, line) of a whole flight."""
    chunks = max(round(flight.length_s / CHUNK_S), 1)
    for k in range(chunks):
        chunk = flight.fly()
        if truth is not None:
            truth.add(chunk)
        yield from telemetry.messages(chunk)
        progress(k + 1, chunks)
    yield from telemetry.rest()


def paced(found: Iterator[tuple[float, str]], speed: float | None) -> Iterator[str]:
    """Yield lines when they are due: `speed` seconds of flight in one; at once without it."""
    began = time.monotonic()
    for arrival_s, line in found:
        if speed is not None:
            wait_s = arrival_s / speed - (time.monotonic() - began)
            if wait_s > 0:
                time.sleep(wait_s)
        yield line
