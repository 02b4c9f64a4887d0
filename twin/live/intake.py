"""Put messages in order: by the time they speak of, into steps, on a clock that the fleet makes.

No clock of this machine is read. The fleet's clock is the median of the newest times that came: a
sender whose clock is wrong does not move it. A step is over when that clock has passed its end by
a grace, which is how late a message may come. So the same messages in the same order give the same
steps, whenever they are read.
"""

from collections import defaultdict
from dataclasses import dataclass
from math import floor
from statistics import median

import numpy as np
from numpy.typing import NDArray

from twin.live.message import NO_SEQUENCE, Counts, Message
from twin.vocabulary.live import Remark

type Array = NDArray[np.float64]
type Numbers = NDArray[np.int64]

LEAD_S = 120.0
"""A message this far ahead of the fleet's clock is not believed, unless all are."""
AHEAD_IN_A_ROW = 16
"""So many of them in a row are: there was a gap, and the clock goes on after it."""
DRIFT_S = 20.0
"""A clock that is ahead of the fleet's by this much on average is wrong, and its times are moved.

One that is behind cannot be told from messages that take long: those are late, and no more.
"""
_FOLLOW = 0.1
"""Weight of a new message in a sender's mean lead."""
_FEWEST = 3
"""Messages that make a clock."""
_REMEMBERED = 63
"""Numbers behind the newest that are known to have come or not."""


@dataclass(kw_only=True)
class IntakeState:
    """What the intake carries from message to message, of S senders: satellites, then sites.

    Attributes
    ----------
    step : int
        The next to be closed.
    recent_s : (R,) float64
        The newest times, the oldest first.
    ahead_s : (A,) float64
        Times of the messages in a row that were ahead of the clock.
    first, last : (S,) int64
        Smallest and largest number that came; -1 for none.
    seen : (S,) uint64
        Bit k: the number k behind the last has come.
    distinct : (S,) int64
        Numbered messages that came since the first, doubles not counted.
    gone : (S,) int64
        Numbers that were missing when the sender began to count again.
    last_s : (S,) float64
        Time of the newest message; -inf for none.
    lead_s : (S,) float64
        Mean lead over the fleet's clock.
    """

    step: int
    recent_s: Array
    ahead_s: Array
    first: Numbers
    last: Numbers
    seen: NDArray[np.uint64]
    distinct: Numbers
    gone: Numbers
    last_s: Array
    lead_s: Array


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What came of one step, by sender and time; of `late` only element sets are used."""

    step: int
    messages: list[Message]
    late: list[Message]


class Intake:
    """Sorts the messages of one constellation into steps.

    Parameters
    ----------
    satellites, sites : int
    step_s : float
    counts : Counts
        Where remarks are counted.
    grace_s : float
        How late a message may be.
    state : IntakeState, optional
        Where to go on.
    """

    def __init__(
        self,
        satellites: int,
        sites: int,
        *,
        step_s: float,
        counts: Counts,
        grace_s: float = 30.0,
        state: IntakeState | None = None,
    ) -> None:
        self._n, self._step_s, self._grace_s = satellites, step_s, grace_s
        self._counts = counts
        senders = satellites + sites
        self.state = state or IntakeState(
            step=0,
            recent_s=np.empty(0),
            ahead_s=np.empty(0),
            first=np.full(senders, -1, np.int64),
            last=np.full(senders, -1, np.int64),
            seen=np.zeros(senders, np.uint64),
            distinct=np.zeros(senders, np.int64),
            gone=np.zeros(senders, np.int64),
            last_s=np.full(senders, -np.inf),
            lead_s=np.zeros(senders),
        )
        self._recent = self.state.recent_s.tolist()
        self._room = min(max(satellites // 8, 3), 65)
        self._ahead = self.state.ahead_s.tolist()
        self._clock_s = -np.inf
        self._set_clock()
        self._waiting: dict[int, list[Message]] = defaultdict(list)
        self._late: list[Message] = []

    @property
    def clock_s(self) -> float:
        """The fleet's clock, s since the epoch; -inf before the first message."""
        return self._clock_s

    def take(self, message: Message) -> None:
        """Take a message in; what is wrong with its time or number is counted."""
        mine, sender = self.state, message.row + (self._n if message.of_site else 0)
        if self._is_double(message, sender):
            self._counts.add(Remark.DOUBLED)
            return
        if not self._is_believed(message, sender):
            self._counts.add(Remark.AHEAD)
            if message.tle is not None:
                self._late.append(message)  # it says its own time
            return
        if message.t_s < mine.last_s[sender]:
            self._counts.add(Remark.OUT_OF_ORDER)
        else:
            mine.last_s[sender] = message.t_s
        step = floor(message.t_s / self._step_s)
        if step < mine.step:
            self._counts.add(Remark.LATE)
            if message.tle is not None:
                self._late.append(message)
            return
        self._counts.add(Remark.TAKEN)
        self._waiting[step].append(message)

    def ready(self) -> bool:
        """Whether the next step is over."""
        return self._clock_s - self._grace_s >= (self.state.step + 1) * self._step_s

    def close(self) -> Batch:
        """Close the next step, and hand over what came of it, by sender and time."""
        step = self.state.step
        messages = self._waiting.pop(step, [])
        messages.sort(key=lambda m: (m.of_site, m.row, m.t_s))
        late, self._late = self._late, []
        self.state.step = step + 1
        return Batch(step=step, messages=messages, late=late)

    @property
    def left(self) -> int:
        """Steps that have messages and are not closed, up to the last of them."""
        return max(self._waiting, default=self.state.step - 1) + 1 - self.state.step

    @property
    def missing(self) -> int:
        """Numbers that were skipped and have not come."""
        return int((self.state.gone + self._skipped()).sum())

    def _skipped(self) -> Numbers:
        mine = self.state
        return np.where(mine.last >= 0, mine.last - mine.first + 1, 0) - mine.distinct

    def snapshot(self) -> tuple[IntakeState, NDArray[np.uint8], Array]:
        """Return the state, the lines that wait, joined, and the times they are taken to be of."""
        self.state.recent_s, self.state.ahead_s = np.array(self._recent), np.array(self._ahead)
        waiting = [m for step in sorted(self._waiting) for m in self._waiting[step]]
        joined = b"\n".join(m.raw.strip() for m in waiting)
        return self.state, np.frombuffer(joined, np.uint8), np.array([m.t_s for m in waiting])

    def put_back(self, messages: list[Message]) -> None:
        """Let messages wait that waited when the state was saved."""
        for message in messages:
            self._waiting[floor(message.t_s / self._step_s)].append(message)

    def _is_double(self, message: Message, sender: int) -> bool:
        mine, number = self.state, message.sequence
        if number == NO_SEQUENCE:
            return bool(message.t_s == mine.last_s[sender])
        last = int(mine.last[sender])
        behind, seen = last - number, int(mine.seen[sender])
        if last < 0 or (behind > _REMEMBERED and message.t_s > mine.last_s[sender]):
            mine.gone[sender] += self._skipped()[sender]  # it begins to count (again)
            mine.first[sender] = mine.last[sender] = number
            mine.seen[sender], mine.distinct[sender] = 1, 1
            return False
        if behind > _REMEMBERED:
            return True  # so long ago that it is late, whatever else
        if behind >= 0:
            if seen >> behind & 1:
                return True
            seen |= 1 << behind
        else:
            seen = (seen << -behind | 1) & (2**64 - 1) if -behind <= _REMEMBERED else 1
            mine.last[sender] = number
        mine.first[sender] = min(mine.first[sender], number)
        mine.seen[sender] = seen
        mine.distinct[sender] += 1
        return False

    def _is_believed(self, message: Message, sender: int) -> bool:
        """Whether a message's time can be; a clock that runs ahead is set right."""
        mine, lead_s = self.state, message.t_s - self._clock_s
        if self._clock_s == -np.inf:
            self._heard(message.t_s)
            return True
        if lead_s > LEAD_S:
            self._ahead.append(message.t_s)
            if len(self._ahead) < min(AHEAD_IN_A_ROW, 2 * self._n):
                return False
            self._recent, lead_s = self._ahead, 0.0  # there was a gap
            self._set_clock()
        self._ahead = []
        mine.lead_s[sender] += _FOLLOW * (lead_s - mine.lead_s[sender])
        if mine.lead_s[sender] > DRIFT_S:
            self._counts.add(Remark.CLOCK_OFF)
            message.t_s -= mine.lead_s[sender]
        self._heard(message.t_s)
        return True

    def _heard(self, t_s: float) -> None:
        self._recent.append(t_s)
        if len(self._recent) > self._room:
            del self._recent[0]
        self._set_clock()

    def _set_clock(self) -> None:
        if len(self._recent) >= _FEWEST:
            self._clock_s = max(self._clock_s, median(self._recent))
