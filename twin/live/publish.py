"""Publish lines by MQTT: telemetry of a plant, commands of a twin."""

import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final, Self

from twin.errors import InputError, why
from twin.live.mqtt import CONNECT_S, KEEP_ALIVE_S, QUALITY, Broker, new_client
from twin.live.spool import Spool

if TYPE_CHECKING:
    from paho.mqtt.client import Client

WAITING: Final = 10_000
"""Lines that may wait to be acknowledged by the broker."""
_UNDER_WAY: Final = 1_000
"""Of these, how many have been sent."""
_ORDERS: Final = 50
"""Commands that may wait."""
_LAST_ORDERS: Final = 10
"""Of these, how many the broker gets again when it was away."""
_ORDERS_WAIT_S: Final = 5.0
"""How long the end of a run waits for a broker that takes none."""
_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
"""Between two attempts to reach a broker."""


def publish(
    where: Broker, lines: Iterable[str], *, spool: Spool | None = None, most_s: float = 60.0
) -> int:
    """Publish lines in order, and return how many.

    A broker that was away gets again what it has not acknowledged, and the last 2,000 lines before
    that; lines wait for it, no more than 10,000.

    Parameters
    ----------
    where : Broker
    lines : iterable of str
        They follow those of the spool.
    spool : Spool, optional
        In memory by default.
    most_s : float

    Raises
    ------
    InputError
        If the broker is not there, or stays away for longer than `most_s`.
    """
    kept, count = spool or Spool(), 0
    with closing(kept), Publisher(where, kept) as publisher:
        publisher.expect()
        for line in lines:
            publisher.send(line)
            count += 1
            if publisher.left >= WAITING:
                publisher.wait(WAITING // 2, most_s)
        publisher.wait(0, most_s)
        kept.finish()
    return count


class Orders:
    """Sends commands to a broker without waiting for it; use it as a context manager.

    Parameters
    ----------
    where : Broker
    """

    def __init__(self, where: Broker) -> None:
        self._publisher = Publisher(where, Spool(_LAST_ORDERS))

    def __enter__(self) -> Self:
        self._publisher.__enter__()
        return self

    def __exit__(self, *about: Any) -> None:
        with suppress(InputError):
            self._publisher.wait(0, _ORDERS_WAIT_S)
        self._publisher.__exit__(*about)

    def __call__(self, line: str) -> None:
        """Take a command; it is sent as soon as the broker is there.

        Raises
        ------
        InputError
            If too many wait already.
        """
        if self._publisher.left >= _ORDERS:
            raise InputError(self._publisher.said(f"{self._publisher.left} commands wait"))
        self._publisher.send(line)

    @property
    def remarks(self) -> list[str]:
        """What came of it, if not all that was sent is known to have come."""
        left = self._publisher.left
        return [self._publisher.said(f"{left} commands may not have come")] if left else []


class Publisher:
    """Sends lines to a broker in order, from a thread of its own; use it as a context manager.

    After every connection it begins again with the oldest line of its spool, so that a broker that
    forgot some gets them before what follows.

    Parameters
    ----------
    where : Broker
    spool : Spool
    """

    def __init__(self, where: Broker, spool: Spool) -> None:
        self._where, self._spool = where, spool
        self._trouble, self._refused = "no answer", False
        self._settled = spool.first
        self._acknowledged: deque[int] = deque()
        self._guard, self._wake = threading.Lock(), threading.Event()
        self._connected, self._lost = threading.Event(), threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="publish", daemon=True)
        new_client(where, keeps=False)  # whether it can be made at all

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *about: Any) -> None:
        self._closed = True
        self._wake.set()
        self._thread.join()

    @property
    def left(self) -> int:
        """Lines that the broker may not have."""
        return self._spool.following - self._settled

    def expect(self) -> None:
        """Wait until the broker is there.

        Raises
        ------
        InputError
            If it is not within ten seconds, or refuses.
        """
        deadline_s = time.monotonic() + CONNECT_S
        while not self._connected.is_set():
            if self._refused or time.monotonic() > deadline_s:
                raise InputError(self.said("it refuses" if self._refused else "no broker"))
            time.sleep(0.02)

    def send(self, line: str) -> None:
        """Take a line; it is sent later."""
        with self._guard:
            self._spool.append(line)
        self._wake.set()

    def wait(self, keep: int, most_s: float) -> None:
        """Wait until no more than `keep` lines are left.

        Raises
        ------
        InputError
            If for `most_s` the broker takes none.
        """
        known, deadline_s = self._settled, time.monotonic() + most_s
        while self.left > keep:
            if self._settled > known:
                deadline_s = time.monotonic() + most_s
            elif time.monotonic() > deadline_s:
                raise InputError(self.said("the broker takes no more messages"))
            known = self._settled
            time.sleep(0.005)

    def said(self, what: str) -> str:
        """What is said of the broker, with what was wrong with it when it was last tried."""
        return f"{self._where.host}:{self._where.port}: {what}: {self._trouble}"

    def _run(self) -> None:
        pause_s = _PAUSE_S
        while not self._closed:
            client = self._client()
            try:
                client.connect(self._where.host, self._where.port, KEEP_ALIVE_S)
            except (OSError, ValueError) as error:
                self._trouble = why(error) if isinstance(error, OSError) else str(error)
            else:
                client.loop_start()
                if self._serve(client):
                    pause_s = _PAUSE_S
                client.disconnect()
                client.loop_stop()
            self._pause(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _client(self) -> "Client":
        self._connected.clear()
        self._lost.clear()
        # One of a connection: what it would send again by itself would come before older lines.
        client = new_client(self._where, keeps=False)
        acknowledged: deque[int] = deque()
        self._acknowledged = acknowledged
        client.on_publish = lambda c, d, number, *more: self._note(acknowledged, number)  # noqa: ARG005
        client.on_connect = self._was_connected
        client.on_disconnect = self._was_lost
        return client

    def _note(self, acknowledged: deque[int], number: int) -> None:
        acknowledged.append(number)
        self._wake.set()

    def _was_connected(self, client: "Client", data: Any, flags: Any, code: Any, more: Any) -> None:  # noqa: ARG002
        if code.is_failure:
            self._trouble, self._refused = str(code), True
            self._lost.set()
        else:
            self._connected.set()
        self._wake.set()

    def _was_lost(self, client: "Client", data: Any, flags: Any, code: Any, more: Any) -> None:  # noqa: ARG002
        if self._connected.is_set():
            self._trouble = str(code)
        self._lost.set()
        self._wake.set()

    def _pause(self, pause_s: float) -> None:
        deadline_s = time.monotonic() + pause_s
        while not self._closed and time.monotonic() < deadline_s:
            time.sleep(0.02)

    def _serve(self, client: "Client") -> bool:
        """Send over one connection until it is lost, or all is over; whether there was one."""
        deadline_s = time.monotonic() + CONNECT_S
        while not (self._connected.is_set() or self._over):
            if time.monotonic() > deadline_s:
                return False
            self._wake.wait(0.05)
        following = self._settled = self._spool.first
        numbers: dict[int, int] = {}
        done: set[int] = set()
        while not self._over:
            self._wake.clear()
            while following < self._spool.following and len(numbers) < _UNDER_WAY:
                with self._guard:
                    line = self._spool[following]
                sent = client.publish(self._where.topic, line, qos=QUALITY)
                numbers[sent.mid] = following
                following += 1
            while self._acknowledged:
                done.add(numbers.pop(self._acknowledged.popleft()))
            self._settle(done)
            self._wake.wait(0.5)
        return self._connected.is_set()

    @property
    def _over(self) -> bool:
        return self._closed or self._lost.is_set()

    def _settle(self, done: set[int]) -> None:
        settled = self._settled
        while settled in done:
            done.remove(settled)
            settled += 1
        if settled > self._settled:
            with self._guard:
                self._spool.settle(settled)
            self._settled = settled
