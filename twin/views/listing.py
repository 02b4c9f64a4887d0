"""Runs and studies of a folder as a table: what each is, how far it is, its key figures."""

import queue
import re
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from twin.errors import InputError
from twin.runs import checkpoints, lock
from twin.runs.figures import METRICS, REQUEST_METRICS, SHORT, about
from twin.runs.files import MANIFEST, PARTIAL, read_manifest
from twin.runs.store import Run
from twin.runs.studies import ENDING
from twin.runs.summary import summarise
from twin.study import answers
from twin.views import shelf
from twin.views.rows import PAGE_ROWS, whole

type Row = dict[str, Any]

COMPLETE, RUNNING, INTERRUPTED = "complete", "running", "interrupted"
COLUMNS: Final = ("written", "what", "kind", "strategy", "policy", "seed", "steps", "status")
"""What rows can be ordered by."""

_STAMP: Final = re.compile(r"^\d{8}-\d{6}-")
"""When a study began, which another column says."""

_REQUESTS: Final = (*REQUEST_METRICS[:1], "request_tpot_mean_s", "goodput_per_s")
FIGURES: Final = (*METRICS[:3], "migrated_gb", *_REQUESTS)
"""Key figures of a run, those of tokens and those of requests."""


def headers() -> list[dict[str, str]]:
    """Names of the key figures, short and in full."""
    return [{"label": SHORT[name], "title": about(name).sentence} for name in FIGURES]


class Listing:
    """The runs and studies of one folder; figures are worked out in the background, and kept.

    Parameters
    ----------
    root : Path
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._figures: dict[tuple[str, str], list[float | None] | None] = {}
        self._wanted: queue.SimpleQueue[Run] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._at_work = False

    def rows(self, asked: Mapping[str, Any]) -> Row:
        """A page of rows that have a ``text``, ordered ``by`` a column, ``down`` or not."""
        runs = {run.path.name: run for run in shelf.look(self._root).runs}
        everything = [_of_run(run) for run in runs.values()]
        everything += [row for folder in _others(self._root) if (row := _of_folder(folder))]
        everything += [row for file in _answers(self._root) if (row := _of_answer(file))]
        by, text = asked.get("by", "written"), str(asked.get("text", "")).lower()
        if by not in COLUMNS:
            raise InputError(f"by: {by!r}: not one of {', '.join(COLUMNS)}")
        found = [row for row in everything if text in row["found_by"]]
        found.sort(key=lambda row: (row[by], row["id"]), reverse=bool(asked.get("down", True)))
        first = PAGE_ROWS * whole(asked, "page")
        shown = found[first : first + PAGE_ROWS]
        for row in shown:
            row["figures"] = self._figures_of(runs.get(row["id"]))
        waiting = any(row["figures"] is None and row["id"] in runs for row in shown)
        busy = waiting or any(row["status"] == RUNNING for row in everything)
        return {"total": len(everything), "matched": len(found), "rows": shown, "busy": busy}

    def _figures_of(self, run: Run | None) -> list[float | None] | None:
        """Figures in the units that are shown; None while they are not known."""
        if run is None:
            return None
        key = str(run.path), run.manifest["written_utc"]
        if key not in self._figures:
            self._figures[key] = None
            self._wanted.put(run)
            self._work()
        return self._figures[key]

    def _work(self) -> None:
        with self._lock:
            if self._at_work:
                return
            self._at_work = True
        threading.Thread(target=self._work_out, daemon=True).start()

    def _work_out(self) -> None:
        while True:
            try:
                run = self._wanted.get(timeout=1.0)
            except queue.Empty:
                with self._lock:
                    self._at_work = not self._wanted.empty()
                    if not self._at_work:
                        return
                continue
            self._figures[str(run.path), run.manifest["written_utc"]] = _drawn(run)


def _drawn(run: Run) -> list[float | None]:
    try:
        summary = summarise(run)
    except Exception:  # a damaged one has no figures; opening it says why
        return [None] * len(FIGURES)
    values = ((summary.get(name), about(name).scale) for name in FIGURES)
    return [None if value is None else value * scale for value, scale in values]


def _of_run(run: Run) -> Row:
    row = _told(run.manifest, run.path.name, COMPLETE)
    row["what"] = shelf.label(run).rpartition(" · ")[0]
    row["found_by"] = f"{row['id']} {row['what']} {COMPLETE}".lower()
    return row


def _others(root: Path) -> list[Path]:
    """Folders of what is not complete, and of studies."""
    try:
        found = sorted(root.iterdir())
    except OSError:
        return []
    return [f for f in found if f.name.endswith((PARTIAL, ENDING)) and f.name.isprintable()]


def _of_folder(folder: Path) -> Row | None:
    """A study, or a run or study that is not complete; None for what is neither."""
    study = folder.name.removesuffix(PARTIAL).endswith(ENDING)
    try:
        stamp = (folder / MANIFEST).stat().st_mtime_ns
        manifest = _manifest(folder, stamp, "study_id" if study else "run_id")
    except (OSError, InputError):
        return None
    if manifest is None:
        return None
    status = COMPLETE
    if folder.name.endswith(PARTIAL):
        status = RUNNING if lock.is_held(folder) else INTERRUPTED
    row = _told(manifest, folder.name.removesuffix(PARTIAL), status)
    if study:
        row["kind"] = "study"
        row["what"] = _STAMP.sub("", row["what"].removesuffix(ENDING))
    row["done"] = _done(folder, manifest, study)
    row["found_by"] = f"{row['id']} {row['what']} {row['kind']} {status}".lower()
    return row


def _answers(root: Path) -> list[Path]:
    """Files of what commands have found."""
    return [file for file in sorted(root.glob(f"*{answers.ENDING}")) if file.name.isprintable()]


def _of_answer(file: Path) -> Row | None:
    """What `twin capacity` or `twin where` has found; None for what cannot be read."""
    try:
        found = _answer(file, file.stat().st_mtime_ns)
    except (OSError, InputError):
        return None
    what = f"{found['command']}: {found['scenario']}"
    row = _told({"written_utc": found["written_utc"], "wall_time_s": 0.0}, file.name, COMPLETE)
    return row | {"what": what, "kind": "study", "found_by": f"{what} study {COMPLETE}".lower()}


@lru_cache(maxsize=64)
def _answer(file: Path, stamp: int) -> dict[str, Any]:  # noqa: ARG001 (a changed one is read again)
    return answers.read(file)


@lru_cache(maxsize=1024)
def _manifest(folder: Path, stamp: int, key: str) -> dict[str, Any] | None:  # noqa: ARG001
    return read_manifest(folder, key)


def _told(manifest: Mapping[str, Any], name: str, status: str) -> Row:
    told = manifest.get
    parts = (told("scenario", told("study", "")), told("strategy", ""), told("policy", ""))
    return {
        "id": name,
        "what": " · ".join(str(part) for part in parts if part) or name,
        "kind": told("kind", "branch" if told("forked") else "run"),
        "strategy": told("strategy", ""),
        "policy": told("policy", ""),
        "seed": told("seed", 0),
        "steps": told("steps", told("points", 0)),
        "written": manifest["written_utc"],
        "wall_s": manifest["wall_time_s"],
        "status": status,
        "done": None,
        "kept_bytes": (told("checkpoints") or {}).get("kept_bytes", 0),
    }


def _done(folder: Path, manifest: Mapping[str, Any], study: bool) -> int:
    """Steps of which a run has a checkpoint, or points that a study has."""
    if study:
        return int(manifest.get("done", 0))
    kept = checkpoints.files(folder)
    return int(kept[-1].stem) if kept else 0
