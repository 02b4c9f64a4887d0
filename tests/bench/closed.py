"""What acting on advice wins back of what planning with the wrong parameters loses.

A plant with hidden parameters flies three times on the same draws: its controller plans with the
design's parameters, with the true ones, and with the design's while the twin mirrors the plant,
advises, and acts. In all three the controller plans by the same policy, so that the first two plan
again as often as that policy says.

Protocol, fixed before the first flight of it:

1. The settings are those of `grid`: `eclipse-study` with 11 planes that all see shadow; two loads
   and two batteries where the controller plans again as often as advice is given (periodic), and
   two loads where it plans once (static) or after events. All are printed.
2. What is counted begins after the first orbit, in which the mirror learns; the same minutes in
   all three flights. What the whole flights served is printed beside it.
3. Plants of a first set of seeds choose: a setting is judged if true parameters serve more than
   wrong ones there by more than half of the 95 % interval of the mean (Student's t).
4. Plants of a second set of seeds judge: gap, what acting won, and their ratio with its interval,
   for each setting and for all together. A setting whose gap is not confirmed by these plants
   stays in; only its ratio has no finite interval.
5. The settings of one seed share their plant's parameters, so that all together are summed by seed
   first: the seeds are what is independent.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from twin.energy.budget import Own
from twin.errors import InputError
from twin.live.act import Adviser, Asked, ToFile
from twin.live.plant.commands import OfFile
from twin.live.plant.emit import lines
from twin.live.plant.flight import CHUNK_S, Flight
from twin.live.plant.service import MINUTE_S, Service
from twin.live.plant.settings import settings
from twin.live.plant.telemetry import Telemetry
from twin.live.session import mirror
from twin.live.state import Options
from twin.plugins.choices import load_scenario
from twin.scenario.schema import Scenario
from twin.world.world import World
from won_back import ARMS, Case, Flown, data_of, together

SHADOW: Final = (
    "constellation.planes=11",
    "constellation.phasing=5",
    "constellation.raan_spread_deg=60",
    "placement.strategy=energy-aware",
    "controller.horizon_steps=100",
    "simulation.step_s=60",
    "simulation.steps=200",
)
"""Makes of `eclipse-study` a third of it, in planes that all see shadow."""


def grid(every: int) -> list[str]:
    """The settings, each as ``--set`` takes them with spaces between; advice is every so often."""
    periodic = f"periodic controller.params={{every_steps={every}}}"
    found = [
        *((battery, rate, periodic) for battery in (3000, 3500) for rate in (12_000, 16_000)),
        *((3500, rate, policy) for policy in ("static", "on-event") for rate in (12_000, 16_000)),
    ]
    return [
        f"bus.battery_wh={battery} workload.rate_per_s={rate} controller.policy={policy}"
        for battery, rate, policy in found
    ]


class Kept:
    """Flights that are kept in a file line by line, so that a bench that was cut off goes on.

    Parameters
    ----------
    file : Path or None
        None: nothing is kept.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self.found: dict[tuple[str, int, str], Flown | str] = {}
        if file is not None and file.exists():
            for line in file.read_text().splitlines():
                key, one = json.loads(line)
                self.found[key[0], key[1], key[2]] = one if isinstance(one, str) else Flown(**one)

    def add(self, key: tuple[str, int, str], one: Flown | str) -> None:
        """Keep one flight."""
        self.found[key] = one
        if self._file is not None:
            with self._file.open("a") as out:
                out.write(json.dumps([key, one if isinstance(one, str) else vars(one)]) + "\n")


def closed(
    scenario: str,
    changes: Sequence[str],
    cases: Sequence[str],
    plant: Sequence[str],
    *,
    first: Sequence[int],
    second: Sequence[int],
    asked: Asked,
    jobs: int = 1,
    file: Path | None = None,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Choose settings with the first seeds, judge them with the second, and return both."""
    fly, kept = partial(_fly, scenario, changes, plant, asked), Kept(file)

    def flown(found: Sequence[str], seeds: Sequence[int], arms: Sequence[str]) -> list[Case]:
        keys = [(s, seed, arm) for seed in seeds for s in found for arm in arms]
        left = [key for key in keys if key not in kept.found]
        for done, (key, one) in enumerate(zip(left, each(fly, left), strict=True)):
            kept.add(key, one)
            progress(len(keys) - len(left) + done + 1, len(keys))
        return [_case(s, kept.found, seeds, arms) for s in found]

    with ExitStack() as stack:
        each: Callable[..., Iterable[Flown | str]] = map
        if jobs > 1:
            context = get_context("spawn")
            each = stack.enter_context(ProcessPoolExecutor(jobs, mp_context=context)).map
        choosing = flown(cases, first, ARMS[:2])
        judged = flown([case.setting for case in choosing if case.chosen], second, ARMS)
    return {
        "first_seeds": list(first),
        "second_seeds": list(second),
        "choosing": [data_of(case) for case in choosing],
        "judged": [data_of(case) for case in judged],
        "together": together(judged),
    }


def _case(
    setting: str, results: Mapping[Any, Flown | str], seeds: Sequence[int], arms: Sequence[str]
) -> Case:
    mine = {arm: [results[setting, seed, arm] for seed in seeds] for arm in arms}
    refused = next((one for each in mine.values() for one in each if isinstance(one, str)), "")
    flown = {arm: [one for one in each if isinstance(one, Flown)] for arm, each in mine.items()}
    return Case(setting=setting, flown=flown, refused=refused)


def _fly(
    scenario: str,
    changes: Sequence[str],
    plant: Sequence[str],
    asked: Asked,
    key: tuple[str, int, str],
) -> Flown | str:
    """Fly one plant; why it cannot be, where it has no plan."""
    setting, seed, arm = key
    chosen = load_scenario(scenario, [*changes, *setting.split()])
    try:
        if arm == "act":
            return _acted(chosen, plant, seed, asked)
        return _alone(chosen, plant, seed, true=arm == "true")
    except InputError as error:
        return str(error)


def _flight(scenario: Scenario, plant: Sequence[str], seed: int) -> Flight:
    spread, anomalies = settings(plant)
    return Flight(scenario, spread=spread, anomalies=anomalies, seed=seed)


def _alone(scenario: Scenario, plant: Sequence[str], seed: int, *, true: bool) -> Flown:
    flight = _flight(scenario, plant, seed)
    truth = flight.hidden
    own = Own(capacity=truth.capacity, array=truth.array, load=truth.load) if true else None
    flight.service = Service(flight, seed=seed, own=own)
    for _ in range(round(flight.flown_s / CHUNK_S)):
        flight.fly()
    return _counted(flight)


def _acted(scenario: Scenario, plant: Sequence[str], seed: int, asked: Asked) -> Flown:
    flight = _flight(scenario, plant, seed)
    with TemporaryDirectory() as temporary:
        file = Path(temporary) / "commands.jsonl"
        flight.service = Service(flight, seed=seed, commands=OfFile(file))

        def said(skip: int) -> Iterator[bytes]:
            for number, (_, line) in enumerate(lines(flight, Telemetry(flight, seed=seed))):
                if number >= skip:
                    yield line.encode() + b"\n"

        with Adviser(asked, ToFile(file)) as adviser:
            options = Options(watch=adviser.watch)
            mirror(scenario, said, runs_dir=Path(temporary) / "runs", options=options)
        for _ in range(round((flight.flown_s - flight.now_s) / CHUNK_S)):
            flight.fly()  # what the mirror did not wait for
    return _counted(flight, adviser.sent)


def _counted(flight: Flight, commands: int = 0) -> Flown:
    assert flight.service is not None
    counts = np.array(flight.service.counts)[:, :2]
    after = min(round(World(flight.scenario).period_s / MINUTE_S), len(counts) // 2)
    counted, whole = (
        float(served / asked) for asked, served in (counts[after:].sum(axis=0), counts.sum(axis=0))
    )
    return Flown(counted=counted, whole=whole, commands=commands)
