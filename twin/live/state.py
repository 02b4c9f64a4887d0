"""What a live run carries from line to line, as data, and how it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from agents.state import TwinState
from twin.live.filter import Priors
from twin.live.intake import IntakeState
from twin.live.mirror import MirrorState, Step
from twin.live.record import RecordState
from twin.runs.rows import RowsState

if TYPE_CHECKING:
    from twin.live.session import Session


@dataclass(kw_only=True)
class LiveState:
    """All that a live run needs to go on.

    Attributes
    ----------
    twin : TwinState
    mirror : MirrorState
    rows : RowsState
    record : RecordState
    intake : IntakeState
    waiting : (B,) uint8
        Lines that wait for their step, joined.
    waiting_s : (W,) float64
        Times that they are taken to be of.
    counts : (R,) int64
        Remarks, as the vocabulary has them.
    lines, size_bytes : int
        Of the log, that have been read.
    """

    twin: TwinState
    mirror: MirrorState
    rows: RowsState
    record: RecordState
    intake: IntakeState
    waiting: NDArray[np.uint8]
    waiting_s: NDArray[np.float64]
    counts: NDArray[np.int64]
    lines: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a live run is done.

    Attributes
    ----------
    priors : Priors
    grace_s : float
        How late a message may be.
    progress : callable
        Told (steps done, steps in all).
    watch : callable
        Shown the session after every step.
    finish : callable
        Called after the last step, before the run is complete.
    """

    priors: Priors = field(default_factory=Priors)
    grace_s: float = 30.0
    progress: Callable[[int, int], None] = lambda done, of: None  # noqa: ARG005
    watch: Callable[["Session", Step], None] = lambda session, step: None  # noqa: ARG005
    finish: Callable[[], None] = lambda: None
