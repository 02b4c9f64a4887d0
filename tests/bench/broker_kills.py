"""Kill twin, broker and plant while messages go by MQTT, and count what was lost and doubled."""

import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from brokers import SAVES_OFTEN, Running
from live_kills import TWIN, digests
from twin.live import journal, sources
from twin.live.mqtt import Broker, Subscription
from twin.live.session import mirror
from twin.runs.store import open_run
from twin.scenario import loader

VICTIMS: Final = ("twin", "broker", "plant")
MINUTES: Final = 240
SPEED: Final = 120.0
_TAIL: Final = 20
"""Minutes that the plant flies on, so that the twin's last step is over."""
_TOPIC: Final = "kills"
_CLIENT: Final = "mirror"
_MOST_S: Final = 600.0

type Kill = tuple[float, str]


def broker_kills(
    *, moments: int, seed: int, progress: Callable[[int, int], None]
) -> list[dict[str, Any]]:
    """Fly once for each of the three, and kill it at random moments."""
    rng, found = np.random.default_rng(seed), []
    for number, victim in enumerate(VICTIMS):
        at_s = np.sort(rng.uniform(0.05, 0.9, moments)) * 60.0 * MINUTES / SPEED
        with TemporaryDirectory() as temporary:
            flight = Flight(Path(temporary), minutes=MINUTES, speed=SPEED, seed=seed)
            found.append({"victim": victim} | flight.fly([(t_s, victim) for t_s in at_s.tolist()]))
        progress(number + 1, len(VICTIMS))
    return found


class Flight:
    """A plant, a broker and a twin, each in a process of its own.

    Parameters
    ----------
    place : Path
        Empty.
    minutes : int
        That are mirrored.
    speed : float
        Of the plant.
    seed : int
        Of the plant.
    """

    def __init__(self, place: Path, *, minutes: int, speed: float, seed: int) -> None:
        self._place = place
        changes = {"simulation.orbits": None, "simulation.step_s": 60.0, "bus.battery_wh": 450.0}
        for name, steps in (("plant.toml", minutes + _TAIL), ("twin.toml", minutes)):
            chosen = loader.load("small", changes | {"simulation.steps": steps})
            (place / name).write_text(loader.to_toml(chosen))
        emit = [*TWIN, "emit", "plant.toml", "--seed", str(seed), "--to"]
        subprocess.run([*emit, "said.jsonl"], cwd=place, check=True)
        self._said = (place / "said.jsonl").read_bytes().splitlines()
        (place / "broker").mkdir()
        self._broker = Running(place / "broker", *SAVES_OFTEN)
        self._address = f"mqtt://127.0.0.1:{self._broker.port}/{_TOPIC}"
        self._emit = [*emit, self._address, "--speed", str(speed), "--spool", "spool"]
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def fly(self, kills: Sequence[Kill]) -> dict[str, Any]:
        """Fly, kill one of the three (s since the twin heard something, which), and count."""
        with ExitStack() as stack:
            stack.callback(self._broker.kill)
            stack.callback(self._end)
            where = Broker(
                host="127.0.0.1", port=self._broker.port, topic=_TOPIC, user="", tls=False,
                ca_file=None, client_id=_CLIENT,
            )  # fmt: skip
            Subscription(where).close()  # the broker keeps what comes from now on,
            self._broker.restart()  # and knows so however early it is killed
            self._start("twin")
            self._start("plant")
            self._until(lambda: bool(self._logged()))
            began, killed = time.monotonic(), []
            for at_s, victim in kills:
                time.sleep(max(at_s - (time.monotonic() - began), 0.0))
                killed.append({"at_s": time.monotonic() - began, "log": self._kill(victim)})
            # The plant flies on meanwhile, or is done too.
            self._until(lambda: self._processes["twin"].poll() is not None)
            assert self._processes["twin"].returncode == 0, "the twin failed"
        return self._count(killed)

    def _start(self, victim: str) -> None:
        if victim == "plant":
            command = self._emit
        else:
            source = ["--from", self._address, "--client-id", _CLIENT, "--runs-dir", "runs"]
            partial = self._partial()
            what = ["twin.toml"] if partial is None else ["--resume", str(partial)]
            command = [*TWIN, "live", *what, *source]
        self._processes[victim] = subprocess.Popen(
            command, cwd=self._place, stdout=subprocess.DEVNULL
        )

    def _kill(self, victim: str) -> bytes:
        """Kill one, start it again, and return what the twin had on disk meanwhile."""
        if victim == "broker":
            self._broker.kill()
        else:
            self._processes[victim].kill()
            self._processes[victim].wait()
        log = self._logged()
        if victim == "broker":
            self._broker.start()
        else:
            self._start(victim)
        return log

    def _logged(self) -> bytes:
        """Whole lines of the twin's log."""
        partial = self._partial()
        log = b"" if partial is None else (partial / journal.NAME).read_bytes()
        return log[: log.rfind(b"\n") + 1]

    def _partial(self) -> Path | None:
        """The run that can be resumed: one that was killed before it had begun heard nothing."""
        found = (self._place / "runs").glob("*.partial/manifest.json")
        return next((file.parent for file in found), None)

    def _until(self, over: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + _MOST_S
        while not over():
            assert time.monotonic() < deadline_s, "it takes too long"
            assert self._processes["plant"].poll() in (None, 0), "the plant failed"
            time.sleep(0.1)

    def _end(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _count(self, killed: list[dict[str, Any]]) -> dict[str, Any]:
        (folder,) = (f for f in (self._place / "runs").iterdir() if f.suffix != ".partial")
        run = open_run(folder)
        log = (folder / journal.NAME).read_bytes()
        for one in killed:
            before = one.pop("log")
            one["acknowledged"] = before.count(b"\n")
            one["lost"] = 0 if log.startswith(before) else _lost(before, log)
        order = {line: k for k, line in enumerate(self._said)}
        came = list(journal.read(folder / journal.NAME))
        numbers = {order[line] for line in came if line in order}
        counts = run.manifest["conclusion"]["live"]["messages"]
        return {
            "kills": killed,
            "said": max(numbers) + 1,
            "logged": len(came),
            "lost": max(numbers) + 1 - len(numbers),
            "altered": sum(line not in order for line in came),
            "doubled": len(came) - len(numbers),
            "dropped": counts["doubled"],
            "late": counts["late"],
            "replayed": digests(self._mirrored("replayed", folder / journal.NAME))
            == digests(folder),
            "as_unkilled": digests(self._mirrored("unkilled", self._place / "said.jsonl"))
            == digests(folder),
        }

    def _mirrored(self, name: str, file: Path) -> Path:
        chosen = loader.load(str(self._place / "twin.toml"), {})
        run = mirror(
            chosen,
            lambda skip: sources.lines(str(file), skip=skip),
            runs_dir=self._place / name,
        )
        return run.path


def _lost(before: bytes, log: bytes) -> int:
    return len(set(before.splitlines()) - set(log.splitlines()))
