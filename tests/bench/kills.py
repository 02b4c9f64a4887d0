"""Kill commands at random moments, finish them, and hold what they made against the unkilled's."""

import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.errors import InputError
from twin.runs.checkpoints import files
from twin.runs.tables import TABLES

TWIN = (sys.executable, "-c", "from twin.cli.entry import main; main()")
STUDY = """
name = "killed"
scenario = "{scenario}"
replicates = 3
strategies = ["space-xnet", "packed"]
set = [{changes}]
"""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command that is killed.

    Attributes
    ----------
    args : sequence of str
        Of ``twin``, in a folder of its own.
    again : callable
        What finishes it, by what is left in the folder; a run that had not begun is begun again.
    digest : callable
        What it made in the folder, by file.
    """

    args: Sequence[str]
    again: Callable[[Path], Sequence[str]]
    digest: Callable[[Path], dict[str, str]]


def commands(
    scenario: str, overrides: Sequence[str], root: Path, workers: int
) -> dict[str, Command]:
    """Return the commands that are killed, by their names."""
    changes = [part for change in overrides for part in ("--set", change)]
    run = ["run", scenario, *changes]
    study = root / "study.toml"
    told = ", ".join(json.dumps(change) for change in overrides)
    study.write_text(STUDY.format(scenario=scenario, changes=told), encoding="utf-8")
    sweep = ["sweep", str(study), "--workers", str(workers)]
    compare = ["compare", scenario, *changes, "--replicates", "2", "--workers", str(workers)]
    compare += ["--strategies", "space-xnet,packed", "--json", "c.json", "--figure", "c.png"]
    return {
        "run": Command(
            args=run,
            again=lambda folder: ["run", "--resume", left] if (left := _left(folder)) else run,
            digest=lambda folder: _digests(folder, [f"runs/*/{name}.parquet" for name in TABLES]),
        ),
        "sweep": Command(
            args=sweep,
            again=lambda folder: [*sweep, "--resume"],
            digest=lambda folder: _digests(folder, ["runs/*.study/points/**/*.parquet"]),
        ),
        "compare": Command(
            args=compare,
            again=lambda folder: compare,
            digest=lambda folder: _digests(folder, ["c.json", "c.png"]),
        ),
    }


def kills(
    scenario: str,
    overrides: Sequence[str],
    *,
    moments: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
    only: Sequence[str] = (),
    workers: int = 2,
) -> dict[str, Any]:
    """Kill commands at moments of their time, in turns, and finish each.

    Half of the moments count from a command's start, half from its first file: most of a short
    command's time goes by before.

    Returns
    -------
    dict
        ``wall_s`` of each command as it is, and ``kills``: of each the command, when it was, what
        was left, the checkpoint's step that it went on from, and whether all is the same bytes.
    """
    rng = random.Random(seed)
    wall_s, first_s, expected, entries = {}, {}, {}, []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        known = commands(scenario, overrides, root, workers)
        known = {name: known[name] for name in only or known}
        for name, command in known.items():
            whole = _folder(root / "whole" / name)
            first_s[name], wall_s[name] = _timed(command, whole)
            expected[name] = command.digest(whole)
        for moment in range(moments):
            turn, number = divmod(moment, len(known))
            name = list(known)[number]
            from_start = turn % 2 == 1
            at_s = rng.random() * (wall_s[name] - (0.0 if from_start else first_s[name]))
            entry = _killed(
                known[name], _folder(root / str(moment)), at_s, expected[name], from_start
            )
            entries.append({"command": name, **entry})
            progress(moment + 1, moments)
    return {"scenario": scenario, "wall_s": wall_s, "kills": entries}


def _timed(command: Command, folder: Path) -> tuple[float, float]:
    """Let a command end; return when it had its first file, and when it ended, s."""
    began = time.perf_counter()
    process = _begun(command, folder)
    _wait_for_file(process, folder)
    first_s = time.perf_counter() - began
    if process.wait():
        raise InputError(f"twin {' '.join(command.args)}: ended with {process.returncode}")
    return first_s, time.perf_counter() - began


def _begun(command: Command, folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*TWIN, *command.args], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _wait_for_file(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Wait until a command has written anything, or has ended."""
    while process.poll() is None and not any(folder.iterdir()):
        time.sleep(0.005)


def _killed(
    command: Command, folder: Path, at_s: float, expected: dict[str, str], from_start: bool
) -> dict[str, Any]:
    """Only the process itself is killed: its workers have to notice."""
    process = _begun(command, folder)
    if not from_start:
        _wait_for_file(process, folder)
    try:
        process.wait(at_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    left = sorted((folder / "runs").glob("*.partial"))
    kept = [int(file.stem) for path in left for file in files(path)]
    if command.digest(folder).keys() != expected.keys():
        _finish(command.again(folder), folder)
    identical = command.digest(folder) == expected
    shutil.rmtree(folder)
    return {
        "at_s": at_s,
        "from": "start" if from_start else "first file",
        "left": [p.name for p in left],
        "step": max(kept, default=0),
        "identical": identical,
    }


def _left(folder: Path) -> str | None:
    """The interrupted run in a folder, if one had begun; one that had not is removed."""
    for partial in (folder / "runs").glob("*.partial"):
        if (partial / "manifest.json").is_file():
            return str(partial)
        shutil.rmtree(partial)
    return None


def _finish(args: Sequence[str], folder: Path) -> None:
    done = subprocess.run([*TWIN, *args], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError(f"twin {' '.join(args)}: ended with {done.returncode}: {done.stderr}")


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def _digests(folder: Path, patterns: Sequence[str]) -> dict[str, str]:
    """Of files that match a pattern, by the part of their path that no time is in."""
    found = {
        file.relative_to(folder): hashlib.sha256(file.read_bytes()).hexdigest()
        for pattern in patterns
        for file in folder.glob(pattern)
        if ".partial" not in str(file)
    }
    return {"/".join(path.parts[2:]) or path.name: digest for path, digest in found.items()}
