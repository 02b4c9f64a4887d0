"""Heat maps of a run that is being computed: what its table ``queues`` will have, as it comes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.model import TwinModel
from agents.request_rows import queue_rows
from twin.errors import InputError
from twin.views import carried

type Column = NDArray[np.float32]


class Growing:
    """Of each column of the heat maps the most of its records, by kind and satellite.

    Parameters
    ----------
    model : TwinModel
        After its first step.
    """

    def __init__(self, model: TwinModel) -> None:
        self._satellites = model.fleet.size
        self._steps = carried.recorded_steps(model.config, model.snapshot.step)
        self._at = carried.columns_of(self._steps)
        self._columns: list[Column] = []

    def add(self, model: TwinModel) -> None:
        """Take in the step that the model has just made."""
        step = model.snapshot.step
        place = int(np.searchsorted(self._steps, step))
        if model.requests is None or place == len(self._steps) or self._steps[place] != step:
            return
        if self._at[place] == len(self._columns):
            nothing = [carried.nothing_of(kind) for kind in carried.KINDS]
            self._columns.append(np.full((self._satellites, len(nothing)), nothing, np.float32).T)
        rows, column = queue_rows(step, model.requested), self._columns[-1]
        for each, kind in zip(column, carried.KINDS, strict=True):
            each[rows["satellite"]] = np.fmax(each[rows["satellite"]], rows[kind])

    def heat(self, asked: Mapping[str, Any]) -> carried.Answer:
        """As `twin.views.carried.heat`; NaN where the run has not come yet."""
        kind, satellites = carried.asked_of(asked)
        if any(satellite >= self._satellites for satellite in satellites):
            raise InputError(f"satellites: there are 0 to {self._satellites - 1}")
        known, starts = list(self._columns), carried.starts_of(self._steps)
        values = np.full((len(satellites), len(starts)), np.nan, np.float32)
        for place, column in enumerate(known):
            values[:, place] = column[carried.KINDS.index(kind)][satellites]
        return carried.answer_of(starts, values)
