"""Telemetry by MQTT: a mirror that acknowledges what is on disk, and a plant that publishes.

Messages come with quality of service 1, in a session that the broker keeps while the mirror is
away: what was not acknowledged comes again, and what came twice is dropped by its number. The
password is taken from the environment only, so that no scenario, log or list of processes has it.
"""

import os
import queue
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from twin.errors import InputError, why
from twin.live.fields import LONGEST_BYTES

if TYPE_CHECKING:
    from paho.mqtt.client import Client

SCHEMES: Final = {"mqtt": 1883, "mqtts": 8883}
TOPIC: Final = "twin/telemetry"
PASSWORD: Final = "TWIN_MQTT_PASSWORD"
"""Variable of the environment that has the password."""
_QUALITY = 1
_KEEP_ALIVE_S = 30
_CONNECT_S = 10.0
_SPOOL = 2_000
"""Lines that are sent again to a broker that was away."""
_WAITING = 10_000
"""Messages that may wait to be read, or to be acknowledged by the broker."""


@dataclass(frozen=True, kw_only=True)
class Broker:
    """Where a broker is, and how to speak to it.

    Attributes
    ----------
    host : str
    port : int
    topic : str
        A mirror also takes those below it.
    user : str
        Empty for none.
    tls : bool
    ca_file : Path or None
        Certificates that the broker's is checked against; the system's by default.
    client_id : str
        Names the session that the broker keeps.
    """

    host: str
    port: int
    topic: str
    user: str
    tls: bool
    ca_file: Path | None
    client_id: str


def is_address(text: str) -> bool:
    """Whether a source or a target is a broker's."""
    return text.partition("://")[0] in SCHEMES and "://" in text


def broker(text: str, *, client_id: str, ca_file: Path | None = None) -> Broker:
    """Return the broker of ``mqtt://USER@HOST:PORT/TOPIC``, ``mqtts`` for TLS.

    Raises
    ------
    InputError
        If the address is none, or holds a password.
    """
    parts = urlsplit(text)
    try:
        port = parts.port or SCHEMES[parts.scheme]
    except ValueError:
        raise InputError(f"{_bare(text)}: the port must be from 0 to 65535") from None
    if parts.password is not None:
        raise InputError(f"{_bare(text)}: give the password by {PASSWORD} in the environment")
    if not parts.hostname:
        raise InputError(f"{text}: must look like mqtt://HOST, mqtts://USER@HOST:PORT/TOPIC")
    topic = parts.path.strip("/") or TOPIC
    if "#" in topic or "+" in topic or parts.query or parts.fragment:
        raise InputError(f"{_bare(text)}: a topic has no '#', '+' or '?'")
    return Broker(
        host=parts.hostname,
        port=port,
        topic=topic,
        user=parts.username or "",
        tls=parts.scheme == "mqtts",
        ca_file=ca_file,
        client_id=client_id,
    )


def _bare(text: str) -> str:
    """An address without what may be a password."""
    scheme, _, rest = text.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


class Subscription:
    """Lines that come from a broker; iterate over it, and acknowledge what is on disk.

    A broker sends only so many messages ahead of what is acknowledged (mosquitto: 20, its
    ``max_inflight_messages``): so what has come is to be synced whenever no more is there.

    Parameters
    ----------
    where : Broker
    idle_s : float or None
        End after so long without a message; never by default.

    Attributes
    ----------
    on_idle : callable
        Called when all that has come is read: to sync it, and to acknowledge it.
    reconnects : int
        How often the broker was found again.
    """

    def __init__(self, where: Broker, *, idle_s: float | None = None) -> None:
        self._where, self._idle_s = where, idle_s
        self._come: queue.Queue[Any] = queue.Queue(_WAITING)
        self._unsaid: list[tuple[int, int]] = []
        self.on_idle: Callable[[], None] = lambda: None
        self.reconnects = -1
        self._client = _client(where)
        self._client.manual_ack_set(True)
        self._client.on_message = lambda client, data, message: self._come.put(message)  # noqa: ARG005
        self._client.on_connect = self._connected
        heard = threading.Event()
        self._client.on_subscribe = lambda *about: heard.set()  # noqa: ARG005
        _connect(self._client, where)
        self._client.loop_start()
        if not heard.wait(_CONNECT_S):
            self.close()
            raise InputError(f"{where.host}:{where.port}: the broker lets nobody in, or not us")

    def _connected(self, client: "Client", data: Any, flags: Any, code: Any, more: Any) -> None:  # noqa: ARG002
        if not code.is_failure:
            self.reconnects += 1
            client.subscribe(f"{self._where.topic}/#", _QUALITY)  # and the topic itself

    def __iter__(self) -> Iterator[bytes]:
        while True:
            if self._come.empty():
                self.on_idle()
            try:
                message = self._come.get(timeout=self._idle_s)
            except queue.Empty:
                return
            self._unsaid.append((message.mid, message.qos))
            payload = bytes(message.payload[: 2 * LONGEST_BYTES])
            yield payload.replace(b"\n", b" ")

    def acknowledge(self) -> None:
        """Tell the broker that all lines up to now are on disk."""
        for number, quality in self._unsaid:
            self._client.ack(number, quality)
        self._unsaid.clear()

    def close(self) -> None:
        """Leave the broker, which keeps the session."""
        self._client.disconnect()
        self._client.loop_stop()


def publish(where: Broker, lines: Iterable[str], *, most_s: float = 60.0) -> int:
    """Publish lines, and return how many.

    What the broker has not acknowledged is sent again after it was away, and the last 2,000 lines
    with it; no more than 10,000 are under way.

    Raises
    ------
    InputError
        If the broker is not there, or stays away for longer than `most_s`.
    """
    client = _client(where)
    spool = _Spool(client, where, most_s)
    _connect(client, where)
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
        self._client.publish(self._where.topic, line, qos=_QUALITY)
        self._sent += 1


def _client(where: Broker) -> "Client":
    try:
        from paho.mqtt.client import CallbackAPIVersion, Client
    except ModuleNotFoundError:
        raise InputError("MQTT needs paho-mqtt: pip install 'orbital-twin[mqtt]'") from None
    client = Client(CallbackAPIVersion.VERSION2, client_id=where.client_id, clean_session=False)
    if where.user:
        client.username_pw_set(where.user, os.environ.get(PASSWORD))
    if where.tls:
        try:
            context = ssl.create_default_context(cafile=where.ca_file)
        except (OSError, ssl.SSLError) as error:
            told = why(error) if isinstance(error, OSError) else str(error)
            raise InputError(f"--ca-file {where.ca_file}: {told}") from None
        client.tls_set_context(context)
    client.on_socket_open = _at_once
    client.reconnect_delay_set(min_delay=1, max_delay=10)
    client.max_inflight_messages_set(1_000)
    return client


def _at_once(client: "Client", data: Any, opened: Any) -> None:  # noqa: ARG001
    """Send acknowledgements at once: a broker waits for them."""
    with suppress(OSError, AttributeError):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _connect(client: "Client", where: Broker) -> None:
    """Connect, with patience: brokers start up, too."""
    deadline_s = time.monotonic() + _CONNECT_S
    while True:
        try:
            client.connect(where.host, where.port, _KEEP_ALIVE_S)
        except (OSError, ValueError) as error:
            if time.monotonic() > deadline_s:
                told = why(error) if isinstance(error, OSError) else str(error)
                raise InputError(f"{where.host}:{where.port}: no broker: {told}") from None
            time.sleep(0.3)
        else:
            return
