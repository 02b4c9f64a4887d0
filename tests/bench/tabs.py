"""Sessions of the page at once, without browsers: the server's memory, who waits how long.

A client does what a tab does: it asks for the HTML, opens the kernel's websocket, runs the page,
reads a run to its end, plays and asks about it, looks at another run; now and then the tab is
closed and another one opened.
"""

import http.client
import json
import os
import statistics
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
from scipy.stats import t as student
from websockets.sync.client import ClientConnection, connect

from agents.run import run_scenario
from twin.errors import InputError
from twin.scenario import loader
from twin.views.server import served

SCENARIO: Final = "paper"
RUNS: Final = ("one", "other")
LOOK_S: Final = 120.0
"""For how long a client looks at a run."""
LOOKS: Final = 4
"""How many it looks at until the tab is closed."""
PAUSE_S: Final = 1.0
"""As often the page says which step is on screen; as often a client asks something."""
SAMPLE_S: Final = 5.0
SETTLED: Final = 0.2
"""Share of the time until caches are full, which says nothing about a trend."""
PATIENCE_S: Final = 600.0
QUESTIONS: Final[tuple[dict[str, Any], ...]] = (
    {"what": "events", "satellite": 7},
    {"what": "tokens", "by": "latency_s"},
    {"what": "tokens", "layer": 3},
    {"what": "events", "by": "kind"},
    {"what": "tokens", "cause": "lost"},
)
_STAGE: Final = "twin.views.stage.Stage"
_HEAD_BYTES: Final = 1 << 14
"""Of a message, what says how it goes on."""

type Took = dict[str, list[float]]


def sessions(
    *,
    clients: int,
    minutes: float,
    alone_minutes: float,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """One client alone, then all at once; seconds of each opening and each answer, memory in MiB.

    Parameters
    ----------
    clients : int
    minutes, alone_minutes : float
        How long all are there, and before them one alone.
    progress : callable
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        for k, run_id in enumerate(RUNS):
            changes = ["simulation.record_tokens_per_step=8", f"simulation.seed={k}"]
            run_scenario(loader.load(SCENARIO, changes), runs_dir=folder / "runs", run_id=run_id)
        with served(folder) as url:
            server = _process(folder)
            _visited(url, 1, 4 * PAUSE_S, server, lambda *_: None)  # what is compiled is loaded
            alone, _ = _visited(url, 1, 60 * alone_minutes, server, lambda *_: None)
            together, memory = _visited(url, clients, 60 * minutes, server, progress)
    return {
        "clients": clients,
        "minutes": minutes,
        "alone_s": {kind: _summary(alone[0][kind]) for kind in alone[0]},
        "together_s": {
            kind: _summary([s for one in together for s in one[kind]]) for kind in together[0]
        },
        "slowest_to_alone": {
            kind: max(statistics.median(one[kind]) for one in together)
            / statistics.median(alone[0][kind])
            for kind in together[0]
        },
        "memory_mib": memory,
        "trend": trend(memory),
        "load": os.getloadavg()[0],
        "processors": os.cpu_count(),
    }


def trend(memory: list[tuple[float, float]]) -> dict[str, float]:
    """Slope of memory in MiB an hour, and half its 95 % interval, over means of a minute.

    Parameters
    ----------
    memory : list of (float, float)
        Seconds and MiB.
    """
    at, mib = np.array(memory).T
    later = at >= SETTLED * at[-1]
    bins = (at[later] // min(60.0, at[-1] / 10)).astype(int)
    x = np.array([at[later][bins == b].mean() for b in np.unique(bins)]) / 3600
    y = np.array([mib[later][bins == b].mean() for b in np.unique(bins)])
    apart = x - x.mean()
    slope = float(apart @ y / (apart @ apart))
    left = y - y.mean() - slope * apart
    error = float(np.sqrt(left @ left / (len(x) - 2) / (apart @ apart)))
    return {
        "mib_per_hour": slope,
        "half_width_mib_per_hour": float(student.ppf(0.975, len(x) - 2)) * error,
    }


def _summary(taken: list[float]) -> dict[str, float]:
    return {
        "count": len(taken),
        "median": float(np.median(taken)),
        "p95": float(np.quantile(taken, 0.95)),
        "most": max(taken),
    }


def _visited(
    url: str, clients: int, seconds: float, server: int, progress: Callable[[int, int], None]
) -> tuple[list[Took], list[tuple[float, float]]]:
    """Let clients look for a time; what each waited for, and the server's memory meanwhile."""
    until = time.monotonic() + seconds
    took: list[Took] = [{"opened": [], "answered": []} for _ in range(clients)]
    wrong: list[BaseException] = []

    def client(number: int) -> None:
        # Visitors do not come all at once.
        time.sleep(number * min(LOOK_S, seconds / 4) / clients)
        try:
            while time.monotonic() < until:
                _tab(url, number, until, took[number])
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=client, args=(k,), daemon=True) for k in range(clients)]
    began, memory = time.monotonic(), []
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) and not wrong:
        memory.append((time.monotonic() - began, _resident_mib(server)))
        progress(min(int(memory[-1][0]), int(seconds)), int(seconds))
        time.sleep(min(SAMPLE_S, seconds / 40))
    if wrong:
        raise wrong[0]
    return took, memory


def _tab(url: str, number: int, until: float, took: Took) -> None:
    """One tab: it looks at some runs in turns, and is closed."""
    with _opened(url, RUNS[number % len(RUNS)], took) as page:
        for look in range(LOOKS):
            if time.monotonic() >= until:
                break
            if look:
                page.open(RUNS[(number + look) % len(RUNS)], took)
            end = min(time.monotonic() + LOOK_S, until)
            for second, question in enumerate(QUESTIONS * 100):
                page.step(7 * second % 200)
                took["answered"].append(page.ask(question))
                if time.monotonic() >= end:
                    break
                time.sleep(PAUSE_S)


@contextmanager
def _opened(url: str, run_id: str, took: Took) -> Iterator["_Page"]:
    host, kernel, session = urlsplit(url).netloc, uuid.uuid4(), uuid.uuid4()
    began = time.perf_counter()
    cookies = _answered(host, "GET", f"/?run={run_id}").get_all("set-cookie", [])
    cookie = "; ".join(c.split(";")[0] for c in cookies)
    address = f"ws://{host}/jupyter/api/kernels/{kernel}/channels?session_id={session}"
    headers = {"Cookie": cookie}
    with connect(address, max_size=None, origin=url, additional_headers=headers) as socket:  # type: ignore[arg-type]
        page = _Page(socket)
        page.run(run_id)
        page.read()
        took["opened"].append(page.first_at - began)
        yield page
    _answered(host, "POST", f"/_solara/api/close/{kernel}?session_id={session}")


def _answered(host: str, method: str, path: str) -> http.client.HTTPMessage:
    connection = http.client.HTTPConnection(host, timeout=PATIENCE_S)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        answer.read()
        return answer.headers
    finally:
        connection.close()


class _Page:
    """The page's end of the websocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._stage = self._shown = self._run = ""
        self._asked = 0
        self.first_at = 0.0

    def run(self, run_id: str) -> None:
        """Start the page at a run's address."""
        self._run, path = run_id, f"/?run={run_id}"
        self._send("comm_open", {"comm_id": "c", "target_name": "solara.control", "data": {}})
        wanted = {"path": path, "dark": True, "themes": {}}
        self._send("comm_msg", {"comm_id": "c", "data": {"method": "run", "args": wanted}})
        self._until(lambda data: data.get("method") == "finished")

    def open(self, run_id: str, took: Took) -> None:
        """Look at another run."""
        began, self._run, self._shown = time.perf_counter(), run_id, ""
        self._custom({"open": [run_id]})
        self.read()
        took["opened"].append(self.first_at - began)

    def read(self) -> None:
        """Read all of the run that comes on stage."""
        if not self._shown:
            self._until(lambda _: self._shown != "")
        key, number, last = self._shown, 0, False
        self._want(key, 0)
        self._want(key, 1)
        while not last:
            message = self._until(_is_part(key, number))[1]
            if number == 1:
                self.first_at = time.perf_counter()
            last = number > 0 and b'"last": true' in message[:_HEAD_BYTES]
            number += 1
            if number > 1 and not last:
                self._want(key, number)

    def step(self, step: int) -> None:
        """Say which step is on screen."""
        data = {"method": "update", "state": {"step": step}, "buffer_paths": []}
        self._send("comm_msg", {"comm_id": self._stage, "data": data})

    def ask(self, question: dict[str, Any]) -> float:
        """Ask about the run; seconds until the answer."""
        self._asked += 1
        began = time.perf_counter()
        self._custom({**question, "ask": self._asked, "run": self._run})
        found, _ = self._until(lambda data: data.get("content", {}).get("answer") == self._asked)
        if "wrong" in found["content"]:
            raise InputError(f"{question}: {found['content']['wrong']}")
        return time.perf_counter() - began

    def _want(self, key: str, number: int) -> None:
        self._custom({"want": key, "number": number})

    def _custom(self, content: dict[str, Any]) -> None:
        data = {"method": "custom", "content": content}
        self._send("comm_msg", {"comm_id": self._stage, "data": data})

    def _send(self, kind: str, content: dict[str, Any]) -> None:
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": "s", "username": ""}
        header |= {"version": "5.3", "date": "2026-01-01T00:00:00Z"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._socket.send(json.dumps(message | {"channel": "shell", "buffers": []}))

    def _until(self, right: Callable[[dict[str, Any]], bool]) -> tuple[dict[str, Any], bytes]:
        """Take messages until one is right; its data, and all of it."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            message = self._socket.recv(timeout=PATIENCE_S)
            raw = message.encode() if isinstance(message, str) else message
            content = _content(raw, binary=not isinstance(message, str))
            data = content.get("data", {})
            state = data.get("state", {})
            if state.get("_anywidget_id") == _STAGE:
                self._stage = content["comm_id"]
            if content.get("comm_id") == self._stage and state.get("shown"):
                self._shown = state["shown"][0]
            if right(data):
                return data, raw
        raise InputError("the page's server did not answer")


def _content(raw: bytes, *, binary: bool) -> dict[str, Any]:
    """Content of a message; one with buffers begins with their number and where each is."""
    start = end = 0
    if binary:
        count = int.from_bytes(raw[:4], "big")
        start = int.from_bytes(raw[4:8], "big")
        end = int.from_bytes(raw[8:12], "big") if count > 1 else len(raw)
    found: dict[str, Any] = json.loads(raw[start : end or None])["content"]
    return found


def _is_part(key: str, number: int) -> Callable[[dict[str, Any]], bool]:
    def right(data: dict[str, Any]) -> bool:
        content = data.get("content", {})
        return bool(content.get("key") == key and content.get("number") == number)

    return right


def _process(folder: Path) -> int:
    """The process that serves from a folder."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            there = (entry / "cwd").resolve() == folder.resolve()
            if there and b"solara" in (entry / "cmdline").read_bytes():
                return int(entry.name)
        except OSError:
            continue
    raise InputError("the page's server is not to be found")


def _resident_mib(process: int) -> float:
    text = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(text.split("VmRSS:")[1].split()[0]) / 1024
