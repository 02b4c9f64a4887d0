"""What one browser session looks at and waits for: its runs, its work in the background."""

import ctypes
import gc
import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import solara

from agents.model import TwinModel
from agents.recorder import Recorder
from twin.errors import InputError
from twin.plugins.loading import load_kept
from twin.runs.store import Run, open_run
from twin.scenario.schema import Scenario
from twin.views import limits, replay, shelf, trace
from twin.views.live import Tap
from twin.views.public import FAILED, public
from twin.views.stream import Stream
from twin.views.trace import Plan
from twin.world.world import World

PROGRESS_INTERVAL_S = 0.2
TIDY_AFTER_S = 3.0

log = logging.getLogger(__name__)

type Job = Callable[["threading.Event"], None]


@dataclass(frozen=True, eq=False)
class Shown:
    """A run on stage, or on its way there; `run` is None until it is complete."""

    stream: Stream
    run_id: str
    label: str
    run: Run | None = None


@dataclass(frozen=True)
class Work:
    """What is being computed, and how much of it is done, 0 to 1."""

    label: str
    share: float = 0.0


class StoppedError(Exception):
    """The viewer wants something else, or has gone."""


class Session:
    """State of one browser session; `close` it when the tab goes.

    Work happens in one background thread at a time, which stops within a step when cancelled.

    Parameters
    ----------
    runs_dir : Path
        Where runs are written and found.
    run_scenario : callable
        ``run_scenario(scenario, runs_dir=..., run_id=..., progress=..., cancelled=..., watch=...)
        -> Run``; it raises when `cancelled` says so.
    """

    def __init__(self, runs_dir: Path, run_scenario: Callable[..., Run]) -> None:
        self._runs_dir = runs_dir
        self._run_scenario = run_scenario
        self._stop = threading.Event()
        self._keys = (f"s{n}" for n in itertools.count())
        found = shelf.look(runs_dir)
        self.runs: solara.Reactive[list[Run]] = solara.reactive(found.runs)
        self.unreadable: solara.Reactive[dict[str, str]] = solara.reactive(found.unreadable)
        self.shown: solara.Reactive[tuple[Shown, ...]] = solara.reactive(())
        self.work: solara.Reactive[Work | None] = solara.reactive(None)
        self.error: solara.Reactive[str] = solara.reactive("")

    def start(self, scenarios: Sequence[Scenario]) -> None:
        """Run scenarios one after the other and show them, side by side if there are several."""
        try:
            for scenario in scenarios[: limits.MAX_SIDE_BY_SIDE]:
                limits.check(scenario)
        except InputError as wrong:
            self.error.value = public(str(wrong))
            return

        def job(stop: threading.Event) -> None:
            for number, scenario in enumerate(scenarios[: limits.MAX_SIDE_BY_SIDE]):
                self._run(stop, scenario, beside=number > 0)

        self._begin(job)

    def open(self, run_ids: Sequence[str]) -> None:
        """Show runs of the list, side by side if there are several; others are not looked for.

        Where none of them is in the list and nothing on stage: the newest that can be read.
        """
        wanted = list(dict.fromkeys(run_ids))
        self._look()
        newest = [run.path.name for run in self.runs.value]
        notes = self._missing(wanted)
        chosen = [i for i in wanted if i in newest]
        most = limits.MAX_SIDE_BY_SIDE if chosen else 1
        if not chosen and not self.shown.value:
            chosen = newest
        if not chosen:
            self.error.value = " ".join(notes)
            return
        kept = {s.run_id: s for s in self.shown.value if s.run is not None and s.stream.whole}

        def job(stop: threading.Event) -> None:
            stage = {i: kept[i] for i in chosen if i in kept}
            if stage:
                self._set(stop, tuple(stage.values()))

            def begin(shown: Shown) -> None:
                stage[shown.run_id] = shown
                self._set(stop, tuple(stage[i] for i in chosen if i in stage))

            for run_id in chosen:
                if len(stage) < most and run_id not in stage:
                    self._replay(stop, run_id, begin, notes)
            if notes:
                raise InputError(" ".join(notes))

        self._begin(job)

    def _missing(self, run_ids: Sequence[str]) -> list[str]:
        """What to say of those that are not in the list, or cannot be read; each thing once."""
        wrong = self.unreadable.value
        notes = [f"Run {i} cannot be read: {wrong[i]}" for i in run_ids if i in wrong]
        known = {*wrong, *(run.path.name for run in self.runs.value)}
        absent = [i for i in run_ids if i not in known][: limits.MAX_SIDE_BY_SIDE]
        return [*notes, *dict.fromkeys(shelf.absent(self._runs_dir, i) for i in absent)]

    def note(self, text: str) -> None:
        """Show a line to the viewer."""
        self.error.value = text

    def cancel(self) -> None:
        """Stop the work in the background, if any; what is there stays on stage."""
        self._stop.set()
        self.work.value = None

    def close(self) -> None:
        """Stop for good: nobody is looking any more."""
        self._stop.set()
        self.shown.value = ()
        tidy = threading.Timer(TIDY_AFTER_S, _give_back)
        tidy.daemon = True
        tidy.start()

    def _begin(self, job: Job) -> None:
        self._stop.set()
        self._stop = stop = threading.Event()
        self.error.value = ""
        self.work.value = Work("Starting")
        threading.Thread(target=self._do, args=(job, stop), daemon=True).start()

    def _do(self, job: Job, stop: threading.Event) -> None:
        error = ""
        try:
            self._wait_for_turn(stop)
            try:
                job(stop)
            finally:
                limits.AT_WORK.release()
        except InputError as wrong:
            error = public(str(wrong))
        except Exception as failed:
            if stop.is_set():
                return
            log.exception("the page's background work failed")
            full = isinstance(failed, OSError) and failed.strerror
            error = f"The run could not be kept: {full}." if full else FAILED
        if stop.is_set():
            return
        self._look()
        self.error.value = error or self.error.value  # a note that was made meanwhile stays
        self.work.value = None

    def _look(self) -> None:
        found = shelf.look(self._runs_dir)
        self.runs.value, self.unreadable.value = found.runs, found.unreadable

    def _wait_for_turn(self, stop: threading.Event) -> None:
        while not limits.AT_WORK.acquire(timeout=0.2):
            if stop.is_set():
                raise StoppedError
            self._report(stop, Work("Waiting: others are computing on this server"))

    def _run(self, stop: threading.Event, scenario: Scenario, *, beside: bool) -> None:
        stream, made = Stream(next(self._keys)), list[Shown]()
        name = f"Running {scenario.name} with {scenario.placement.strategy}"
        self._report(stop, Work(f"{name}: setting out"))
        deadline = time.monotonic() + limits.MAX_RUN_S

        def begin(model: TwinModel, planned: Plan) -> None:
            assert isinstance(model.recorder, Recorder)
            run_id = model.recorder.run_id
            made.append(Shown(stream, run_id, shelf.describe(scenario)))
            stream.begin(trace.head(model.world, planned, run_id=run_id))
            self._set(stop, (*(self.shown.value if beside else ()), *made))

        def cancelled() -> bool:
            if time.monotonic() > deadline:
                raise InputError(
                    f"{name}: stopped after {limits.MAX_RUN_S / 60:g} minutes, the longest that "
                    "the page computes; `twin run` has no such limit"
                )
            return stop.is_set()

        tap = Tap(begin, stream.show)
        try:
            run = self._run_scenario(
                scenario,
                runs_dir=self._runs_dir,
                progress=self._progress(stop, name),
                cancelled=cancelled,
                watch=tap,
            )
        finally:
            tap.end()
            stream.end()
        stream.end(whole=True)
        (shown,) = made
        done = replace(shown, run=run, label=shelf.label(run))
        self._set(stop, tuple(done if s is shown else s for s in self.shown.value))

    def _replay(
        self,
        stop: threading.Event,
        run_id: str,
        begin: Callable[[Shown], None],
        notes: list[str],
    ) -> None:
        """Show what a run on disk holds, as far as it can be read; `notes` gets what is wrong."""
        folder, stream = self._runs_dir / run_id, Stream(next(self._keys))
        try:
            run = open_run(folder)
            self._send(stop, Shown(stream, run_id, shelf.label(run), run), run, begin)
        except StoppedError:
            raise
        except Exception as error:
            notes.append(shelf.told(folder, error))
        finally:
            stream.end()

    def _send(
        self, stop: threading.Event, shown: Shown, run: Run, begin: Callable[[Shown], None]
    ) -> None:
        load_kept(run.path)
        scenario = run.scenario
        world = World(scenario)
        planned = trace.plan(world, run.first_step)
        report = self._progress(stop, f"Opening {scenario.name}")
        shown.stream.begin(trace.head(world, planned, run_id=shown.run_id))
        for number, frame in enumerate(replay.frames(run, world, planned), start=1):
            if stop.is_set():
                raise StoppedError
            shown.stream.show(frame)
            if number == 1:
                begin(shown)
            report(number, planned.frames)
        shown.stream.end(whole=True)

    def _set(self, stop: threading.Event, shown: tuple[Shown, ...]) -> None:
        if not stop.is_set():
            self.shown.value = shown

    def _progress(self, stop: threading.Event, name: str) -> Callable[[int, int], None]:
        last = 0.0

        def report(step: int, steps: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last > PROGRESS_INTERVAL_S:
                last = now
                self._report(stop, Work(f"{name}: step {step} of {steps}", step / steps))

        return report

    def _report(self, stop: threading.Event, work: Work) -> None:
        if not stop.is_set():
            self.work.value = work


def _give_back() -> None:
    """Return to the system what closed sessions used; the C library's allocator would keep it."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, others need it less
    if trim is not None:
        trim(0)
