"""A run on disk, on its way to the stage."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from twin.runs.store import open_run
from twin.views import playback, shelf
from twin.views.computing import Work
from twin.views.shown import Shown, StoppedError
from twin.views.stream import Feed, Stream

PROGRESS_INTERVAL_S: Final = 0.2


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
        run = open_run(folder)
        stream = Stream(key, feed)
        shown = Shown(
            stream, folder.name, shelf.label(run), run.scenario, run, run.manifest.get("forked")
        )
        for number, frames in enumerate(playback.play(run, feed), start=1):
            if stop.is_set():
                raise StoppedError
            if number == 1:
                begin(shown)
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
