"""Requests as they come: when, from where, how long; the same whatever becomes of them.

Request n has its own random numbers, addressed by blocks of requests, so that the arrivals depend
neither on the length of a step nor on how they are served.
"""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from twin.scenario.serving import MAX_TOKENS, Requests
from twin.seeding import Stream
from twin.serving.traces import Trace

_BLOCK: Final = 1024
"""Requests that are drawn at a time."""
_ROUNDING_S: Final = 1e-6
"""By which the start of a step may be before the end of the last one."""
_PEAK_HOUR: Final = 15.0
_DAY_S: Final = 86_400.0

FIELDS: Final = ("number", "site", "prompt", "output", "asked_s")


@dataclass(kw_only=True)
class SourceState:
    """Where a source of requests is.

    Attributes
    ----------
    number : int
        Of the next candidate drawn.
    at_s : float
        When the last of these came, since the start of the run.
    row : int
        Of a trace, the next.
    users : int
        Who have begun, where users ask again.
    """

    number: int = 0
    at_s: float = 0.0
    row: int = 0
    users: int = 0


class Source(Protocol):
    """Where requests come from."""

    state: SourceState

    def until(self, end_s: float) -> dict[str, NDArray[Any]]:
        """Return the requests before a time, by the names in `FIELDS`; each once."""


class Users:
    """Users who each ask again some time after the last answer; the engine asks for them.

    Parameters
    ----------
    table : Requests
    draws : Stream
    share : (S,) float
        Share of the users of each site; one of 1 where there are no sites.
    state : SourceState
        Where to go on; is changed.
    """

    def __init__(
        self, table: Requests, draws: Stream, *, share: NDArray[np.float64], state: SourceState
    ) -> None:
        self._table, self._draws, self._share = table, draws, share
        self.state = state

    def until(self, end_s: float) -> dict[str, NDArray[Any]]:  # noqa: ARG002
        """Return no requests."""
        return {name: np.zeros(0, int) for name in FIELDS} | {"asked_s": np.zeros(0)}

    def rules(self) -> dict[str, float]:
        """What the engine must know."""
        table = self._table
        fixed = table.lengths == "fixed"
        cvs = {"prompt": table.prompt_cv, "output": table.output_cv}
        sigma = {name: 0.0 if fixed else _sigma(cv) for name, cv in cvs.items()}
        return {
            "users": table.users,
            "users_seed": int(self._draws.at(2**32).integers(2**63)),
            "think_s": table.think_s,
            "think_fixed": table.think == "fixed",
            "prompt_mean": table.prompt_tokens,
            "prompt_sigma": sigma["prompt"],
            "output_mean": table.output_tokens,
            "output_sigma": sigma["output"],
        }

    def newcomers(self) -> tuple[int, NDArray[np.intp], NDArray[np.float64]]:
        """Return the first user who has not begun, and of all such the site and when each began.

        Fixed times to think begin at different times before the start, lest all ask at once.
        """
        first, self.state.users = self.state.users, max(self.state.users, self._table.users)
        blocks = range(first // _BLOCK, -(-self.state.users // _BLOCK))
        drawn = [self._draws.at(block).random((2, _BLOCK)) for block in blocks]
        new = slice(first % _BLOCK, first % _BLOCK + self.state.users - first)
        uniform = np.hstack(drawn)[:, new] if drawn else np.zeros((2, 0))
        since_s = -uniform[1] * self._table.think_s * (self._table.think == "fixed")
        return first, _sites(np.cumsum(self._share), uniform[0]), since_s


class Traced:
    """Requests of a trace, from sites at random.

    Whether a request is kept, and its site, are its own: they depend neither on the share that is
    kept nor on the speed, so that a larger share has the requests of a smaller one, and more.

    Parameters
    ----------
    table : Requests
    trace : Trace
    draws : Stream
    share : (S,) float
        Share of the requests of each site; one of 1 where there are no sites.
    begin_s : float
        Where to go on; what comes before, at another speed than so far, is left out.
    state : SourceState
        The same; is changed.

    Attributes
    ----------
    trace : Trace
        A request's number is its row here, by which its prefix hashes are found.
    """

    def __init__(
        self,
        table: Requests,
        trace: Trace,
        draws: Stream,
        *,
        share: NDArray[np.float64],
        begin_s: float,
        state: SourceState,
    ) -> None:
        count = len(trace.at_s)
        blocks = -(-count // _BLOCK)
        uniform = np.hstack([draws.at(block).random((2, _BLOCK)) for block in range(blocks)])
        self._rows: dict[str, NDArray[Any]] = {
            "number": np.arange(count),
            "site": _sites(np.cumsum(share), uniform[0, :count]),
            "prompt": trace.prompt,
            "output": trace.output,
            "asked_s": trace.at_s / table.trace_speed,
        }
        self.trace = trace
        self._keep = uniform[1, :count] < table.trace_share
        first = int(np.searchsorted(self._rows["asked_s"], begin_s - _ROUNDING_S))
        state.row = max(state.row, first)
        self.state = state

    def until(self, end_s: float) -> dict[str, NDArray[Any]]:
        """Return the requests before a time, by the names in `FIELDS`; each once."""
        end = int(np.searchsorted(self._rows["asked_s"], end_s))
        here = slice(self.state.row, end)
        self.state.row = max(end, self.state.row)
        return {name: values[here][self._keep[here]] for name, values in self._rows.items()}


def _sigma(cv: float) -> float:
    """Of a lognormal distribution with a coefficient of variation."""
    return float(np.sqrt(np.log1p(cv**2)))


def _sites(at: NDArray[np.float64], uniform: NDArray[np.float64]) -> NDArray[np.intp]:
    """Site of each request, by the cumulative share of the sites."""
    site = np.searchsorted(at, uniform * at[-1], side="right")
    return np.asarray(np.minimum(site, len(at) - 1))


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
    begin_s : float
        Where to go on; a process that has not come so far begins here.
    state : SourceState
        The same; is changed.
    """

    def __init__(
        self,
        table: Requests,
        draws: Stream,
        *,
        share: NDArray[np.float64],
        longitude_deg: NDArray[np.float64],
        start_h: float,
        begin_s: float,
        state: SourceState,
    ) -> None:
        self._table, self._draws = table, draws
        self._site_at = np.cumsum(share)
        self._noon_h = start_h + longitude_deg / 15.0
        self.state = state
        self._first = -1
        self._known: tuple[NDArray[np.float64], dict[str, NDArray[Any]]]
        block, offset = divmod(state.number, _BLOCK)
        if state.at_s + self._block(block)[0][offset] < begin_s - _ROUNDING_S:
            state.at_s = begin_s

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
        rows = {
            "number": block * _BLOCK + np.arange(_BLOCK),
            "site": _sites(self._site_at, uniform[0]),
            "keep": uniform[1],
            "prompt": self._lengths(normal[0], table.prompt_tokens, table.prompt_cv),
            "output": self._lengths(normal[1], table.output_tokens, table.output_cv),
        }
        self._first, self._known = block, (gap_s, rows)
        return self._known

    def _lengths(self, normal: NDArray[np.float64], mean: float, cv: float) -> NDArray[np.int64]:
        if self._table.lengths == "fixed":
            return np.full(len(normal), round(mean))
        sigma = _sigma(cv)
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
