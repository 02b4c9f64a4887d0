"""Results that are kept as jobs end: an interruption costs only those under way."""

import hashlib
import json
import os
from collections import UserDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twin.registry import PLUGIN_TEXTS
from twin.runs import outputs
from twin.runs.files import versions
from twin.scenario import loader
from twin.scenario.schema import Scenario

AGAIN = "the same command goes on"
"""What to do after an interruption, where a command always goes on with what it kept."""


class Kept(UserDict[str, Any]):
    """Results of runs that are done, in a file that the same command goes on with.

    Parameters
    ----------
    path : Path
        JSON lines; a line that was not written whole is left out.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                with suppress(ValueError, KeyError, TypeError):
                    entry = json.loads(line)
                    self.data[entry["key"]] = entry["result"]["result"]

    def __setitem__(self, key: str, result: Any) -> None:
        """Keep a result, on disk when this returns."""
        self.data[key] = result
        with self._path.open("a", encoding="utf-8") as file:
            # Behind what an interruption may have left of a line.
            file.write("\n" + json.dumps({"key": key, "result": {"result": result}}))
            file.flush()
            os.fsync(file.fileno())


def open_kept(path: Path, *, resume: bool = True) -> Kept:
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
