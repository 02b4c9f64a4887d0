"""Publish lines by MQTT: telemetry of a plant, commands of a twin."""

import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from twin.errors import InputError
from twin.live.mqtt import QUALITY, Broker, connect, new_client

if TYPE_CHECKING:
    from paho.mqtt.client import Client

_SPOOL = 2_000
"""Lines that are sent again to a broker that was away."""
_WAITING = 10_000
"""Messages that may wait to be acknowledged by the broker."""


def publish(where: Broker, lines: Iterable[str], *, most_s: float = 60.0) -> int:
    """Publish lines, and return how many.

    What the broker has not acknowledged is sent again after it was away, and the last 2,000 lines
    with it; no more than 10,000 are under way.

    Raises
    ------
    InputError
        If the broker is not there, or stays away for longer than `most_s`.
    """
    client = new_client(where)
    spool = _Spool(client, where, most_s)
    connect(client, where)
    client.loop_start()
    try:
        for line in lines:
            spool.send(line)
        spool.wait(0)
    finally:
        client.disconnect()
        client.loop_stop()
    return spool.count


class _Spool:
    """Lines on their way to a broker, and the last of them in case it forgets.

    The client keeps what is not acknowledged, and repeats it. A broker that is killed may have
    acknowledged what it had not kept: so when it is there again the last lines are sent again.
    """

    def __init__(self, client: "Client", where: Broker, most_s: float) -> None:
        self._client, self._where, self._most_s = client, where, most_s
        self._last: deque[str] = deque(maxlen=_SPOOL)
        self._sent = self._settled = self.count = 0
        self._connections, self._seen = 0, 1
        client.on_publish = self._was_settled
        client.on_connect = self._connected

    def _was_settled(self, *about: Any) -> None:  # noqa: ARG002
        self._settled += 1

    def _connected(self, client: "Client", data: Any, flags: Any, code: Any, more: Any) -> None:  # noqa: ARG002
        self._connections += not code.is_failure

    def send(self, line: str) -> None:
        """Send a line, and before it what may be lost."""
        self._again()
        self._last.append(line)
        self._publish(line)
        self.count += 1
        if self._sent - self._settled >= _WAITING:
            self.wait(_WAITING // 2)

    def wait(self, keep: int) -> None:
        """Wait until no more than `keep` lines are under way."""
        known, deadline_s = self._settled, time.monotonic() + self._most_s
        while self._sent - self._settled > keep:
            self._again()
            if self._settled > known:
                known, deadline_s = self._settled, time.monotonic() + self._most_s
            elif time.monotonic() > deadline_s:
                told = f"{self._where.host}:{self._where.port}"
                raise InputError(f"{told}: the broker takes no more messages")
            time.sleep(0.005)

    def _again(self) -> None:
        if self._connections > self._seen:
            self._seen = self._connections
            for line in list(self._last):
                self._publish(line)

    def _publish(self, line: str) -> None:
        self._client.publish(self._where.topic, line, qos=QUALITY)
        self._sent += 1
