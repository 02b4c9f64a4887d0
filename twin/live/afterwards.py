"""What came of advice: what was foretold, what was done, and what the plant then served.

It is read from what a live run keeps: the advice, and the log of what the constellation's
controller said. What is compared ends with the advice's horizon, or where a later command was
carried out, or with the log.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from twin.errors import InputError
from twin.live import advice, journal
from twin.live.fields import TOKENS
from twin.live.message import Reader
from twin.live.names import names_of
from twin.live.record import FOLDER
from twin.runs.store import any_run
from twin.world.world import World

type Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Band:
    """A foretold share: its mean, and half of the 95 % interval that one more future is in."""

    mean: float
    half: float

    def holds(self, share: float) -> bool:
        """Whether a share is within it."""
        return abs(share - self.mean) <= self.half


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One advice and what came of it.

    Attributes
    ----------
    step, until : int
        Steps that are compared, from the first to before the last.
    strategy : str
        What was advised.
    done : str
        Whether it was carried out, or why not.
    adopted : bool
    served : float
        Share that the plant served in these steps; NaN where it did not say.
    nothing, foretold : Band
        What was foretold for them of doing nothing, and of what was done.
    gain : Band
        What was foretold to be gained in them by what was advised.
    """

    step: int
    until: int
    strategy: str
    done: str
    adopted: bool
    served: float
    nothing: Band
    foretold: Band
    gain: Band

    @property
    def won(self) -> float:
        """What the plant served more than was foretold of doing nothing."""
        return self.served - self.nothing.mean


@dataclass(frozen=True, kw_only=True)
class _Said:
    """What a controller has said: tokens (T, 2) by step, and the answers to commands."""

    tokens: Array
    carried_out: dict[int, int]
    refused: dict[int, str]


def outcomes(folder: Path) -> list[Outcome]:
    """Judge every advice of a live run by what the plant did afterwards.

    Raises
    ------
    InputError
        If it is no live run, or has no advice.
    """
    run = any_run(folder)
    if run.manifest.get("kind") != "live":
        raise InputError(f"{folder}: not a live run")
    files = sorted((folder / FOLDER).glob("advice-*.json"))
    if not files:
        raise InputError(f"{folder}: has no advice; 'twin live --advise-every STEPS' makes some")
    said = _said(folder, run.asked)
    made = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return [_outcome(one, said) for one in made if one["steps"] > 0]


def _said(folder: Path, scenario: Any) -> _Said:
    """Read the log, of which the controller's messages count."""
    names, world = names_of(scenario), World(scenario)
    reader = Reader(names.satellites, names.sites, names.epoch_utc)
    tokens = np.zeros((scenario.simulation.longest_steps, 2))
    carried_out, refused = {}, {}
    for line in journal.read(folder / journal.NAME):
        if b'"controller"' not in line:
            continue
        message = reader.read(line)
        if message is None:
            continue
        said, step = json.loads(line), int(message.t_s // world.step_s)
        counts = [said.get(name) for name in TOKENS]
        if all(type(one) is int and one >= 0 for one in counts) and 0 <= step < len(tokens):
            tokens[step] += counts
        number = said.get("command")
        if type(number) is int and message.placement is not None:
            carried_out[number] = step
        elif type(number) is int:
            refused[number] = str(said.get("refusal", "no reason given"))
    return _Said(tokens=tokens, carried_out=carried_out, refused=refused)


def _outcome(made: dict[str, Any], said: _Said) -> Outcome:
    step, number = made["step"], made["commanded"]
    adopted = number in said.carried_out and number > 0
    # One that messages do not wait for is sent some steps later, under a number of then.
    later = [at for other, at in said.carried_out.items() if other > max(step, number)]
    until = min([step + made["steps"], len(said.tokens), *later])
    spoke = np.flatnonzero(said.tokens[:, 0] > 0)
    until = max(min(until, int(spoke[-1]) + 1 if len(spoke) else step), step)
    asked, served = said.tokens[step:until].sum(axis=0).tolist()
    foretold = {
        name: np.array(shares)[:, : until - step].mean(axis=1) if until > step else np.empty(0)
        for name, shares in made["foretold"].items()
    }
    nothing = foretold.get(advice.NOTHING, np.empty(0))
    chosen = foretold.get(made["strategy"], nothing)
    return Outcome(
        step=step,
        until=until,
        strategy=made["strategy"],
        done=_done(made, said, adopted=adopted),
        adopted=adopted,
        served=served / asked if asked else np.nan,
        nothing=_band(nothing),
        foretold=_band(chosen if adopted else nothing),
        gain=_band(chosen - nothing, futures=0),
    )


def _done(made: dict[str, Any], said: _Said, *, adopted: bool) -> str:
    number = made["commanded"]
    if adopted:
        return f"carried out in step {said.carried_out[number]}"
    if number in said.refused:
        return f"refused: {said.refused[number]}"
    if number:
        return "sent, without an answer"
    if made["unsent"]:
        return f"not sent: {made['unsent']}"
    return "nothing"


def _band(of_members: Array, *, futures: int = 1) -> Band:
    """Mean, and the 95 % interval of one more future; of the mean itself without one."""
    n = len(of_members)
    mean = float(of_members.mean()) if n else np.nan
    if n < 2:
        return Band(mean=mean, half=np.inf)
    factor = float(stats.t.ppf(0.5 + advice.CONFIDENCE / 2, n - 1))
    deviation = float(of_members.std(ddof=1))
    return Band(mean=mean, half=factor * deviation * float(np.sqrt(futures + 1 / n)))
