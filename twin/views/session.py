"""What one browser session looks at and waits for: its run, its work in the background."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import solara

from twin.errors import InputError
from twin.runs import Run, list_runs
from twin.scenario import loader
from twin.views import replay
from twin.views.trace import Trace, pack

PROGRESS_INTERVAL_S = 0.1

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class View:
    """A run on screen."""

    run: Run
    trace: Trace
    packed: bytes


@dataclass(frozen=True)
class Work:
    """What is being computed, and how much of it is done, 0 to 1."""

    label: str
    share: float = 0.0


class Session:
    """State of one browser session; `close` it when the tab goes.

    Work happens in one background thread at a time, which stops within a step when cancelled.

    Parameters
    ----------
    runs_dir : Path
        Where runs are written and found.
    run_scenario : callable
        ``run_scenario(scenario, runs_dir=..., progress=..., cancelled=...) -> Run``; it raises
        when `cancelled` says so.
    """

    def __init__(self, runs_dir: Path, run_scenario: Callable[..., Run]) -> None:
        self._runs_dir = runs_dir
        self._run_scenario = run_scenario
        self._stop = threading.Event()
        self.runs: solara.Reactive[list[Run]] = solara.reactive(list_runs(runs_dir))
        self.view: solara.Reactive[View | None] = solara.reactive(None)
        self.work: solara.Reactive[Work | None] = solara.reactive(None)
        self.error: solara.Reactive[str] = solara.reactive("")
        self.frame: solara.Reactive[int] = solara.reactive(0)

    def start(self, preset: str, strategy: str) -> None:
        """Run a preset with a placement strategy, then show it."""

        def job(stop: threading.Event) -> View:
            scenario = loader.load(preset, [f"placement.strategy={strategy}"])
            label = f"Running {preset} with {strategy}"
            self._report(stop, Work(f"{label}: setting out"))
            run = self._run_scenario(
                scenario,
                runs_dir=self._runs_dir,
                progress=self._progress(stop, label),
                cancelled=stop.is_set,
            )
            return self._load(stop, run)

        self._begin(job)

    def open(self, run_id: str) -> None:
        """Show a run of the list."""
        run = next((r for r in self.runs.value if r.manifest["run_id"] == run_id), None)
        if run is not None:
            self._begin(lambda stop: self._load(stop, run))

    def cancel(self) -> None:
        """Stop the work in the background, if any."""
        self._stop.set()
        self.work.value = None

    def close(self) -> None:
        """Stop for good: nobody is looking any more."""
        self._stop.set()

    def _begin(self, job: Callable[[threading.Event], View]) -> None:
        self._stop.set()
        self._stop = stop = threading.Event()
        self.error.value = ""
        self.work.value = Work("Starting")
        threading.Thread(target=self._do, args=(job, stop), daemon=True).start()

    def _do(self, job: Callable[[threading.Event], View], stop: threading.Event) -> None:
        view, error = None, ""
        try:
            view = job(stop)
        except InputError as wrong:
            error = str(wrong)
        except Exception:
            if stop.is_set():
                return
            log.exception("the page's background work failed")
            error = "Something went wrong while computing this; the server's log tells what."
        if stop.is_set():
            return
        self.runs.value = list_runs(self._runs_dir)
        self.error.value = error
        if view is not None:
            self.frame.value = 0
            self.view.value = view
        self.work.value = None

    def _load(self, stop: threading.Event, run: Run) -> View:
        progress = self._progress(stop, f"Preparing the picture of {run.scenario.name}")
        trace = replay.from_run(run, progress=progress, cancelled=stop.is_set)
        return View(run, trace, pack(trace))

    def _progress(self, stop: threading.Event, label: str) -> Callable[[int, int], None]:
        last = 0.0

        def report(step: int, steps: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last > PROGRESS_INTERVAL_S:
                last = now
                self._report(stop, Work(f"{label}: step {step} of {steps}", step / steps))

        return report

    def _report(self, stop: threading.Event, work: Work) -> None:
        if not stop.is_set():
            self.work.value = work
