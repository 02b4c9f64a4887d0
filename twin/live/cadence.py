"""Outlooks on a cadence, in a process of their own: the mirror never waits for one.

One that is due while the one before is still at work is left out, and counted. Each says from
which step it looks ahead, so that its age shows. An outlook depends on that step alone: on a
slower machine there are fewer of them, and each is the same.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from twin.live.aside import Aside
from twin.live.filter import Priors
from twin.live.forecast import LEVELS, Basis, Outlook, look_ahead
from twin.live.forks import Course, Live, course
from twin.live.record import FOLDER
from twin.runs.files import write_text
from twin.world import state as states

if TYPE_CHECKING:
    from twin.live.mirror import Step
    from twin.live.session import Session

NEWEST: Final = "outlook.json"
"""File of the newest outlook, in the folder ``live`` of a run."""


type Made = tuple[Outlook, list[Course]]


class Outlooks(Aside[Made]):
    """Makes an outlook of a session every so many steps; use it as a context manager.

    Parameters
    ----------
    every : int
        Steps from one to the next; 0: none.
    orbits : float
        How far each looks ahead.
    members : int
        Of charges.
    priors : Priors
    forks : int
        Whole twins that serve tokens ahead.

    Attributes
    ----------
    made, left_out : int
    """

    def __init__(
        self, every: int, *, orbits: float, members: int, priors: Priors, forks: int = 0
    ) -> None:
        super().__init__(works=every > 0)
        self._every, self._orbits, self._members, self._priors = every, orbits, members, priors
        self._forks = forks
        self._folder: Path | None = None
        self.made = self.left_out = 0

    def watch(self, session: "Session", step: "Step") -> None:
        """Begin an outlook after a step that is due, and keep one that is done."""
        if not self.open:
            return
        self._folder = session.writer.partial / FOLDER
        self._keep(self.take())
        if (step.step + 1) % self._every or not session.running:
            return
        if self.busy:
            self.left_out += 1
            return
        model = session.mirror.model
        live = Live(
            scenario=session.writer.scenario,
            twin=states.copy(model.state),
            mirror=states.copy(session.mirror.state),
        )
        steps = round(self._orbits * model.world.period_s / model.world.step_s)
        basis, members = session.mirror.basis, self._members
        self.begin(_made, live, basis, steps, self._priors, members, self._forks)

    def finish(self) -> None:
        """Wait for the one that is at work, and keep it."""
        self._keep(self.take(wait=True))

    def _keep(self, made: Made | None) -> None:
        if made is not None and self._folder is not None and self._folder.is_dir():
            found, courses = made
            text = json.dumps(plain(found, self._members, courses))
            write_text(self._folder / f"outlook-{found.step:08d}.json", text)
            write_text(self._folder / NEWEST, text)
            self.made += 1


def plain(found: Outlook, members: int, courses: Sequence[Course] = ()) -> dict[str, Any]:
    """An outlook as plain data; bands are at the levels, lowest first, and None if not known."""
    return {
        "step": found.step,
        "steps": found.steps,
        "members": members,
        "levels": list(LEVELS),
        "smallest_charge": found.bands.round(5).tolist(),
        "fleet": found.fleet.round(5).tolist(),
        "loses_power": np.round(found.dark, 4).tolist(),
        "forks": len(courses),
        "served": _over_steps([each.served for each in courses]),
        "tpot_s": _over_steps([each.latency_s for each in courses]),
        "ttft_s": _over_steps([each.ttft_s for each in courses]),
    }


def _over_steps(of_courses: Sequence[NDArray[np.float64]]) -> list[list[float | None]] | None:
    """Bands of every step, (3, T); None where no course has a value."""
    values = np.array(of_courses)
    if not np.isfinite(values).any():
        return None
    bands = np.full((len(LEVELS), values.shape[1]), np.nan)
    known = np.isfinite(values).any(axis=0)
    bands[:, known] = np.nanquantile(values[:, known], LEVELS, axis=0)
    return [[round(v, 5) if v == v else None for v in band] for band in bands.tolist()]


def _made(live: Live, basis: Basis, steps: int, priors: Priors, members: int, forks: int) -> Made:
    found = look_ahead(live.scenario, basis, steps=steps, priors=priors, members=members)
    return found, [course(live, member, steps) for member in range(forks)]
