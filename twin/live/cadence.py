"""Outlooks on a cadence, in a process of their own: the mirror never waits for one.

One that is due while the one before is still at work is left out, and counted. Each says from
which step it looks ahead, so that its age shows. An outlook depends on that step alone: on a
slower machine there are fewer of them, and each is the same.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from twin.live.aside import Aside
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


class Outlooks(Aside[Outlook]):
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
        super().__init__(works=every > 0)
        self._every, self._orbits, self._members, self._priors = every, orbits, members, priors
        self._folder: Path | None = None
        self.made = self.left_out = 0

    def watch(self, session: "Session", step: "Step") -> None:
        """Begin an outlook after a step that is due, and keep one that is done."""
        if not self.open:
            return
        self._folder = session.writer.partial / FOLDER
        self._keep(self.take())
        if (step.step + 1) % self._every:
            return
        if self.busy:
            self.left_out += 1
            return
        world = session.mirror.model.world
        steps = round(self._orbits * world.period_s / world.step_s)
        asked = session.writer.scenario, session.mirror.basis, steps, self._priors, self._members
        self.begin(_made, *asked)

    def finish(self) -> None:
        """Wait for the one that is at work, and keep it."""
        self._keep(self.take(wait=True))

    def _keep(self, found: Outlook | None) -> None:
        if found is not None and self._folder is not None and self._folder.is_dir():
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
