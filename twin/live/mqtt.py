"""Messages by MQTT: brokers, and a mirror that acknowledges what is on disk.

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
from collections.abc import Callable, Iterator
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
COMMANDS: Final = "twin/commands"
"""Topic of what a twin wants its plant to do."""
PASSWORD: Final = "TWIN_MQTT_PASSWORD"
"""Variable of the environment that has the password."""
QUALITY = 1
KEEP_ALIVE_S = 30
CONNECT_S = 10.0
"""Patience with a broker that may be starting up."""
_WAITING = 10_000
"""Messages that may wait to be read."""


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


def broker(text: str, *, client_id: str, ca_file: Path | None = None, topic: str = TOPIC) -> Broker:
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
    topic = parts.path.strip("/") or topic
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

    Acknowledgements are only of the connection on which a message came: what was not acknowledged
    on it comes again on the next.

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
        self._unsaid: list[tuple[int, int, int]] = []
        self._connection = 0
        self.on_idle: Callable[[], None] = lambda: None
        self.reconnects = -1
        self._client = new_client(where)
        self._client.manual_ack_set(True)
        self._client.on_message = self._said
        self._client.on_connect, self._client.on_disconnect = self._connected, self._lost
        heard = threading.Event()
        self._client.on_subscribe = lambda *about: heard.set()  # noqa: ARG005
        connect(self._client, where)
        self._client.loop_start()
        if not heard.wait(CONNECT_S):
            self.close()
            raise InputError(f"{where.host}:{where.port}: the broker lets nobody in, or not us")

    def _connected(self, client: "Client", data: Any, flags: Any, code: Any, more: Any) -> None:  # noqa: ARG002
        if not code.is_failure:
            self.reconnects += 1
            client.subscribe(f"{self._where.topic}/#", QUALITY)  # and the topic itself

    def _lost(self, *about: Any) -> None:  # noqa: ARG002
        # Numbers hold for a connection: a broker that forgot gives them to other messages.
        self._connection += 1

    def _said(self, client: "Client", data: Any, message: Any) -> None:  # noqa: ARG002
        self._come.put((self._connection, message))

    def __iter__(self) -> Iterator[bytes]:
        while True:
            if self._come.empty():
                self.on_idle()
            try:
                connection, message = self._come.get(timeout=self._idle_s)
            except queue.Empty:
                return
            yield self._line(connection, message)

    def come(self) -> list[bytes]:
        """Return what has come since it was last asked, without waiting."""
        lines = []
        while not self._come.empty():
            lines.append(self._line(*self._come.get_nowait()))
        return lines

    def _line(self, connection: int, message: Any) -> bytes:
        self._unsaid.append((connection, message.mid, message.qos))
        return bytes(message.payload[: 2 * LONGEST_BYTES]).replace(b"\n", b" ")

    def acknowledge(self) -> None:
        """Tell the broker that all lines up to now are on disk."""
        for connection, number, quality in self._unsaid:
            if connection == self._connection:
                self._client.ack(number, quality)
        self._unsaid.clear()

    def close(self) -> None:
        """Leave the broker, which keeps the session."""
        self._client.disconnect()
        self._client.loop_stop()


def new_client(where: Broker, *, keeps: bool = True) -> "Client":
    """Return a client for a broker, not yet connected.

    Where it `keeps` its session, that outlasts it, and it connects again by itself.
    """
    try:
        from paho.mqtt.client import CallbackAPIVersion, Client
    except ModuleNotFoundError:
        raise InputError("MQTT needs paho-mqtt: pip install 'orbital-twin[mqtt]'") from None
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=where.client_id,
        clean_session=not keeps,
        reconnect_on_failure=keeps,
    )
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


def connect(client: "Client", where: Broker) -> None:
    """Connect, with patience: brokers start up, too."""
    deadline_s = time.monotonic() + CONNECT_S
    while True:
        try:
            client.connect(where.host, where.port, KEEP_ALIVE_S)
        except (OSError, ValueError) as error:
            if time.monotonic() > deadline_s:
                told = why(error) if isinstance(error, OSError) else str(error)
                raise InputError(f"{where.host}:{where.port}: no broker: {told}") from None
            time.sleep(0.3)
        else:
            return
