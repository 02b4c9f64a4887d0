"""What one browser session looks at and waits for: its runs, its work in the background."""

import itertools
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import solara

from twin.errors import InputError
from twin.runs.store import Run
from twin.scenario.schema import Scenario
from twin.views import comparison, computing, following, keeping, limits, questions, shelf, whatif
from twin.views.asked import from_start
from twin.views.computing import Batch, Computed, Work
from twin.views.following import Followed
from twin.views.opening import replay
from twin.views.public import FAILED, public
from twin.views.shown import Shown, StoppedError, branch_of, give_back, hold, named, of, stays

LOOK_INTERVAL_S = 0.05
TIDY_AFTER_S = 3.0
log = logging.getLogger(__name__)
type Job = Callable[["threading.Event"], None]
type Answer = Callable[[str], None]
type Made = Batch | Followed
type Stage = dict[Computed, Shown]


class Session:
    """State of one browser session; `close` it when the tab goes.

    Work happens in one background thread at a time, which stops within a step when cancelled; a
    run goes on for a while after the tab has gone (see `twin.views.computing`).

    Parameters
    ----------
    runs_dir : Path
        Where runs are written and found.
    run_scenario : callable
        As `agents.run.run_scenario`; it raises when `cancelled` says so.
    allowed : bool
        Whether this visitor may start runs and branch them: see `twin.views.keeping.may`.
    """

    def __init__(self, runs_dir: Path, run_scenario: Callable[..., Run], *, allowed: bool) -> None:
        self._runs_dir = runs_dir
        self._run_scenario = run_scenario
        self.allowed = allowed
        self._stop = threading.Event()
        self._batch: Made | None = None
        self._keys = (f"s{n}" for n in itertools.count())
        found = shelf.look(runs_dir)
        self.runs: solara.Reactive[list[Run]] = solara.reactive(found.runs)
        self.unreadable: solara.Reactive[dict[str, str]] = solara.reactive(found.unreadable)
        self.shown: solara.Reactive[tuple[Shown, ...]] = solara.reactive(())
        self.comparison: solara.Reactive[comparison.Told] = solara.reactive(comparison.NOTHING)
        self.work: solara.Reactive[Work | None] = solara.reactive(None)
        self.error: solara.Reactive[str] = solara.reactive("")

    def start(self, scenarios: Sequence[Scenario], answer: Answer | None = None) -> None:
        """Run scenarios one after the other and show them side by side.

        `answer` is called once: with why none is run, or "" when the first has begun or somebody
        has cancelled it. Without it the viewer reads why none is run.
        """
        wanted = scenarios[: limits.MAX_SIDE_BY_SIDE]
        try:
            keeping.check(self.allowed)
            for scenario in wanted:
                limits.check(scenario)
        except InputError as wrong:
            (answer or self.note)(public(str(wrong)))
            return
        self._leave()
        asked = [from_start(scenario) for scenario in wanted]
        batch = computing.start(asked, self._runs_dir, self._run_scenario)
        if answer is not None:
            threading.Thread(target=lambda: answer(batch.refused()), daemon=True).start()
        self._watch(batch, told=answer is not None)

    def branch(self, asked: Mapping[str, Any]) -> None:
        """Ask what if: begin a run in the middle of one on stage, beside it."""
        shown, parent = self.shown.value, named(self.shown.value, asked.get("run"))
        try:
            keeping.check(self.allowed)
            wanted = branch_of(parent, whatif.read(asked))
        except InputError as wrong:
            self.error.value = public(str(wrong))
            return
        others = [s.run_id for s in shown if s is not parent and stays(s)]
        beside = [str(asked["run"]), *others][: limits.MAX_SIDE_BY_SIDE - 1]
        batch = computing.start([wanted], self._runs_dir, self._run_scenario)
        self._watch(batch, beside)

    def rejoin(self) -> bool:
        """Look at what is being computed, if anything is."""
        found = following.underway(self._runs_dir)
        if found is not None:
            self._watch(found)
        return found is not None

    def open(self, run_ids: Sequence[str]) -> None:
        """Show runs of the list, side by side if there are several; others are not looked for.

        Where none of them is in the list and nothing on stage: what a mirror is writing, else the
        newest that can be read.
        """
        wanted = list(dict.fromkeys(run_ids))
        if not (wanted or self.shown.value):
            wanted = following.newest(self._runs_dir)
        batch = following.of(self._runs_dir, wanted)
        if batch is not None:
            computed = [c.run_id for c in batch.runs]
            self._watch(batch, [i for i in wanted if i not in computed])
            return
        self._leave()
        self._look()
        newest = [run.path.name for run in self.runs.value]
        notes = shelf.missing(self._runs_dir, wanted, newest, self.unreadable.value)
        chosen = [i for i in wanted if i in newest]
        most = limits.MAX_SIDE_BY_SIDE if chosen else 1
        if not chosen and not self.shown.value:
            chosen = newest
        if not chosen:
            self.error.value = " ".join(notes)
            return

        def job(stop: threading.Event) -> None:
            self._fill(stop, chosen, most, notes)
            if notes:
                raise InputError(" ".join(notes))

        self._begin(job)

    def _fill(
        self, stop: threading.Event, chosen: Sequence[str], most: int, notes: list[str]
    ) -> tuple[Shown, ...]:
        """Put complete runs on stage, as many as can be read, in their order."""
        whole = {s.run_id: s for s in self.shown.value if stays(s)}
        stage = {i: whole[i] for i in chosen if i in whole}
        if stage:
            self._set(stop, tuple(stage.values()))

        def begin(shown: Shown) -> None:
            stage[shown.run_id] = shown
            self._set(stop, tuple(stage[i] for i in chosen if i in stage))

        for run_id in chosen:
            if len(stage) < most and run_id not in stage:
                folder, key = self._runs_dir / run_id, next(self._keys)
                report = partial(self._report, stop)
                note = replay(folder, key, stop, begin=begin, report=report)
                notes += [note] if note else []
        return tuple(stage[i] for i in chosen if i in stage)

    def running(self) -> list[tuple[str, str]]:
        """Name and label of what is on stage, computed or mirrored, and may not be complete."""
        found = {s.run_id: s.label for s in self.shown.value if s.run is None}
        return list((following.labels(self._runs_dir) | found).items())

    def note(self, text: str) -> None:
        """Show a line to the viewer."""
        self.error.value = text

    def answer(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Answer what the page asks about a run on stage."""
        about = named(self.shown.value, asked.get("run"))
        run, live, growing = (about.run, about.live, about.growing) if about else (None,) * 3
        return questions.answer(run, asked, allowed=self.allowed, live=live, growing=growing)

    def take_away(self, run_id: str) -> None:
        """Take a run off the stage; the last one stays."""
        left = tuple(s for s in self.shown.value if s.run_id != run_id)
        if left and self.work.value is None:
            self._set(self._stop, left)
            threading.Thread(target=self._compare, args=(self._stop,), daemon=True).start()

    def cancel(self) -> None:
        """Stop the work in the background, if any; what is there stays on stage.

        A run that others look at too goes on for them.
        """
        self._leave()
        self.work.value = None

    def close(self) -> None:
        """Stop for good: nobody is looking any more, though somebody may come back."""
        self._stop.set()
        if self._batch is not None:
            self._batch.leave(gone=True)
            self._batch = None
        hold((), self.shown.value)
        self.shown.value = ()
        tidy = threading.Timer(TIDY_AFTER_S, give_back)
        tidy.daemon = True
        tidy.start()

    def _leave(self) -> None:
        """Something else is wanted: what is computed for this page alone stops."""
        batch, self._batch = self._batch, None
        self._stop.set()
        if batch is not None:
            # What somebody else has started is not stopped by a visitor who may start nothing.
            batch.leave(gone=not self.allowed)

    def _watch(self, batch: Made, others: Sequence[str] = (), *, told: bool = False) -> None:
        """Show what a batch computes, from its first frame on, until it ends, beside `others`."""
        if batch is not self._batch:
            self._leave()
            batch.join()
        self._batch = batch
        self._look()
        known = {run.path.name for run in self.runs.value}
        known |= {s.run_id for s in self.shown.value if s.live is not None}

        def job(stop: threading.Event) -> None:
            made: Stage = {}
            notes: list[str] = []
            most = limits.MAX_SIDE_BY_SIDE - 1
            beside = self._fill(stop, [i for i in others if i in known], most, notes)
            while not batch.ended.wait(LOOK_INTERVAL_S):
                if stop.is_set():
                    raise StoppedError
                self._show(stop, batch, beside, made)
                self._report(stop, batch.work)
            self._show(stop, batch, beside, made)
            if notes or (batch.error and (batch.runs or not told)):
                raise InputError(batch.error or " ".join(notes))

        self._begin(job, turn=False)

    def _show(
        self, stop: threading.Event, batch: Made, beside: tuple[Shown, ...], made: Stage
    ) -> None:
        """Put on stage what has begun, and what is complete as that, after what stands beside."""
        before = tuple(made.values())
        for computed in tuple(batch.runs):
            live = batch if isinstance(batch, Followed) else None
            made[computed] = of(computed, made.get(computed), next(self._keys), live)
        if tuple(made.values()) != before:
            self._set(stop, (*beside, *made.values())[: limits.MAX_SIDE_BY_SIDE])

    def _begin(self, job: Job, *, turn: bool = True) -> None:
        self._stop.set()
        self._stop = stop = threading.Event()
        self.error.value = ""
        self.work.value = Work("Starting")
        threading.Thread(target=self._do, args=(job, stop, turn), daemon=True).start()

    def _do(self, job: Job, stop: threading.Event, turn: bool) -> None:
        error = ""
        try:
            with self._turn(stop) if turn else nullcontext(True) as mine:
                if mine:
                    job(stop)
        except InputError as wrong:
            error = public(str(wrong))
        except Exception:
            if stop.is_set():
                return
            log.exception("the page's background work failed")
            error = FAILED
        if stop.is_set():
            return
        self._look()
        self.error.value = error or self.error.value  # a note that was made meanwhile stays
        self.work.value = None
        self._compare(stop)

    def _turn(self, stop: threading.Event) -> AbstractContextManager[bool]:
        return limits.turn(stop.is_set, lambda why: self._report(stop, Work(why)))

    def _compare(self, stop: threading.Event) -> None:
        """Compare the runs on stage by their figures, when all are complete."""
        shown = self.shown.value
        found = comparison.of_stage([s.run for s in shown], self.runs.value)
        if found is not None and not stop.is_set() and self.shown.value == shown:
            self.comparison.value = found

    def _look(self) -> None:
        found = shelf.look(self._runs_dir)
        self.runs.value, self.unreadable.value = found.runs, found.unreadable

    def _set(self, stop: threading.Event, shown: tuple[Shown, ...]) -> None:
        if not stop.is_set():
            names, scenarios = [s.run_id for s in shown], [s.scenario for s in shown]
            self.comparison.value = comparison.describe(names, scenarios, [s.forked for s in shown])
            hold(shown, self.shown.value)
            self.shown.value = shown

    def _report(self, stop: threading.Event, work: Work | None) -> None:
        if not stop.is_set():
            self.work.value = work
