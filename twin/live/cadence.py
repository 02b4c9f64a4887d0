"""Outlooks on a cadence, in a process of their own: the mirror never waits for one.

One that is due while the one before is still at work is left out, and counted. Each says from
which step it looks ahead, so that its age shows. An outlook depends on that step alone: on a
slower machine there are fewer of them, and each is the same.
"""

import json
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from twin.live.filter import Priors
from twin.live.forecast import LEVELS, Basis, Outlook, look_ahead
from twin.live.record import FOLDER
from twin.runs.files import write_text
from twin.scenario.schema import Scenario

if TYPE_CHECKING:
    from twin.live.mirror import Step
    from twin.live.session import Session

NEWEST: Final = "outlook.json"
"""File of the newest outlook, in the folder ``live`` of a run."""


class Outlooks:
    """Makes an outlook of a session every so many steps; use it as a context manager.

    Parameters
    ----------
    every : int
        Steps from one to the next; 0: none.
    orbits : float
        How far each looks ahead.
    members : int
    priors : Priors

    Attributes
    ----------
    made, left_out : int
    """

    def __init__(self, every: int, *, orbits: float, members: int, priors: Priors) -> None:
        self._every, self._orbits, self._members, self._priors = every, orbits, members, priors
        self._pool: ProcessPoolExecutor | None = None
        self._at_work: Future[Outlook] | None = None
        self._folder: Path | None = None
        self.made = self.left_out = 0

    def __enter__(self) -> Self:
        if self._every:
            # Not a fork of this process, which has threads.
            self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=error is None, cancel_futures=True)

    def watch(self, session: "Session", step: "Step") -> None:
        """Begin an outlook after a step that is due, and keep one that is done."""
        if self._pool is None:
            return
        self._folder = session.writer.partial / FOLDER
        if self._at_work is not None and self._at_work.done():
            self._keep()
        if (step.step + 1) % self._every:
            return
        if self._at_work is not None:
            self.left_out += 1
            return
        world = session.mirror.model.world
        steps = round(self._orbits * world.period_s / world.step_s)
        asked = session.writer.scenario, session.mirror.basis, steps, self._priors, self._members
        self._at_work = self._pool.submit(_made, *asked)

    def finish(self) -> None:
        """Wait for the one that is at work, and keep it."""
        if self._at_work is not None:
            self._keep()

    def _keep(self) -> None:
        assert self._at_work is not None
        assert self._folder is not None
        found, self._at_work = self._at_work.result(), None
        if self._folder.is_dir():
            text = json.dumps(plain(found, self._members))
            write_text(self._folder / f"outlook-{found.step:08d}.json", text)
            write_text(self._folder / NEWEST, text)
            self.made += 1


def plain(found: Outlook, members: int) -> dict[str, Any]:
    """An outlook as plain data; bands are at the levels, lowest first."""
    return {
        "step": found.step,
        "steps": found.steps,
        "members": members,
        "levels": list(LEVELS),
        "smallest_charge": found.bands.round(5).tolist(),
        "fleet": found.fleet.round(5).tolist(),
        "loses_power": np.round(found.dark, 4).tolist(),
    }


def _made(scenario: Scenario, basis: Basis, steps: int, priors: Priors, members: int) -> Outlook:
    return look_ahead(scenario, basis, steps=steps, priors=priors, members=members)
