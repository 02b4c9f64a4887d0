"""A trace that grows while pages already show it."""

import threading
from collections.abc import Callable
from weakref import WeakKeyDictionary

from twin.views import trace
from twin.views.trace import Frame

FIRST_CHUNK = 2
CHUNK_BYTES = 2_000_000
"""The first chunk is small, so that a picture is there at once; later ones grow up to this."""

type Send = Callable[[bytes], None]


class Feed:
    """Messages of one run: the head, then chunks of frames.

    Pages that come later get them from the first on, as long as it is `kept`; what all pages have
    is forgotten where it is not.

    Attributes
    ----------
    whole : bool
        Whether it has been given all frames of its run.
    drawn : bool
        Whether a page has drawn the first frames: it asked for more.
    """

    def __init__(self, *, kept: bool = False) -> None:
        self.whole = False
        self.drawn = False
        self._kept = kept
        self._ended = False
        self._lock = threading.Lock()
        self._messages: dict[int, bytes] = {}
        self._count = 0
        self._readers: WeakKeyDictionary[Stream, int] = WeakKeyDictionary()
        self._wanted: list[tuple[Stream, int, Send]] = []
        self._waiting: list[Frame] = []
        self._size = FIRST_CHUNK
        self._first = 0

    def begin(self, head: bytes) -> None:
        """Add the head."""
        self._put(head)

    def show(self, frame: Frame) -> None:
        """Add a frame; it is sent with others."""
        self._waiting.append(frame)
        if len(self._waiting) >= self._size:
            self.flush(last=False)

    def end(self, *, whole: bool = False) -> None:
        """Send what waits: no frame follows. A run that was stopped ends where it is."""
        if self._count and not self._ended:
            self.flush(last=True)
        self._ended, self.whole = True, self.whole or whole

    def release(self) -> None:
        """Keep no longer what all pages have: no other page will come."""
        with self._lock:
            self._kept = False
            self._forget()

    def flush(self, *, last: bool) -> None:
        """Send what waits without waiting for more; `last` says that no frame follows."""
        if not self._waiting:
            if last:
                self._put(trace.pack({"first": self._first, "count": 0, "last": True}, {}))
            return
        message = trace.chunk(self._waiting, first=self._first, last=last)
        frames = len(self._waiting)
        self._first += frames
        self._waiting = []
        most = max(1, CHUNK_BYTES * frames // len(message))
        self._size = min(2 * self._size, most)
        self._put(message)

    def join(self, reader: "Stream") -> None:
        """Take note of a page that will ask from the first message on."""
        with self._lock:
            self._readers[reader] = 0

    def want(self, reader: "Stream", number: int, send: Send) -> None:
        """Hand a message to a reader, now, or later in the thread that has it."""
        with self._lock:
            self.drawn |= number > 1
            message = self._messages.get(number)
            if message is None:
                self._wait_for(reader, number, send)
                return
            self._handed(reader, number)
        send(message)

    def _wait_for(self, reader: "Stream", number: int, send: Send) -> None:
        """Of each reader two at most: a page asks for the head and the first frames at once."""
        mine = [w for w in self._wanted if w[0] is reader and w[1] != number]
        others = [w for w in self._wanted if w[0] is not reader]
        self._wanted = [*others, *mine[-1:], (reader, number, send)]

    def _put(self, message: bytes) -> None:
        with self._lock:
            number, self._count = self._count, self._count + 1
            self._messages[number] = message
            now = [(reader, send) for reader, n, send in self._wanted if n == number]
            self._wanted = [w for w in self._wanted if w[1] != number]
            for reader, _ in now:
                self._handed(reader, number)
        for _, send in now:
            send(message)

    def _handed(self, reader: "Stream", number: int) -> None:
        self._readers[reader] = number + 1
        self._forget()

    def _forget(self) -> None:
        least = min(self._readers.values(), default=0)
        if not self._kept:
            self._messages = {n: m for n, m in self._messages.items() if n >= least}


class Stream:
    """A feed as one page reads it: message after message, each once.

    What a page asks before it is there is sent when it is.

    Parameters
    ----------
    key : str
        Distinguishes the stream from others of the page.
    feed : Feed
    """

    def __init__(self, key: str, feed: Feed) -> None:
        self.key = key
        self._feed = feed
        feed.join(self)

    @property
    def whole(self) -> bool:
        """Whether all frames of its run are there."""
        return self._feed.whole

    def want(self, number: int, send: Send) -> None:
        """Ask for a message by number; `send` gets it, now or later."""
        self._feed.want(self, number, send)
