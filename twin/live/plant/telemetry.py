"""What the plant says of itself: noise, gaps, delays, losses; one JSON message a line."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from twin import seeding
from twin.live.fields import CONTROLLER, NO_POWER, VERSION
from twin.live.plant.flight import Chunk, Flight
from twin.live.plant.hidden import bias

type Array = NDArray[np.float64]

VOLTS = 28.0
_LATEST_S = 120.0
_GAP_S = (600.0, 1500.0)
_NONE, _OFF = "[]", json.dumps([NO_POWER])
_WRONG_BY = 7
"""A wrong element set is that of the satellite so many further on."""


class Telemetry:
    """Messages of a flight, in the order in which they arrive.

    Parameters
    ----------
    flight : Flight
    seed : int
    """

    def __init__(self, flight: Flight, *, seed: int) -> None:
        self._flight, self._spread = flight, flight.spread
        self._draws = seeding.stream(seed, 0, "plant: telemetry")
        n = flight.body.size
        self._names = flight.body.names
        epoch = datetime.fromisoformat(flight.body.epoch_utc)
        self._epoch = epoch.replace(tzinfo=epoch.tzinfo or UTC).astimezone(UTC)
        self._sequence = np.zeros(n, np.int64)
        self._quiet_until_s = np.zeros(n)
        rng = self._draws.at(2**40)
        self._next_set_s = rng.uniform(0.0, 1.0, n) * (self._spread.elements_every_s or np.inf)
        self._wrong = flight.hidden.wrong_s.copy()
        self._on_its_way: list[tuple[float, int, str]] = []
        self._count = self._spoken = 0
        self._rng = rng
        self.wrong_set_s = np.full(n, np.inf)
        """When each satellite's wrong element set was sent, (N,)."""

    def messages(self, chunk: Chunk, m: int) -> Iterator[tuple[float, str]]:
        """Yield the messages (arrival in s since the epoch, line) that arrive up to a minute's end.

        Those of its last seconds arrive with the next one.
        """
        start_s = chunk.start_s + 60.0 * m
        if m == 0:
            self._rng = self._draws.at(int(chunk.start_s / 60))
        for arrival_s, line in (*self._of_controller(start_s), *self._minute(chunk, m, self._rng)):
            heappush(self._on_its_way, (arrival_s, self._count, line))
            self._count += 1
        yield from self._arrived(start_s + 60.0)

    def rest(self) -> Iterator[tuple[float, str]]:
        """Yield what is still on its way."""
        yield from self._arrived(np.inf)

    def _arrived(self, until_s: float) -> Iterator[tuple[float, str]]:
        while self._on_its_way and self._on_its_way[0][0] < until_s:
            arrival_s, _, line = heappop(self._on_its_way)
            yield arrival_s, line

    def _of_controller(self, start_s: float) -> Iterator[tuple[float, str]]:
        """What the controller says of a minute; it speaks from the ground, and nothing is lost."""
        service = self._flight.service
        if service is None:
            return
        for said in service.said:
            self._spoken += 1
            head = {
                "version": VERSION,
                "time_utc": self._when(start_s),
                "controller": CONTROLLER,
                "sequence": self._spoken,
            }
            yield start_s, json.dumps(head | said, separators=(",", ":"))
        service.said.clear()

    def _when(self, t_s: float) -> str:
        return (self._epoch + timedelta(seconds=t_s)).isoformat(timespec="seconds")[:19] + "Z"

    def _minute(
        self, chunk: Chunk, m: int, rng: np.random.Generator
    ) -> Iterator[tuple[float, str]]:
        n, spread = len(self._names), self._spread
        t_s = chunk.measured_s[m]
        every = max(round(spread.every_s / 60.0), 1)
        due = (round(chunk.start_s / 60) + m + np.arange(n)) % every == 0
        self._sequence += due
        begins = rng.random(n) < spread.gaps_a_day / 1440
        self._quiet_until_s = np.where(begins, t_s + rng.uniform(*_GAP_S, n), self._quiet_until_s)
        said = due & (rng.random(n) >= spread.lost) & (t_s >= self._quiet_until_s)
        said &= t_s < self._flight.hidden.silent_s
        delay_s = rng.uniform(0.5, 5.0, n)
        delay_s += (rng.random(n) < spread.late) * rng.uniform(0, _LATEST_S, n)
        lines = self._lines(chunk, m, np.flatnonzero(said), rng)
        yield from zip((t_s + delay_s)[said].tolist(), lines, strict=True)

    def _lines(
        self, chunk: Chunk, m: int, rows: NDArray[np.int64], rng: np.random.Generator
    ) -> list[str]:
        t_s, spread, n = chunk.measured_s[m, rows], self._spread, len(rows)
        soc = chunk.soc[m, rows] + bias(self._flight.hidden, rows, t_s, spread.soc_bias)
        soc += spread.soc_noise * rng.standard_normal(n)
        noise_w = spread.power_noise * self._flight.design.array_w * rng.standard_normal(n)
        volts = VOLTS * (0.9 + 0.15 * chunk.soc[m, rows])
        amps = (chunk.power_w[m, rows] + noise_w) / volts
        celsius = chunk.temperature_k[m, rows] - 273.15 + 0.5 * rng.standard_normal(n)
        down, on = self._links_down(chunk.down[m]), chunk.powered[m, rows]
        columns = (
            rows, t_s, self._sequence[rows], soc, volts, amps, celsius,
            chunk.sunlit[m, rows], np.where(on, chunk.work[m, rows], 0.0),
            np.where(on, chunk.links[m, rows], 0.0).astype(int), on,
        )  # fmt: skip
        lines = []
        for i, t, k, z, u, a, c, lit, work, links, up in zip(*(x.tolist() for x in columns)):  # noqa: B905
            lines.append(
                f'{{"version":1,"time_utc":"{self._when(t)}","satellite":"{self._names[i]}",'
                f'"sequence":{k},"soc":{z:.4f},"bus_voltage_v":{u:.3f},'
                f'"battery_current_a":{a:.4f},"temperature_c":{c:.2f},"sunlit":{lit:.2f},'
                f'"compute_load":{work:.3f},"links_up":{links},'
                f'"links_down":{down.get(i, "{}")},"faults":{_NONE if up else _OFF}'
                f"{self._elements(i, t, rng)}}}"
            )
        return lines

    def _links_down(self, down: NDArray[np.bool_]) -> dict[int, str]:
        """JSON of the links that are down, by satellite."""
        found: dict[int, list[str]] = {}
        for a, b in self._flight.edges[down].tolist():
            found.setdefault(a, []).append(self._names[b])
            found.setdefault(b, []).append(self._names[a])
        return {i: json.dumps(dict.fromkeys(names, "outage")) for i, names in found.items()}

    def _elements(self, i: int, t_s: float, rng: np.random.Generator) -> str:
        if t_s < self._next_set_s[i]:
            return ""
        self._next_set_s[i] += self._spread.elements_every_s
        whose = i
        if t_s >= self._wrong[i]:
            self._wrong[i], self.wrong_set_s[i] = np.inf, t_s
            whose = (i + _WRONG_BY) % len(self._names)
        return f',"tle":{json.dumps(self._flight.orbits.element_set(whose, t_s, rng))}'
