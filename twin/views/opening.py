"""A run on disk, on its way to the stage."""

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from twin.runs.files import MANIFEST
from twin.runs.store import Run, open_run
from twin.views import limits, playback, shelf
from twin.views.computing import Work
from twin.views.shown import Shown, StoppedError
from twin.views.stream import FIRST_CHUNK, Feed, Stream

PROGRESS_INTERVAL_S: Final = 0.2
KEPT_S: Final = 30.0
"""How long a run that was begun ahead waits for the page that wants it."""

patience_s = 0.0
"""For how long the rest of a run waits until a page has drawn its first frames; where pages are
served (`twin.app`) that is longer than they take."""

_LOOK_INTERVAL_S: Final = 0.02
log = logging.getLogger(__name__)


class _Begun:
    """A run that is read frame by frame."""

    def __init__(self, folder: Path) -> None:
        self.stamp = _stamp(folder)
        self.run: Run = open_run(folder)
        self.feed = Feed()
        self._more = playback.play(self.run, self.feed)
        self._early: list[int] = []

    def read_first(self) -> None:
        """Read the frames of the first picture."""
        self._early = list(itertools.islice(self._more, FIRST_CHUNK))

    def frames(self) -> Iterator[int]:
        """After each frame how many there are in all."""
        yield from self._early
        yield from self._more


_ahead: dict[Path, _Begun] = {}
_at_work = threading.Lock()


def ahead(root: Path, run_ids: Sequence[str]) -> None:
    """Begin to read the first of these runs, else the newest, for a page that is about to ask.

    A browser takes a second until its page asks; then the first frames are there. One at a time,
    in the background; where another is being begun the page's own request does it.

    Parameters
    ----------
    root : Path
        Of all runs.
    run_ids : sequence of str
        Which the page will show, if they are there.
    """
    if _at_work.acquire(blocking=False):
        threading.Thread(target=_begin_ahead, args=(root, run_ids), daemon=True).start()


def _begin_ahead(root: Path, run_ids: Sequence[str]) -> None:
    try:
        known = [run.path.name for run in shelf.look(root).runs]
        folder = next((root / i for i in [*run_ids, *known] if i in known), None)
        if folder is None or folder in _ahead:
            return
        begun = _Begun(folder)
        begun.read_first()
        _ahead[folder] = begun
    except Exception:  # the page's own request meets it again, and says so
        log.info("a run could not be begun ahead", exc_info=True)
        return
    finally:
        _at_work.release()

    def forget() -> None:
        if _ahead.get(folder) is begun:
            del _ahead[folder]

    forgotten = threading.Timer(KEPT_S, forget)
    forgotten.daemon = True
    forgotten.start()


def _begun(folder: Path) -> _Begun:
    with _at_work:  # what is being begun may be this one
        begun = _ahead.pop(folder, None)
    return begun if begun is not None and begun.stamp == _stamp(folder) else _Begun(folder)


def _stamp(folder: Path) -> tuple[int, int]:
    found = (folder / MANIFEST).stat()
    return found.st_mtime_ns, found.st_ino


def replay(
    folder: Path,
    key: str,
    stop: threading.Event,
    *,
    begin: Callable[[Shown], None],
    report: Callable[[Work], None],
) -> str:
    """Show what a run on disk holds, as far as it can be read; returns what is wrong, if anything.

    Parameters
    ----------
    folder : Path
    key : str
        Of its stream.
    stop : threading.Event
        Set when it is no longer wanted; then `StoppedError` is raised.
    begin : callable
        Called when its first frame is there.
    report : callable
        Called with how far it is, now and then.
    """
    feed, last = Feed(), 0.0
    try:
        begun = _begun(folder)
        run, feed = begun.run, begun.feed
        stream = Stream(key, feed)
        shown = Shown(
            stream, folder.name, shelf.label(run), run.scenario, run, run.manifest.get("forked")
        )
        for number, frames in enumerate(begun.frames(), start=1):
            if stop.is_set():
                raise StoppedError
            if number == 1:
                begin(shown)
            if number == FIRST_CHUNK:  # so many make a picture
                _wait_for_picture(feed, stop)
            if time.monotonic() - last > PROGRESS_INTERVAL_S:
                last = time.monotonic()
                name = f"Opening {run.scenario.name}"
                report(Work(f"{name}: step {number} of {frames}", number / frames))
    except StoppedError:
        raise
    except Exception as error:
        return shelf.told(folder, error)
    finally:
        feed.end()
    return ""


def _wait_for_picture(feed: Feed, stop: threading.Event) -> None:
    """Leave the processor to the picture, unless others wait for their turn."""
    until = time.monotonic() + patience_s
    while not (feed.drawn or stop.is_set() or limits.waiting()) and time.monotonic() < until:
        time.sleep(_LOOK_INTERVAL_S)
