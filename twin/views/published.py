"""The paper's table on a page of its own, computed here and set beside the published values."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import reacton.ipyvuetify as rv
import solara

from twin.study.pool import Pool
from twin.views import keeping, limits
from twin.views.parts import box
from twin.views.public import FAILED

REPLICATES = 4

log = logging.getLogger(__name__)


class Published:
    """The table of one server, computed once at the first wish and the same for all who look."""

    def __init__(self, reproduce: Callable[..., Any]) -> None:
        self._reproduce = reproduce
        self._lock = threading.Lock()
        self._running = False
        self.done: dict[str, Any] | None = None
        self.share = 0.0
        self.error = ""

    def begin(self) -> None:
        """Compute it in the background, unless it is there or under way."""
        with self._lock:
            if self._running or self.done is not None:
                return
            self._running = True
            self.error = ""
        threading.Thread(target=self._compute, daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether it is being computed."""
        return self._running

    def _compute(self) -> None:
        try:
            with limits.AT_WORK:
                found = self._reproduce(
                    replicates=REPLICATES, seed=0, pool=Pool(progress=self._told)
                )
            self.done = found.as_json()
        except Exception:
            log.exception("the paper's table could not be computed")
            self.error = FAILED
        finally:
            self._running = False

    def _told(self, done: int, total: int) -> None:
        self.share = done / max(total, 1)


@solara.component
def PublishedTable(published: Published, token: str) -> None:  # noqa: N802
    """The table, or a button that computes it."""
    tick, set_tick = solara.use_state(0)

    def watch(stop: threading.Event) -> None:
        while not stop.wait(0.5):
            set_tick(tick + 1)
            if not published.running:
                return

    running = published.running
    solara.use_thread(watch, dependencies=[running], intrusive_cancel=False)
    with box("tw-sheet", tag="main"):
        with solara.Link(keeping.with_token("/", token)):
            solara.Button("Back to the twin", text=True, classes=["tw-plain-button"])
        rv.Html(tag="h1", children=["Space-XNet's table, reproduced"])
        rv.Html(
            tag="p",
            children=[
                "Seconds per token on 1056 satellites over one orbit, exact expectation over the "
                f"choice of experts, mean ± 95 % interval over {REPLICATES} replicates with "
                "outages, activation ranks and random placements of their own. `twin reproduce "
                "space-xnet` computes the same with 32."
            ],
        )
        if published.done is not None:
            _table(published.done)
        elif running:
            box("tw-note-text", f"computing, {100 * published.share:.0f} % done")
            rv.ProgressLinear(value=100 * published.share, color="var(--accent)", height=3)
        else:
            if published.error:
                box("tw-note-text", published.error)

            def begin() -> None:
                published.begin()
                set_tick(tick + 1)

            solara.Button("Compute it (about half a minute)", on_click=begin, classes=["tw-run"])


def _table(found: dict[str, Any]) -> None:
    star, full = found["tables"]["paper-star"], found["tables"]["full accounting"]
    head = [
        "strategy",
        "this twin",
        "published",
        "times space-xnet",
        "full accounting",
        "180° star",
    ]
    rows = [
        [
            name,
            f"{row['mean_s']:.3f} ± {row['ci95_s']:.3f}",
            _range(row["paper_range_s"]),
            f"{found['ratio_vs'].get(name, 1.0):.2f}",
            f"{full[name]['mean_s']:.3f}",
            f"{star[name]['mean_s']:.3f}",
        ]
        for name, row in found["strategies"].items()
    ]
    _grid(head, rows)
    rv.Html(tag="h2", children=["Trends, seconds per token"])
    for axis, points in found["trends"].items():
        names = list(points[0]["strategies"])
        _grid(
            [axis, *names],
            [
                [f"{p['value']:g}", *(f"{p['strategies'][n]['mean_s']:.3f}" for n in names)]
                for p in points
            ],
        )
    rv.Html(tag="h2", children=["What the paper does not state, and is assumed here"])
    rv.Html(tag="ul", children=[rv.Html(tag="li", children=[a]) for a in found["assumptions"]])


def _range(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"{ends[0]:.2f}-{ends[1]:.2f}"


def _grid(head: list[str], rows: list[list[str]]) -> None:
    def line(tag: str, cells: list[str]) -> solara.Element:
        return rv.Html(tag="tr", children=[rv.Html(tag=tag, children=[cell]) for cell in cells])

    body = rv.Html(tag="tbody", children=[line("td", row) for row in rows])
    rv.Html(tag="table", children=[rv.Html(tag="thead", children=[line("th", head)]), body])
