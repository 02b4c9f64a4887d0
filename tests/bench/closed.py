"""What acting on advice wins back of what planning with the wrong parameters loses.

A plant with hidden parameters flies three times on the same draws: planned with the design's
parameters and left alone, planned with its true ones, and planned with the design's while the twin
mirrors it, advises, and acts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from twin.energy.budget import Own
from twin.live.act import Adviser, Asked, ToFile
from twin.live.plant.commands import OfFile
from twin.live.plant.emit import lines
from twin.live.plant.flight import CHUNK_S, Flight
from twin.live.plant.service import Service
from twin.live.plant.settings import settings
from twin.live.plant.telemetry import Telemetry
from twin.live.session import mirror
from twin.live.state import Options
from twin.plugins.choices import load_scenario
from twin.scenario.schema import Scenario

type Array = NDArray[np.float64]

WRONG: Final = "the design's parameters"
TRUE: Final = "the true parameters"
ACT: Final = "the design's, advice and --act"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One setting, flown with several seeds.

    Attributes
    ----------
    setting : str
        As ``--set`` takes it; empty for the scenario as it is.
    served : dict of str to (S,) float64
        Share of the tokens that each plant served, by seed.
    commands : (S,) int64
        That the twin sent.
    """

    setting: str
    served: dict[str, Array]
    commands: NDArray[np.int64]

    @property
    def gap(self) -> Array:
        """What true parameters serve more than wrong ones, (S,)."""
        return self.served[TRUE] - self.served[WRONG]

    @property
    def won(self) -> Array:
        """What acting serves more than doing nothing, (S,)."""
        return self.served[ACT] - self.served[WRONG]

    @property
    def counts(self) -> bool:
        """Whether the gap exceeds its interval."""
        return float(self.gap.mean()) > half_of(self.gap)


def half_of(values: Array) -> float:
    """Half of the 95 % interval of a mean."""
    if len(values) < 2:
        return float("inf")
    factor = float(stats.t.ppf(0.975, len(values) - 1))
    return factor * float(values.std(ddof=1) / np.sqrt(len(values)))


def closed(
    scenario: str,
    changes: Sequence[str],
    cases: Sequence[str],
    plant: Sequence[str],
    *,
    seeds: Sequence[int],
    asked: Asked,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Fly every case with every seed three times, and return what was served."""
    done, found = 0, []
    for setting in cases:
        chosen = load_scenario(scenario, [*changes, *([setting] if setting else [])])
        served: dict[str, list[float]] = {WRONG: [], TRUE: [], ACT: []}
        sent = []
        for seed in seeds:
            served[WRONG].append(_alone(chosen, plant, seed, told=False))
            served[TRUE].append(_alone(chosen, plant, seed, told=True))
            share, commands = _acted(chosen, plant, seed, asked)
            served[ACT].append(share)
            sent.append(commands)
            done += 1
            progress(done, len(cases) * len(seeds))
        arrays = {name: np.array(values) for name, values in served.items()}
        found.append(Case(setting=setting, served=arrays, commands=np.array(sent, np.int64)))
    return _data(found, list(seeds))


def _data(found: Sequence[Case], seeds: list[int]) -> dict[str, Any]:
    counting = [case for case in found if case.counts]
    gap = np.concatenate([case.gap for case in counting]) if counting else np.zeros(0)
    won = np.concatenate([case.won for case in counting]) if counting else np.zeros(0)
    low, high = ratio_interval(won, gap) if len(gap) else (np.nan, np.nan)
    return {
        "seeds": seeds,
        "cases": [
            {
                "setting": case.setting,
                "served": {name: values.tolist() for name, values in case.served.items()},
                "gap": float(case.gap.mean()),
                "gap_half": half_of(case.gap),
                "won": float(case.won.mean()),
                "won_half": half_of(case.won),
                "commands": case.commands.tolist(),
                "counts": case.counts,
            }
            for case in found
        ],
        "won_back": float(won.sum() / gap.sum()) if len(gap) else np.nan,
        "won_back_low": low,
        "won_back_high": high,
    }


def ratio_interval(won: Array, gap: Array, *, draws: int = 10_000) -> tuple[float, float]:
    """95 % interval of a ratio of means, by bootstrap over the flights (percentiles)."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(gap), (draws, len(gap)))
    with np.errstate(all="ignore"):
        ratio = won[rows].sum(axis=1) / gap[rows].sum(axis=1)
    low, high = np.nanquantile(ratio, [0.025, 0.975])
    return float(low), float(high)


def _flight(scenario: Scenario, plant: Sequence[str], seed: int) -> Flight:
    spread, anomalies = settings(plant)
    return Flight(scenario, spread=spread, anomalies=anomalies, seed=seed)


def _alone(scenario: Scenario, plant: Sequence[str], seed: int, *, told: bool) -> float:
    flight = _flight(scenario, plant, seed)
    truth = flight.hidden
    own = Own(capacity=truth.capacity, array=truth.array, load=truth.load) if told else None
    flight.service = Service(flight, seed=seed, own=own)
    for _ in range(round(flight.flown_s / CHUNK_S)):
        flight.fly()
    return _share(flight)


def _acted(scenario: Scenario, plant: Sequence[str], seed: int, asked: Asked) -> tuple[float, int]:
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
    return _share(flight), adviser.sent


def _share(flight: Flight) -> float:
    assert flight.service is not None
    asked, served = np.array(flight.service.counts)[:, :2].sum(axis=0).tolist()
    return float(served / asked)


def rows(data: dict[str, Any]) -> list[list[str]]:
    """A line a case, in per cent of the tokens asked."""
    return [
        [
            case["setting"] or "as it is",
            *(f"{100 * np.mean(case['served'][name]):.2f}" for name in (WRONG, TRUE, ACT)),
            f"{100 * case['gap']:.2f} ± {100 * case['gap_half']:.2f}",
            f"{100 * case['won']:.2f} ± {100 * case['won_half']:.2f}",
            "yes" if case["counts"] else "no",
        ]
        for case in data["cases"]
    ]
