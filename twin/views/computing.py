"""Runs that the server computes: they belong to whoever looks at them, and outlive a closed tab."""

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agents.data_centre import model_of
from agents.model import TwinModel
from agents.recorder import Recorder
from agents.run import RunCancelledError
from twin.errors import InputError
from twin.runs.store import Run
from twin.scenario.schema import Scenario
from twin.views import limits, shelf, trace
from twin.views.asked import Asked, Told
from twin.views.growing import Growing
from twin.views.live import Tap
from twin.views.public import FAILED, public
from twin.views.stream import Feed
from twin.views.trace import Plan

log = logging.getLogger(__name__)

_GRACE = "ORBITAL_TWIN_GRACE_S"


def _grace_s(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise InputError(f"{_GRACE}: {text}: must be seconds, 0 or more")
    return seconds


GRACE_S: Final = _grace_s(os.environ.get(_GRACE, "600"))
"""How long a run goes on that nobody looks at, so that whoever reloads or comes back finds it."""

CHECKPOINT_S: Final = 0.5
"""Work between checkpoints of a run: what-ifs begin at any step without long waiting."""

RELOAD_S: Final = min(20.0, GRACE_S)
"""The same where others wait for its place on the server."""


@dataclass(frozen=True)
class Work:
    """What is being computed, and how much of it is done, 0 to 1."""

    label: str
    share: float = 0.0


@dataclass(eq=False)
class Computed:
    """A run of a batch, from its first frame on; `run` is None until it is complete."""

    run_id: str
    scenario: Scenario
    forked: Mapping[str, Any] | None = None
    feed: Feed = field(default_factory=lambda: Feed(kept=True))
    run: Run | None = None
    kind: str = ""
    growing: Growing | None = None

    @property
    def label(self) -> str:
        """What it runs, and when it was done."""
        if self.run is not None:
            return shelf.label(self.run)
        told = shelf.describe(self.scenario, forked=self.forked)
        return f"{told} · {self.kind}" if self.kind else told


class Batch:
    """Runs that were asked for together, computed one after the other in a thread of their own.

    Attributes
    ----------
    runs : list of Computed
        Those that have begun.
    work : Work
    error : str
        Why it ended early; empty if it did not, or was cancelled.
    began, ended : threading.Event
        Set when its first run has begun, or it has ended before that; when it has ended.
    """

    def __init__(
        self, asked: Sequence[Asked], runs_dir: Path, run_scenario: Callable[..., Run]
    ) -> None:
        self.runs: list[Computed] = []
        self.work = Work("Starting")
        self.error = ""
        self.began, self.ended = threading.Event(), threading.Event()
        self.runs_dir = runs_dir
        self._asked = asked
        self._run_scenario = run_scenario
        self._cancelled = threading.Event()
        self._watchers = 0
        self._alone_since = time.monotonic()

    def begin(self) -> None:
        """Start to compute."""
        threading.Thread(target=self._compute, daemon=True).start()

    def refused(self) -> str:
        """Wait until a run has begun, or none will; return why none will, "" where one has."""
        self.began.wait()
        return "" if self.runs else self.error

    def join(self) -> None:
        """Somebody looks at it."""
        with _LOCK:
            self._watchers += 1

    def leave(self, *, gone: bool = False) -> None:
        """Nobody waits for it any more: it stops, or, if the tab has `gone`, after a while."""
        with _LOCK:
            self._watchers -= 1
            self._alone_since = time.monotonic()
            if self._watchers == 0 and not gone:
                self._cancelled.set()

    def _is_over(self) -> bool:
        """Whether to stop: somebody said so, or all who looked at it are gone for long."""
        grace_s = RELOAD_S if limits.waiting() else GRACE_S
        alone = self._watchers == 0 and time.monotonic() - self._alone_since > grace_s
        return self._cancelled.is_set() or alone

    def _compute(self) -> None:
        try:
            with limits.turn(self._is_over, self._wait) as mine:
                if mine:
                    self._try_out()
                for asked in self._asked if mine else ():
                    self._run(asked)
        except InputError as wrong:
            self.error = public(str(wrong))
        except Exception as failed:
            if not self._is_over():
                log.exception("the page's background work failed")
                full = isinstance(failed, OSError) and failed.strerror
                self.error = f"The run could not be kept: {full}." if full else FAILED
        finally:
            with _LOCK:
                _BATCHES.remove(self)
            for computed in self.runs:
                computed.feed.release()
            self.began.set()
            self.ended.set()

    def _reports(self, words: str, *, stops: bool = False) -> Told:
        """What takes note of steps made; it `stops` what cannot be asked to where nobody waits."""

        def reached(step: int, steps: int) -> None:
            self.work = Work(f"{words} {step} of {steps}", step / steps)
            if stops and self._is_over():
                raise RunCancelledError

        return reached

    def _wait(self, why: str) -> None:
        self.work = Work(why)

    def _try_out(self) -> None:
        """Take the first step of all runs but the first: what one refuses is found before any."""
        for asked in self._asked[1:]:
            self.work = Work(f"{asked.label}: looking for room")
            scenario, beginning = asked.prepare(self._reports(asked.label, stops=True))
            if beginning is None and not self._is_over():
                model_of(scenario).step()

    def _shown(
        self, scenario: Scenario, forked: Mapping[str, Any] | None, made: list[Computed]
    ) -> tuple[Tap, Callable[[TwinModel], None]]:
        """What shows a run, which is `made` with its first frame, and what watches its steps."""

        def begin(model: TwinModel, planned: Plan) -> None:
            assert isinstance(model.recorder, Recorder)
            run_id = model.recorder.run_id
            made.append(Computed(run_id, scenario, forked, growing=Growing(model)))
            made[0].feed.begin(trace.head(model.world, planned, run_id=run_id))
            self.runs.append(made[0])
            self.began.set()

        tap = Tap(begin, lambda frame: made[0].feed.show(frame))

        def watch(model: TwinModel) -> None:
            tap(model)
            growing = made[0].growing
            if growing is not None:
                growing.add(model)

        return tap, watch

    def _run(self, asked: Asked) -> None:
        name = asked.label
        self.work = Work(f"{name}: setting out")
        deadline = time.monotonic() + limits.MAX_RUN_S
        made: list[Computed] = []

        scenario, beginning = asked.prepare(self._reports(f"{name}: back at step", stops=True))
        forked = None if beginning is None else beginning.forked

        def cancelled() -> bool:
            if time.monotonic() > deadline:
                raise InputError(
                    f"{name}: stopped after {limits.MAX_RUN_S / 60:g} minutes, the longest that "
                    "the page computes; `twin run` has no such limit"
                )
            return self._is_over()

        tap, watch = self._shown(scenario, forked, made)
        try:
            run = self._run_scenario(
                scenario,
                runs_dir=self.runs_dir,
                progress=self._reports(f"{name}: step"),
                cancelled=cancelled,
                watch=watch,
                beginning=beginning,
                run_id=asked.run_id,
                checkpoint_every_s=CHECKPOINT_S,
            )
        finally:
            tap.end()
            for computed in made:
                computed.feed.end()
        made[0].run, made[0].growing = run, None
        made[0].feed.end(whole=True)


_LOCK = threading.Lock()
_BATCHES: list[Batch] = []


def start(asked: Sequence[Asked], runs_dir: Path, run_scenario: Callable[..., Run]) -> Batch:
    """Compute runs one after the other; pages find them by the runs' names until they are done."""
    batch = Batch(asked, runs_dir, run_scenario)
    with _LOCK:
        _BATCHES.append(batch)
    batch.begin()
    return batch


def running(runs_dir: Path) -> list[Batch]:
    """What is being computed into a folder."""
    with _LOCK:
        return [batch for batch in _BATCHES if batch.runs_dir == runs_dir]


def computes(runs_dir: Path, run_ids: Sequence[str]) -> Batch | None:
    """The batch that computes one of the runs; None if there is none."""
    for batch in running(runs_dir):
        if any(computed.run_id in run_ids for computed in batch.runs):
            return batch
    return None
