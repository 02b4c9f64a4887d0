"""A live run: from lines to a recorded run, with checkpoints, a log, and a way to go on."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from agents.recorder import Recorder
from agents.run import conclusion, notes
from twin.errors import InputError
from twin.live import journal, record
from twin.live.fields import SITE_NUMBERS
from twin.live.intake import Intake
from twin.live.journal import Journal
from twin.live.message import Reader
from twin.live.mirror import Mirror
from twin.live.names import names_of
from twin.live.record import Record
from twin.live.state import LiveState, Options
from twin.runs import checkpoints
from twin.runs.checkpoints import Checkpoints
from twin.runs.lock import Lock
from twin.runs.rows import Rows, check_parts
from twin.runs.store import PARTS, Run, interrupted_scenario, open_run
from twin.runs.writer import RunWriter
from twin.scenario import attachments
from twin.scenario.schema import Scenario
from twin.vocabulary.live import KIND, Remark

READ_S = 10.0
"""Whoever looks at a live run waits no longer for its newest checkpoint."""


class Session:
    """A mirror with its reader, its intake and what it records.

    Parameters
    ----------
    writer : RunWriter
        Entered.
    options : Options
    state : LiveState, optional
        Where to go on.

    Attributes
    ----------
    reading_again : bool
        Whether what comes is of the run's own log, so that nothing is to be done about it.
    """

    reading_again = False

    def __init__(self, writer: RunWriter, options: Options, state: LiveState | None) -> None:
        self.writer, self._options = writer, options
        scenario = writer.scenario
        names = names_of(scenario)
        self.reader = Reader(names.satellites, names.sites, names.epoch_utc)
        self.mirror = Mirror(
            scenario,
            counts=self.reader.counts,
            priors=options.priors,
            twin=None if state is None else state.twin,
            state=None if state is None else state.mirror,
        )
        model = self.mirror.model
        self.intake = Intake(
            model.fleet.size,
            len(names.sites) + 1,  # the controller
            step_s=model.world.step_s,
            counts=self.reader.counts,
            grace_s=options.grace_s,
            state=None if state is None else state.intake,
        )
        self.record = Record(
            writer.partial,
            every=scenario.simulation.record_satellites_every,
            state=record.at_start(model.fleet.size) if state is None else state.record,
        )
        if state is not None:
            self._put_back(state)
        self._recorder = Recorder(writer, model)
        model.recorder = self._recorder

    def _put_back(self, state: LiveState) -> None:
        """Let the messages wait again that waited, and count as then."""
        lines = state.waiting.tobytes().split(b"\n") if len(state.waiting_s) else []
        messages = [m for m in map(self.reader.read, lines) if m is not None]
        for m, t_s in zip(messages, state.waiting_s.tolist(), strict=True):
            m.t_s = t_s
        self.intake.put_back(messages)
        self.reader.counts.array = state.counts

    @property
    def running(self) -> bool:
        """Whether the scenario has steps left."""
        return bool(self.mirror.model.running)

    def take(self, line: bytes) -> None:
        """Take a line in, and every step that is over with it."""
        message = self.reader.read(line)
        if message is not None:
            self.intake.take(message)
        while self.running and self.intake.ready():
            self._close()

    def drain(self) -> None:
        """Close the steps for which there are messages, after the last line."""
        while self.running and self.intake.left > 0:
            self._close()

    def _close(self) -> None:
        batch = self.intake.close()
        found = self.mirror.step(batch)
        self.record.add(found, batch.messages)
        simulation = self.mirror.model.config.simulation
        self._options.progress(found.step + 1, simulation.steps)
        self._options.watch(self, found)

    def state(self, log: Journal) -> LiveState:
        """What a checkpoint keeps."""
        intake, waiting, waiting_s = self.intake.snapshot()
        return LiveState(
            twin=self.mirror.model.state,
            mirror=self.mirror.state,
            rows=self.writer.rows.state(),
            record=self.record.state,
            intake=intake,
            waiting=waiting,
            waiting_s=waiting_s,
            counts=self.reader.counts.array,
            lines=log.lines,
            size_bytes=log.size_bytes,
        )

    def conclude(self) -> None:
        """Write what is said of a live run at its end."""
        model, steps = self.mirror.model, self.intake.state.step
        self._recorder.close(model)
        self.record.finish(max(steps - 1, 0))
        self.reader.counts.of[Remark.MISSING] = self.intake.missing
        asked = model.config.simulation
        if steps < asked.steps:
            self.writer.steps = steps
            self.writer.prolonged = {
                "asked_steps": asked.steps,
                "most_steps": asked.steps,
                "steps": steps,
                "step_s": model.world.step_s,
                "half_width": 0.0,
            }
        self.writer.conclusion = conclusion(model) | {"live": self.summary()}

    def summary(self) -> dict[str, Any]:
        """Messages by what became of them, what sites saw, alarms by kind, innovations."""
        alarms: dict[str, int] = {}
        for alarm in self.record.alarms:
            alarms[alarm.kind] = alarms.get(alarm.kind, 0) + 1
        soc2, soc_n, power2, power_n = self.record.innovations.sum(axis=0).tolist()
        of_sites = zip(SITE_NUMBERS, self.record.said_by_sites.tolist(), strict=True)
        return {
            "messages": dict(self.reader.counts.of),
            "sites": {one.name: total for one, total in of_sites},
            "alarms": alarms,
            "innovations_soc": soc2 / soc_n if soc_n else None,
            "innovations_power": power2 / power_n if power_n else None,
        }


def mirror(
    scenario: Scenario,
    lines: Callable[[int], Iterable[bytes]],
    *,
    runs_dir: Path,
    options: Options | None = None,
    run_id: str | None = None,
    lock: Lock | None = None,
    state: LiveState | None = None,
) -> Run:
    """Mirror a constellation from its telemetry, and keep it as a run of kind ``live``.

    Parameters
    ----------
    scenario : Scenario
    lines : callable
        Given how many lines are known already, returns those that come.
    runs_dir : Path
    options : Options, optional
    run_id, lock, state : optional
        Of an interrupted run.

    Raises
    ------
    InputError
        If the scenario cannot be run, or there is no such source.
    """
    chosen = options or Options()
    writer = RunWriter(
        runs_dir,
        scenario,
        run_id=run_id,
        rows=None if state is None else Rows(scenario, state.rows),
        files=attachments.of(runs_dir / f"{run_id}.partial") if lock is not None else None,
        lock=lock,
    )
    writer.kind = KIND
    with writer, Journal(writer.partial / journal.NAME) as log:
        session = Session(writer, chosen, state)
        for note in notes(session.mirror.model):
            writer.note(note)
        writer.began()
        kept = Checkpoints(writer.partial, {"run_id": writer.run_id}, most_s=READ_S)
        _replay(session, writer.partial / journal.NAME, 0 if state is None else state.size_bytes)
        _follow(session, log, kept, lines)
        session.drain()
        if session.intake.state.step == 0:
            counted = {word: n for word, n in session.reader.counts.of.items() if n}
            told = ", ".join(f"{n} {word}" for word, n in counted.items()) or "nothing came"
            raise InputError(f"no step could be mirrored: {told}")
        chosen.finish()
        session.conclude()
        writer.checkpoints = {
            "written": kept.written,
            "bytes": kept.size_bytes,
            "milliseconds": round(1e3 * kept.cost_s, 1),
        }
    return open_run(writer.folder)


def _replay(session: Session, log: Path, offset: int) -> None:
    """Take in what is in the log and was not when the checkpoint was written."""
    session.reading_again = True
    for line in journal.read(log, offset):
        session.take(line)
    session.reading_again = False


def _follow(
    session: Session,
    log: Journal,
    kept: Checkpoints,
    lines: Callable[[int], Iterable[bytes]],
) -> None:
    if not session.running:
        return
    found = lines(log.lines)
    acknowledge = getattr(found, "acknowledge", lambda: None)

    def keep() -> None:
        """Tell a broker what is on disk."""
        log.sync()
        acknowledge()

    if hasattr(found, "on_idle"):
        found.on_idle = keep
    try:
        for line in found:
            if log.append(line):
                acknowledge()
            before = session.intake.state.step
            session.take(line)
            if not session.running:
                break
            if session.intake.state.step > before and kept.due:
                log.sync()
                note = {"wall_time_s": session.writer.wall_time_s}
                kept.write(session.intake.state.step, session.state(log), note)
        keep()
    finally:
        with suppress(AttributeError):
            found.close()  # type: ignore[attr-defined]


def resume(
    partial: Path,
    lines: Callable[[int], Iterable[bytes]],
    *,
    options: Options | None = None,
) -> Run:
    """Go on with an interrupted live run, from its last checkpoint and its log.

    Raises
    ------
    InputError
        If `partial` is none.
    """
    run_id, scenario = interrupted_scenario(partial)
    with Lock.take(partial) as lock:
        found = checkpoints.newest(
            partial, LiveState, usable=lambda each: check_parts(each.rows, partial / PARTS)
        )
        return mirror(
            scenario,
            lines,
            runs_dir=partial.parent,
            options=options,
            run_id=run_id,
            lock=lock,
            state=None if found is None else found[0],
        )
