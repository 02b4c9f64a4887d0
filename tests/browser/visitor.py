"""A visitor without a browser: speaks to the page's server over its websocket."""

import json
import time
import uuid
from contextlib import contextmanager
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE_S = 30.0


@contextmanager
def visit(address):
    """A tab of its own at a server."""
    host = urlsplit(address).netloc
    url = f"ws://{host}/jupyter/api/kernels/{uuid.uuid4()}/channels?session_id={uuid.uuid4()}"
    with connect(url, max_size=None, origin=address) as socket:
        yield Visitor(socket)


class Visitor:
    """`open` runs the page at an address, `heard` is all that the server said."""

    def __init__(self, socket):
        self._socket = socket
        self.heard = []

    def open(self, path):
        self.send("comm_open", {"comm_id": "c", "target_name": "solara.control", "data": {}})
        self.control("run", {"path": path, "dark": True, "themes": {}})
        self.wait_for('"method": "finished"')

    def control(self, method, args):
        data = {"method": method, "args": args}
        self.send("comm_msg", {"comm_id": "c", "data": data})

    def send(self, kind, content):
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": "s", "username": ""}
        header |= {"version": "5.3", "date": "2026-01-01T00:00:00Z"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self.send_raw(json.dumps(message | {"channel": "shell", "buffers": []}))

    def send_raw(self, text):
        self._socket.send(text)

    def wait_for(self, text):
        """Listen until the server says a text; gives the message."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            message = self.listen(1.0)
            if message is not None and text in message:
                return message
        raise AssertionError(f"{text!r} was not said in {len(self.heard)} messages")

    def listen(self, seconds):
        """The next message as text, its buffers as Latin-1; None if there is none in time."""
        try:
            message = self._socket.recv(timeout=seconds)
        except (TimeoutError, ConnectionClosed):
            return None
        told = message if isinstance(message, str) else message.decode("latin-1")
        self.heard.append(told)
        return told

    def hear(self, text):
        """Listen until the server has said a text, if it has not yet."""
        if not any(text in message for message in self.heard):
            self.wait_for(text)

    def hang_up(self):
        """Listen until there is nothing more to hear."""
        while self.listen(0.25) is not None:
            pass
