"""The stage as a widget: the page asks for traces piece by piece and runs its own clock."""

from typing import Any

import traitlets

from twin.views.bundle import Bundled
from twin.views.comparison import NOTHING
from twin.views.stream import Stream


class Stage(Bundled):
    """Satellites, links and tokens of one run, or of several side by side, with charts and clock.

    Attributes
    ----------
    streams : tuple of Stream
        What to show.
    shown : list of str
        Their keys, for the page.
    comparison : dict
        What differs between the runs: see `twin.views.comparison`.
    start_s : float
        Where to begin, seconds after the start of the run.
    step : int
        Step on screen, written by the page, once a second at most.
    compact : bool
        Only the picture and its time, for a place beside other things.
    dark : bool
        Whether the page is dark; the page writes it.
    on_open, on_away : callable
        Called with the names of runs that the viewer goes back to, or the name of one to take away.
    on_ask : callable
        Called with a question about a run; returns the answer: see `twin.views.questions`.
    on_branch : callable
        Called with a change of a run: see `twin.views.whatif`.
    """

    streams = traitlets.Any(())
    shown = traitlets.List(traitlets.Unicode()).tag(sync=True)
    start_s = traitlets.Float(0.0).tag(sync=True)
    comparison = traitlets.Dict(NOTHING).tag(sync=True)
    step = traitlets.Int(0).tag(sync=True)
    on_open = traitlets.Any(None, allow_none=True)
    on_away = traitlets.Any(None, allow_none=True)
    on_ask = traitlets.Any(None, allow_none=True)
    on_branch = traitlets.Any(None, allow_none=True)
    compact = traitlets.Bool(False).tag(sync=True)
    dark = traitlets.Bool(True).tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_msg(self._asked)

    @traitlets.observe("streams")
    def _changed(self, change: dict[str, Any]) -> None:
        self.shown = [stream.key for stream in change["new"]]

    def _asked(self, _: Any, content: Any, buffers: Any) -> None:  # noqa: ARG002
        """Answer ``{"want": key, "number": n}`` with that message of that stream."""
        if not isinstance(content, dict):
            return
        away, back = content.get("away"), content.get("open")
        if isinstance(away, str) and self.on_away is not None:
            self.on_away(away)
        if isinstance(back, list) and all(isinstance(i, str) for i in back) and self.on_open:
            self.on_open(back)
        asked, branch = content.get("ask"), content.get("branch")
        if isinstance(branch, dict) and self.on_branch is not None:
            self.on_branch(branch)
        if isinstance(asked, int) and self.on_ask is not None:
            self.send({"answer": asked, **self.on_ask(content)})
        key, number = content.get("want"), content.get("number")
        stream: Stream | None = next((s for s in self.streams if s.key == key), None)
        if stream is None or not isinstance(number, int):
            return
        stream.want(number, lambda message: self.send({"key": key, "number": number}, [message]))
