"""Live runs on stage: what another process mirrors, followed while its checkpoints grow."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from twin.errors import InputError
from twin.live import journal
from twin.live.orbits import LiveEphemeris, SetsState
from twin.live.state import LiveState
from twin.plugins.loading import load_kept
from twin.runs import lock
from twin.runs.files import PARTIAL
from twin.runs.store import Run, any_run, open_run
from twin.views import computing, mirrored, trace
from twin.views.computing import RELOAD_S, Batch, Computed, Work
from twin.views.mirrored import Grown, Rows
from twin.views.public import FAILED, public
from twin.views.replay import Player
from twin.views.stream import Feed
from twin.views.trace import Frame
from twin.vocabulary.live import KIND
from twin.world.world import World

log = logging.getLogger(__name__)

LOOK_S: Final = 0.5
"""Between two looks for a new checkpoint."""


class Followed:
    """A live run that grows on stage, for all pages that look at it; like a batch of one run.

    Parameters
    ----------
    runs_dir : Path
    run_id : str

    Attributes
    ----------
    runs : list of Computed
        The run, once its first frame is there.
    error : str
        Why it is no longer followed; empty if it is complete.
    ended : threading.Event
    newest : LiveState or None
        Of the newest checkpoint.
    """

    def __init__(self, runs_dir: Path, run_id: str) -> None:
        self.runs: list[Computed] = []
        self.error = ""
        self.ended = threading.Event()
        self.runs_dir, self.run_id = runs_dir, run_id
        self.newest: LiveState | None = None
        self._tail: Tail | None = None
        self._partial = runs_dir / f"{run_id}{PARTIAL}"
        self._watchers, self._alone_since = 0, time.monotonic()
        self._read_s = time.monotonic()

    @property
    def work(self) -> Work | None:
        """What a page says while there is nothing to see."""
        waits = f"Waiting for the first checkpoint of {self.run_id}"
        return None if self.runs else Work(waits)

    @property
    def step_s(self) -> float:
        """Length of a step; 0 before the first look."""
        return 0.0 if self._tail is None else self._tail.world.step_s

    @property
    def folder(self) -> Path:
        """Where the run is now."""
        complete = self.runs_dir / self.run_id
        return complete if complete.is_dir() else self._partial

    def begin(self) -> None:
        """Start to follow."""
        threading.Thread(target=self._follow, daemon=True).start()

    def join(self) -> None:
        """Somebody looks at it."""
        with _LOCK:
            self._watchers += 1

    def leave(self, *, gone: bool = False) -> None:  # noqa: ARG002
        """Somebody looks at it no longer; the mirror does not mind."""
        with _LOCK:
            self._watchers -= 1
            self._alone_since = time.monotonic()

    def status(self) -> dict[str, Any]:
        """How far the mirror is, and how old what is known of it; empty before there is a step."""
        if self.newest is None or self._tail is None:
            return {}
        step, recent_s = self.newest.twin.step, self.newest.intake.recent_s
        mirrored_s = step * self._tail.world.step_s
        clock_s = float(np.median(recent_s)) if len(recent_s) else mirrored_s
        return {
            "step": step,
            "behind_s": max(clock_s - mirrored_s, 0.0),
            "age_s": time.monotonic() - self._read_s,
            "heard_s": age_s(self.folder / journal.NAME),
            "mirroring": lock.is_held(self._partial),
        }

    def _is_alone(self) -> bool:
        return self._watchers == 0 and time.monotonic() - self._alone_since > RELOAD_S

    def _follow(self) -> None:
        try:
            while not self._is_alone() and not self._look():
                time.sleep(LOOK_S)
        except InputError as wrong:
            self.error = public(str(wrong))
        except Exception:
            log.exception("a live run cannot be followed")
            self.error = FAILED
        finally:
            with _LOCK:
                _FOLLOWED.remove(self)
            for computed in self.runs:
                computed.feed.end()
                computed.feed.release()
            self.ended.set()

    def _look(self) -> bool:
        """Show what is new; whether that was all, for the run is complete."""
        complete = self.runs_dir / self.run_id
        if complete.is_dir():
            self._finish(open_run(complete))
            return True
        if not self._partial.is_dir():
            raise InputError(f"Run {self.run_id} is no longer here.")
        try:
            self._tail = self._tail or Tail(any_run(self._partial))
            found = self._tail.rows.new()
        except FileNotFoundError:
            return False  # it has been completed meanwhile
        if found is not None:
            grown, self.newest = found
            self._read_s = time.monotonic()
            self._tail.follow(self.newest.mirror.sets)
            self._show(self._tail, grown)
        return False

    def _show(self, tail: "Tail", grown: Grown) -> None:
        feed = tail.feed
        for frame in tail.on(grown):
            feed.show(frame)
        feed.flush(last=False)
        if not self.runs and tail.shown:
            self.runs.append(Computed(self.run_id, tail.world.scenario, feed=feed, kind=KIND))

    def _finish(self, run: Run) -> None:
        self._tail = tail = self._tail or Tail(run)
        self._show(tail, tail.rows.last(run))
        for frame in tail.rest():
            tail.feed.show(frame)
        tail.feed.end(whole=True)
        for computed in self.runs:
            computed.run = run


class Tail:
    """Makes frames of what a live run has that was not there before.

    Parameters
    ----------
    run : Run
        Not complete.

    Attributes
    ----------
    world : World
    rows : Rows
    feed : Feed
    shown : int
        Frames made.
    """

    def __init__(self, run: Run) -> None:
        load_kept(run.path)
        scenario = run.asked
        self.world = world = World(scenario)
        self._planned = planned = trace.plan(world)
        self.rows = Rows(run, max(planned.stride, scenario.simulation.record_satellites_every))
        self.feed = Feed(kept=True)
        self.feed.begin(trace.head(world, planned, run_id=_name(run), live=True))
        self.shown = 0
        self._player: Player | None = None

    def follow(self, sets: SetsState) -> None:
        """Fly by the element sets that the mirror has by now."""
        if not isinstance(self.world.ephemeris, LiveEphemeris):
            body = self.world.constellation
            self.world.ephemeris = LiveEphemeris(self.world.scenario, body, sets)
        self.world.ephemeris.sets = sets

    def on(self, grown: Grown) -> Iterator[Frame]:
        """Yield the frames that are complete now."""
        self._player = self._player or Player(grown, self.world, self._planned)
        for frame in self._player.on(grown):
            self.shown += 1
            yield frame

    def rest(self) -> Iterator[Frame]:
        """Yield a last frame of fewer steps, if there are some."""
        if self._player is not None:
            yield from self._player.rest()


def age_s(file: Path) -> float | None:
    """Seconds since a file was written; None where there is none."""
    try:
        return max(time.time() - file.stat().st_mtime, 0.0)
    except OSError:
        return None


def _name(run: Run) -> str:
    return run.path.name.removesuffix(PARTIAL)


_LOCK = threading.Lock()
_FOLLOWED: list[Followed] = []


def follow(runs_dir: Path, run_ids: Sequence[str]) -> Followed | None:
    """Follow the first of some runs that is a live one and not complete; None if there is none."""
    there = mirrored.growing(runs_dir)
    wanted = next((run_id for run_id in run_ids if run_id in there), None)
    if wanted is None:
        return None
    with _LOCK:
        for known in _FOLLOWED:
            if (known.runs_dir, known.run_id) == (runs_dir, wanted):
                return known
        found = Followed(runs_dir, wanted)
        _FOLLOWED.append(found)
    found.begin()
    return found


def of(runs_dir: Path, run_ids: Sequence[str]) -> Batch | Followed | None:
    """What makes one of the runs now, here or in another process; None if nothing does."""
    return computing.computes(runs_dir, run_ids) or follow(runs_dir, run_ids)


def underway(runs_dir: Path) -> Batch | Followed | None:
    """What was begun last of what is computed here, else of what is mirrored."""
    batches = computing.running(runs_dir)
    return batches[-1] if batches else follow(runs_dir, newest(runs_dir))


def newest(runs_dir: Path) -> list[str]:
    """Name of the live run that a mirror began to write last, if there is one."""
    return mirrored.written(runs_dir)[-1:]


def labels(runs_dir: Path) -> dict[str, str]:
    """Labels of runs that are computed here or mirrored, and not complete, by their names."""
    found = {run_id: f"{run_id} · {KIND}" for run_id in mirrored.growing(runs_dir)}
    computed = [c for batch in computing.running(runs_dir) for c in batch.runs]
    return found | {c.run_id: c.label for c in computed if c.run is None}
