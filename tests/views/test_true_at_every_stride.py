"""Frames that stand for several steps, against numbers worked out from the run's tables."""

import numpy as np
import pytest

from agents.run import run_scenario
from twin.scenario import loader
from twin.views import replay, trace
from twin.views.block import FIGURES
from twin.world.world import World

STEPS, STRIDE = 50, 3


@pytest.fixture(scope="module")
def strided(tmp_path_factory):
    """A run with retries, losses, migration and flat batteries, and its frames."""
    overrides = [
        f"simulation.steps={STEPS}",
        "bus.battery_wh=4.0",
        "bus.initial_soc=0.5",
        "controller.policy=on-event",
        'controller.params={events="brown-out"}',
    ]
    scenario = loader.load("small", overrides)
    run = run_scenario(scenario, runs_dir=tmp_path_factory.mktemp("runs"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "MAX_FRAMES", 20)
        world = World(run.scenario)
        planned = trace.plan(world)
        assert planned.stride == STRIDE
        return run, list(replay.frames(run, world, planned))


def values(frames, name):
    return np.array([frame.figures[FIGURES.index(name)] for frame in frames])


def blocks(run, name):
    column = run.table("steps")[name].to_numpy().astype(float)
    return [column[k : k + STRIDE] for k in range(0, STEPS, STRIDE)]


def test_every_step_is_in_one_frame(strided):
    _, frames = strided
    assert [f.steps for f in frames] == 16 * [3] + [2]


@pytest.mark.parametrize(
    "name",
    ["tokens_asked", "tokens_served", "tokens_lost", "lost_dead", "lost_refused", "migrated_bytes"],
)
def test_sums_are_of_all_steps(strided, name):
    run, frames = strided
    np.testing.assert_array_equal(values(frames, name), [b.sum() for b in blocks(run, name)])
    if name in ("tokens_lost", "migrated_bytes"):
        assert values(frames, name).sum() > 0


def test_extremes_are_of_all_steps(strided):
    run, frames = strided
    for name, extreme in (
        ("soc_min", np.min),
        ("temperature_max_c", np.max),
        ("unpowered", np.max),
    ):
        expected = [extreme(b) for b in blocks(run, name)]
        np.testing.assert_array_equal(values(frames, name), expected)


def test_percentiles_are_of_all_tokens(strided):
    run, frames = strided
    table = run.table("latency")
    step, value, count = (table[n].to_numpy() for n in ("step", "value_s", "count"))
    for k, frame in enumerate(frames):
        mine = step // STRIDE == k
        tokens = np.repeat(value[mine], count[mine])
        shown = frame.figures[FIGURES.index("latency_p99_s")]
        if not len(tokens):
            assert np.isnan(shown)
            continue
        assert shown == pytest.approx(np.percentile(tokens, 99), rel=1e-12)
        assert frame.latency.size == len(tokens)
        assert frame.latency.quantile(0.99) == pytest.approx(shown, rel=0.005)


def test_no_more_than_all_tokens_are_served(strided):
    _, frames = strided
    share = values(frames, "tokens_served_share")
    assert (share[np.isfinite(share)] <= 1).all()
    asked = values(frames, "tokens_asked") + values(frames, "tokens_waiting")
    np.testing.assert_allclose(share, values(frames, "tokens_served") / asked)


def test_layers_are_those_of_the_mean_token(strided):
    _, frames = strided
    total_s = [(f.layer_propagation_s + f.layer_compute_s).sum() for f in frames]
    np.testing.assert_allclose(total_s, values(frames, "latency_mean_s"), rtol=1e-9)


def test_events_are_those_of_the_steps(strided):
    run, frames = strided
    each = np.bincount(run.table("events")["step"].to_numpy() // STRIDE, minlength=len(frames))
    assert [len(f.events) for f in frames] == each.tolist()
