"""Events of one step, for whoever records it."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

NOBODY = -1


class EventLog:
    """Event rows of the present step; arrays add many at once."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str, tuple[ArrayLike, ...]]] = []

    def add(
        self,
        kind: str,
        *,
        cause: str = "",
        t_s: ArrayLike = np.nan,
        satellite: ArrayLike = NOBODY,
        other: ArrayLike = NOBODY,
        value: ArrayLike = np.nan,
    ) -> None:
        """Add one event, or as many as the longest of the arguments.

        Without `t_s` an event is at the start of the step.
        """
        if np.size(satellite):
            self._rows.append((kind, cause, (t_s, satellite, other, value)))

    def clear(self) -> None:
        """Begin a new step."""
        self._rows.clear()

    def columns(self, start_s: float) -> dict[str, list[Any]]:
        """Columns of the step's events, by time; None where a row has no such figure."""
        table: dict[str, list[Any]] = {
            k: [] for k in ("t_s", "kind", "cause", "satellite", "other", "value")
        }
        for kind, cause, figures in self._rows:
            t_s, satellite, other, value = map(np.atleast_1d, np.broadcast_arrays(*figures))
            table["t_s"] += np.where(np.isnan(t_s), start_s, t_s).tolist()
            table["kind"] += [kind] * len(satellite)
            table["cause"] += [cause or None] * len(satellite)
            table["satellite"] += [s if s != NOBODY else None for s in satellite.tolist()]
            table["other"] += [s if s != NOBODY else None for s in other.tolist()]
            table["value"] += [v if v == v else None for v in value.tolist()]
        order = np.argsort(table["t_s"], kind="stable").tolist()
        return {name: [column[i] for i in order] for name, column in table.items()}
