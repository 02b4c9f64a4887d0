"""Requests as they come: when, from where, how long; the same whatever becomes of them.

Request n has its own random numbers, addressed by blocks of requests, so that the arrivals depend
neither on the length of a step nor on how they are served.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.scenario.serving import MAX_TOKENS, Requests
from twin.seeding import Stream

_BLOCK: Final = 1024
"""Requests that are drawn at a time."""
_PEAK_HOUR: Final = 15.0
_DAY_S: Final = 86_400.0

FIELDS: Final = ("number", "site", "prompt", "output", "asked_s")


@dataclass(kw_only=True)
class SourceState:
    """Where a source of requests is.

    Attributes
    ----------
    number : int
        Of the next candidate.
    at_s : float
        When the last came, since the start of the run.
    """

    number: int = 0
    at_s: float = 0.0


class Drawn:
    """Requests at random.

    Candidates come as a renewal process, at the highest rate of the day; by the hour at its site
    each is kept or not (thinning: Lewis and Shedler 1979).

    Parameters
    ----------
    table : Requests
    draws : Stream
    share : (S,) float
        Share of the requests of each site; one of 1 where there are no sites.
    longitude_deg : (S,) float
        Of the sites.
    start_h : float
        Universal time at the start of the run.
    state : SourceState
        Where to go on; is changed.
    """

    def __init__(
        self,
        table: Requests,
        draws: Stream,
        *,
        share: NDArray[np.float64],
        longitude_deg: NDArray[np.float64],
        start_h: float,
        state: SourceState,
    ) -> None:
        self._table, self._draws = table, draws
        self._site_at = np.cumsum(share)
        self._noon_h = start_h + longitude_deg / 15.0
        self.state = state
        self._first = -1
        self._known: tuple[NDArray[np.float64], dict[str, NDArray[Any]]]

    def until(self, end_s: float) -> dict[str, NDArray[Any]]:
        """Return the requests before a time, by the names in `FIELDS`; each once."""
        found: list[dict[str, NDArray[Any]]] = []
        mine = self.state
        while True:
            block, offset = divmod(mine.number, _BLOCK)
            gap_s, rows = self._block(block)
            at_s = mine.at_s + np.cumsum(gap_s[offset:])
            count = int(np.searchsorted(at_s, end_s))
            here = {name: values[offset : offset + count] for name, values in rows.items()}
            here["asked_s"] = at_s[:count]
            found.append(self._kept(here))
            if count:
                mine.number += count
                mine.at_s = float(at_s[count - 1])
            if offset + count < _BLOCK:
                return {name: np.concatenate([f[name] for f in found]) for name in FIELDS}

    def _block(self, block: int) -> tuple[NDArray[np.float64], dict[str, NDArray[Any]]]:
        if self._first == block:
            return self._known
        table, rng = self._table, self._draws.at(block)
        mean_s = 1.0 / (table.rate_per_s * (1.0 + table.daily))
        shape = 1.0 if table.arrivals == "poisson" else table.burst_cv**-2
        gap_s = rng.gamma(shape, mean_s / shape, _BLOCK)
        normal = rng.standard_normal((2, _BLOCK))
        uniform = rng.random((2, _BLOCK))
        site = np.searchsorted(self._site_at, uniform[0] * self._site_at[-1], side="right")
        rows = {
            "number": block * _BLOCK + np.arange(_BLOCK),
            "site": np.minimum(site, len(self._site_at) - 1),
            "keep": uniform[1],
            "prompt": self._lengths(normal[0], table.prompt_tokens, table.prompt_cv),
            "output": self._lengths(normal[1], table.output_tokens, table.output_cv),
        }
        self._first, self._known = block, (gap_s, rows)
        return self._known

    def _lengths(self, normal: NDArray[np.float64], mean: float, cv: float) -> NDArray[np.int64]:
        if self._table.lengths == "fixed":
            return np.full(len(normal), round(mean))
        sigma = np.sqrt(np.log1p(cv**2))
        values = np.round(mean * np.exp(sigma * normal - sigma**2 / 2))
        return np.asarray(np.clip(values, 1, 10 * MAX_TOKENS).astype(np.int64))

    def _kept(self, rows: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        if self._table.daily == 0.0:
            return rows
        hour = self._noon_h[rows["site"].astype(int)] + rows["asked_s"] / _DAY_S * 24.0
        swing = np.cos((hour - _PEAK_HOUR) * (2 * np.pi / 24.0))
        chance = (1.0 + self._table.daily * swing) / (1.0 + self._table.daily)
        keep = rows["keep"] < chance
        return {name: values[keep] for name, values in rows.items()}
