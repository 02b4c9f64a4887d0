"""Jobs whose results are kept as they end: an interruption costs only those under way."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from twin.errors import is_stop
from twin.registry import PLUGIN_TEXTS
from twin.runs import outputs
from twin.runs.files import versions
from twin.scenario import loader
from twin.scenario.schema import Scenario
from twin.study.pool import run_jobs


class Kept:
    """Figures of runs that are done, in a file that the same command goes on with.

    Parameters
    ----------
    path : Path
        JSON lines; a line that was not written whole is left out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, dict[str, Any]] = {}
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                    self._known[entry["key"]] = entry["result"]
                except (ValueError, KeyError, TypeError):
                    continue

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> dict[str, Any]:
        return self._known[key]

    def add(self, key: str, result: dict[str, Any]) -> None:
        """Keep a result, on disk when this returns."""
        self._known[key] = result
        with self._path.open("a", encoding="utf-8") as file:
            # Behind what an interruption may have left of a line.
            file.write("\n" + json.dumps({"key": key, "result": result}))
            file.flush()
            os.fsync(file.fileno())


def open_kept(path: Path, *, resume: bool) -> Kept:
    """Open the file that results are kept in; without `resume` it begins empty.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    outputs.check("--runs-dir", path, makes_folder=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not resume:
        path.unlink(missing_ok=True)
    return Kept(path)


def forget(path: Path) -> None:
    """Remove the file, and its folder if that is empty: the answer is there."""
    with suppress(OSError):
        path.unlink()
        path.parent.rmdir()


def key_of(scenario: Scenario, *rest: object) -> str:
    """Return what a result depends on, as a hash.

    That is the scenario with the content of its files, the plug-ins that are loaded, the versions
    of the software, and `rest`.
    """
    common = json.dumps([versions(), sorted(PLUGIN_TEXTS.items())])
    told = f"{common}{loader.scenario_hash(scenario)}{rest}"
    return hashlib.sha256(told.encode()).hexdigest()


def keys_of(scenarios: Sequence[Scenario], replicates: int, *rest: object) -> list[str]:
    """Return `key_of` of each replicate of each scenario."""
    return [key_of(each, r, *rest) for each in scenarios for r in range(replicates)]


def map_kept(
    job: Callable[..., Any],
    arguments: Sequence[tuple[Any, ...]],
    keys: Sequence[str],
    kept: Kept,
    *,
    again: str = "the same command with --resume goes on",
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> list[Any]:
    """Call ``job(*arguments[i])`` for every i whose key is not kept; return all results in order.

    Parameters
    ----------
    job : callable
        Importable at module level; its result can be written as JSON.
    arguments : sequence of tuple
        One call each.
    keys : sequence of str
        What each call is kept by.
    kept : Kept
    again : str
        What to do after an interruption.
    workers : int, optional
        Processes; all processors by default, none at all (in this process) for 1.
    progress : callable
        Called with (jobs done, jobs in all).
    """
    missing = [i for i, key in enumerate(keys) if key not in kept]
    done, total = len(keys) - len(missing), len(keys)
    progress(done, total)
    try:
        calls = [arguments[i] for i in missing]
        with closing(run_jobs(job, calls, workers=workers)) as ended:
            for i, result in ended:
                if isinstance(result, Exception):
                    raise result
                kept.add(keys[missing[i]], {"result": result})
                done += 1
                progress(done, total)
    except BaseException as error:
        if is_stop(error) or isinstance(error, OSError):
            error.add_note(f"{done} of {total} were done and are kept; {again}")
        raise
    return [kept[key]["result"] for key in keys]
