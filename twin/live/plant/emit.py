"""Write a flight's telemetry line by line, at a pace, and keep its truth aside."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twin.live.plant.flight import CHUNK_S, Flight
from twin.live.plant.telemetry import Telemetry

type Array = NDArray[np.float64]


class Truth:
    """What is true of a flight, for judging; the mirror never sees it."""

    def __init__(self, flight: Flight) -> None:
        self._flight = flight
        self._soc: list[NDArray[np.float32]] = []
        self._dark: list[NDArray[np.bool_]] = []

    def add(self, soc_end: Array, sunlit: Array) -> None:
        """Add ten minutes: charge at the end of each, and the sunlight in them."""
        self._soc.append(soc_end.astype(np.float32))
        self._dark.append(sunlit < 0.5)

    def write(self, file: Path, telemetry: Telemetry) -> None:
        """Write it as a NumPy archive."""
        with file.open("wb") as out:
            np.savez_compressed(
                out,
                soc=np.concatenate(self._soc),
                dark=np.concatenate(self._dark),
                edges=self._flight.edges,
                wrong_set_s=telemetry.wrong_set_s,
                length_s=self._flight.now_s,
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
            truth.add(chunk.soc_end, chunk.sunlit)
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
