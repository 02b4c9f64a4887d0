"""Whether forecasts of the smallest charge hold what they say, against a plant's truth."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from mirrored import flown
from twin.live.filter import FilterState, Priors
from twin.live.forecast import Basis, Outlook, crps, look_ahead
from twin.live.judge import wilson
from twin.live.loads import LoadState
from twin.live.session import Session, mirror
from twin.live.state import Options
from twin.scenario import loader


def outlooks(
    scenario: str,
    changes: Mapping[str, Any],
    plant: Sequence[str],
    *,
    seed: int,
    members: int,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Forecast two orbits at a time, none overlapping, and judge by what came.

    A forecast is of one satellite over two orbits. The first two orbits are for learning.
    """
    chosen, priors = loader.load(scenario, changes), Priors()
    made: list[Outlook] = []
    lowest: list[np.ndarray[Any, Any]] = []

    def watch(session: Session, step: Any) -> None:
        world = session.mirror.model.world
        ahead = round(2 * world.period_s / world.step_s)
        lowest.append(session.mirror.model.fleet.energy.soc.copy())
        after = step.step + 1
        if after % ahead == 0 and after + ahead <= chosen.simulation.steps:
            basis = session.mirror.basis
            made.append(
                look_ahead(chosen, basis, steps=ahead, priors=priors, members=members, seed=seed)
            )

    with TemporaryDirectory() as temporary:
        truth, file = Path(temporary) / "truth.npz", Path(temporary) / "scenario.toml"
        file.write_text(loader.to_toml(chosen))
        mirror(
            chosen,
            lambda skip: flown(str(file), (), plant, seed, truth),
            runs_dir=Path(temporary) / "runs",
            options=Options(progress=progress, watch=watch),
        )
        true = np.load(truth)["soc_low"]
    begun = _design(chosen, priors)
    design = look_ahead_all(chosen, begun, priors)
    return judged(made, np.array(lowest), true, design)


def judged(
    made: Sequence[Outlook],
    believed: np.ndarray[Any, Any],
    true: np.ndarray[Any, Any],
    design: np.ndarray[Any, Any],
) -> dict[str, Any]:
    """Coverage of 90 % bands, their width, and CRPS beside persistence and the open loop."""
    inside, width, score, last, open_loop = [], [], [], [], []
    for one in made:
        first, end = one.step, one.step + one.steps
        came = true[first:end].min(axis=0)
        low, _, high = one.bands
        inside.append((low <= came) & (came <= high))
        width.append(high - low)
        score.append(crps(one.lowest, came))
        last.append(np.abs(believed[first - one.steps : first].min(axis=0) - came))
        open_loop.append(np.abs(design[first:end].min(axis=0) - came))
    held, of = int(np.sum(inside)), int(np.size(inside))
    low, high = wilson(held, of)
    return {
        "forecasts": of,
        "inside": held / max(of, 1),
        "inside_low": low,
        "inside_high": high,
        "width_mean": float(np.mean(width)),
        "crps": float(np.mean(score)),
        "crps_persistence": float(np.mean(last)),
        "crps_open_loop": float(np.mean(open_loop)),
    }


def _design(scenario: Any, priors: Priors) -> Basis:
    """What the twin believes without telemetry, at the start: the design."""
    from twin.live.message import Counts
    from twin.live.mirror import Mirror

    model = Mirror(scenario, counts=Counts(), priors=priors)
    basis, bus = model.basis, model.bus
    load_w = np.full(len(basis.powered), bus.idle_w)
    filter_state: FilterState = basis.filter
    filter_state.load_w = load_w
    loads = LoadState(mean_w=load_w, slow_w=load_w, variance_w2=np.zeros_like(load_w), weight=1.0)
    return Basis(step=0, filter=filter_state, loads=loads, sets=basis.sets, powered=basis.powered)


def look_ahead_all(scenario: Any, basis: Basis, priors: Priors) -> np.ndarray[Any, Any]:
    """Smallest charge of each step, (T, N), of the design alone."""
    from twin.energy import solar
    from twin.live.forecast import _Members
    from twin.live.orbits import LiveEphemeris
    from twin.space import constellation
    from twin.world.spacecraft import bus_profile

    sky = LiveEphemeris(scenario, constellation.build(scenario), basis.sets)
    flying = _Members(bus_profile(scenario), basis, priors, 1, np.random.default_rng(0))
    out = []
    for k in range(scenario.simulation.steps):
        now, light = sky.at(k), sky.light(k)
        around = solar.surroundings(now.r_km, now.v_km_s, now.sun_km, light.sunlit, sky.step_s)
        out.append(flying.step(around, sky.step_s)[0][0])
    return np.array(out)
