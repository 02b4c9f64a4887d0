"""Act on advice: send what is advised as a command, and keep what was expected of it.

Messages of a file or a pipe can wait, and do so until advice is there: the same messages then give
the same commands. A broker's do not: advice is then made in a process of its own, as outlooks are.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placement.problem import Placement
from twin.errors import InputError, why
from twin.live import advice, command
from twin.live.ahead import advised, horizon
from twin.live.aside import Aside
from twin.live.command import Command
from twin.live.forks import Live
from twin.live.names import names_of
from twin.live.record import FOLDER
from twin.runs.files import write_text
from twin.world import state as states

if TYPE_CHECKING:
    from twin.live.mirror import Step
    from twin.live.session import Session

type Found = tuple[dict[str, Any], Placement | None]
type Send = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How advice is made.

    Attributes
    ----------
    every : int
        Steps from one to the next; 0: none.
    wanted : sequence of Choice
        What is compared with doing nothing.
    orbits : float
        How far each looks ahead.
    members : int
        Futures of each.
    waits : bool
        Whether messages wait for it.
    """

    every: int
    wanted: Sequence[advice.Choice]
    orbits: float = 2.0
    members: int = 6
    waits: bool = True


class Adviser(Aside[Found]):
    """Advises a session every so many steps, and sends what it advises; a context manager.

    Parameters
    ----------
    asked : Asked
    send : callable
        Takes a command's line; advice is only kept by default.

    Attributes
    ----------
    made, sent, left_out : int
        Advice, commands, and advice that was due while the one before was still at work.
    unsent : str
        Why the newest command that could not be sent was not.
    """

    def __init__(self, asked: Asked, send: Send | None = None) -> None:
        super().__init__(works=asked.every > 0 and not asked.waits)
        self._asked, self._send = asked, send
        self.made = self.sent = self.left_out = 0
        self.unsent = ""

    @property
    def remarks(self) -> list[str]:
        """What came of it, in a line; none if nothing was asked for."""
        if not self._asked.every:
            return []
        sent = "" if self._send is None else f", {self.sent} sent as commands"
        remarks = [f"advice: {self.made} made{sent}, {self.left_out} left out"]
        return remarks + ([f"a command was not sent: {self.unsent}"] if self.unsent else [])

    def watch(self, session: "Session", step: "Step") -> None:
        """Begin after a step that is due; keep and send what is done.

        While a log is read again, only what is missing is made: a mirror that was killed over
        advice that messages waited for. A broker's messages did not wait, so that it would be late.
        """
        if not self._asked.every:
            return
        found = self.take()
        if found is not None:
            self._keep(session, step.step, *found)
        if (step.step + 1) % self._asked.every or not session.running:
            return
        if session.reading_again and (self.open or _file(session, step.step + 1).exists()):
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
        if self.open:
            self.begin(_made, live, self._asked)
        else:
            self._keep(session, step.step, *_made(live, self._asked))

    def _keep(
        self, session: "Session", step: int, found: dict[str, Any], placement: Placement | None
    ) -> None:
        world = session.mirror.model.world
        self.made += 1
        found |= {"commanded": 0, "unsent": ""}
        if placement is not None and self._send is not None:
            number = step + 1
            order = Command(
                number=number,
                time_utc=_utc(world.constellation.epoch_utc, number * world.step_s),
                strategy=found["strategy"],
                placement=placement,
            )
            try:
                self._send(command.write(order, names_of(session.writer.scenario).satellites))
            except InputError as error:  # the mirror goes on
                found["unsent"] = self.unsent = str(error)
            else:
                found["commanded"] = number
                self.sent += 1
        write_text(_file(session, found["step"]), json.dumps(found))


class ToFile:
    """Appends commands to a file, so that each outlasts a power cut.

    Parameters
    ----------
    file : Path
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self, line: str) -> None:
        """Append a command's line."""
        try:
            with self._file.open("ab") as out:
                out.write(line.encode() + b"\n")
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            raise InputError(f"--act {self._file}: cannot be written: {why(error)}") from None


def _file(session: "Session", step: int) -> Path:
    """Where advice from a step on is kept; written when its command has been sent."""
    return session.writer.partial / FOLDER / f"advice-{step:08d}.json"


def _made(live: Live, asked: Asked) -> Found:
    steps = horizon(live, asked.orbits)
    options = advice.advise(live, asked.wanted, steps=steps, members=asked.members)
    chosen = advice.best(options)
    plain = advised(live, options, steps=steps, members=asked.members)
    # A command has a placement: another policy or dispatch can be advised, not commanded.
    return plain, None if chosen is None else chosen.placement


def _utc(epoch_utc: str, t_s: float) -> str:
    epoch = datetime.fromisoformat(epoch_utc)
    when = epoch.replace(tzinfo=epoch.tzinfo or UTC).astimezone(UTC) + timedelta(seconds=t_s)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
