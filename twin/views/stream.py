"""A trace that grows while a page already shows it."""

import threading
from collections.abc import Callable

from twin.views import trace
from twin.views.trace import Frame

FIRST_CHUNK = 2
CHUNK_BYTES = 2_000_000
"""The first chunk is small, so that a picture is there at once; later ones grow up to this."""


class Stream:
    """Messages of one run for one page: the head, then chunks, each handed over once.

    A browser asks for message after message; what it asks before it is there is sent when it is.
    What was handed over is forgotten here.

    Attributes
    ----------
    key : str
        Tells the stream from others of the page.
    whole : bool
        Whether it has been given all frames of its run.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        self.whole = False
        self._ended = False
        self._lock = threading.Lock()
        self._messages: dict[int, bytes] = {}
        self._count = 0
        self._wanted: tuple[int, Callable[[bytes], None]] | None = None
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

    def want(self, number: int, send: Callable[[bytes], None]) -> None:
        """Ask for a message by number; `send` gets it, now or later, in the thread that has it."""
        with self._lock:
            message = self._messages.pop(number, None)
            if message is None:
                self._wanted = (number, send)
        if message is not None:
            send(message)

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

    def _put(self, message: bytes) -> None:
        with self._lock:
            number, self._count = self._count, self._count + 1
            wanted = self._wanted
            if wanted is None or wanted[0] != number:
                self._messages[number] = message
                return
            self._wanted = None
        wanted[1](message)
