"""What may become of a fuzzer's input: refused in one line, done with finite figures, at work."""

import signal
import sys
import time
import traceback
from collections import Counter
from contextlib import contextmanager

import numpy as np

from agents.run import RunCancelledError, run_scenario
from twin.errors import InputError
from twin.runs.summary import summarise

PATIENCE_S = 120
"""Without a step for so long, a run of a few satellites hangs."""


class HangError(Exception):
    """Nothing has happened for too long."""


@contextmanager
def watched(seconds=PATIENCE_S):
    """Raise `HangError` in a block that takes too long; in the main thread only."""

    def ring(number, frame):
        raise HangError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def run_to_its_end(scenario, folder, limit_s=2.0):
    """Run a scenario; returns "done" or "at work"."""
    until = time.monotonic() + limit_s

    def looked_at(done, total):
        signal.alarm(PATIENCE_S)

    try:
        run = run_scenario(
            scenario,
            runs_dir=folder,
            run_id="run",
            cancelled=lambda: time.monotonic() > until,
            progress=looked_at,
        )
    except RunCancelledError:
        return "at work"
    check_figures(run)
    return "done"


def check_figures(run):
    """Figures are numbers or none; columns are finite, or NaN where nothing was served."""
    for name, value in summarise(run).items():
        assert value is None or np.isfinite(value), name
    for table in ("steps", "satellites", "layers"):
        columns = run.table(table)
        for name in columns.column_names:
            column = columns[name].to_numpy(zero_copy_only=False)
            if column.dtype.kind == "f":
                assert not np.isinf(column).any(), f"{table}.{name}"
                if table == "satellites":
                    assert not np.isnan(column).any(), f"{table}.{name}"


class Verdict:
    """Counts outcomes of many cases, and keeps what is none of those allowed."""

    def __init__(self):
        self.outcomes, self.wrong = Counter(), {}

    @contextmanager
    def case(self, told):
        """One case; wrong input in its block is a refusal, whatever else is raised is a fault."""
        try:
            with watched():
                yield self
        except InputError as error:
            self.count("refused")
            line = str(error)
            if not line.strip() or "\n" in line or len(line) > 5000:
                self._fault(f"a refusal of {len(line)} characters", told, line[:300])
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            frames = traceback.extract_tb(error.__traceback__)
            where = next(
                (f for f in reversed(frames) if "site-packages" not in f.filename), frames[-1]
            )
            self._fault(
                f"{type(error).__name__} at {where.filename}:{where.lineno}", told, str(error)
            )

    def count(self, outcome):
        """Note what became of a case."""
        self.outcomes[outcome] += 1

    def _fault(self, what, told, why):
        self.count("fault")
        self.wrong.setdefault(what, f"{why[:300]}\n    {str(told)[:1500]}")

    def check(self, *seen):
        """Fail if there was a fault, or an outcome was never seen; print how often each was."""
        sys.stdout.write(f"{dict(self.outcomes)}\n")
        faults = "\n".join(f"{what}: {told}" for what, told in self.wrong.items())
        assert not self.wrong, f"{dict(self.outcomes)}\n{faults}"
        assert all(self.outcomes[outcome] for outcome in seen), dict(self.outcomes)
