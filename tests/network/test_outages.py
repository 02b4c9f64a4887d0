import numpy as np
import pytest

from twin.network.outages import OUTAGES
from twin.scenario.world import Outages


def draws(model: str, step_s: float, steps: int, links: int, **fields) -> np.ndarray:
    table = Outages(model=model, **fields)
    rng, seen = np.random.default_rng(7), [None]
    for _ in range(steps):
        seen.append(OUTAGES[model](seen[-1], links, table, step_s, rng=rng))
    return np.stack(seen[1:])


@pytest.mark.parametrize("step_s", [5.0, 15.0, 60.0])
def test_gilbert_elliott_keeps_availability_and_outage_length_whatever_the_step(step_s):
    hours = 12
    steps = int(hours * 3600 / step_s)
    up = draws("gilbert-elliott", step_s, steps, 400)
    # Links are independent: their means give an honest standard error.
    per_link = up.mean(axis=0)
    error = per_link.std(ddof=1) / np.sqrt(len(per_link))
    assert abs(per_link.mean() - 0.95) < 4 * error
    # Seen at steps, P(still down one step later) = 1 - .95 (1 - exp(-step / (30 s x .95))).
    down = ~up[:-1]
    stays = (~up[1:])[down].mean()
    expected = 1 - 0.95 * (1 - np.exp(-step_s / (30 * 0.95)))
    assert abs(stays - expected) < 4 * np.sqrt(expected * (1 - expected) / down.sum())


def test_gilbert_elliott_outages_last_as_long_as_configured():
    step_s = 0.5
    up = draws("gilbert-elliott", step_s, 40_000, 50, mean_outage_s=30.0)
    down_time = (~up).sum() * step_s
    ends = (~up[:-1] & up[1:]).sum()
    # Outages shorter than a step go unseen, which lengthens the mean by about one step.
    assert down_time / ends == pytest.approx(30.0, abs=1.5)


def test_iid_draws_are_independent_from_step_to_step():
    up = draws("iid", 30.0, 4000, 100)
    assert up.mean() == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / up.size))
    after_down = up[1:][~up[:-1]].mean()
    assert after_down == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / (~up[:-1]).sum()))


@pytest.mark.parametrize("model", sorted(OUTAGES))
@pytest.mark.parametrize(("availability", "share"), [(1.0, 1.0), (0.0, 0.0)])
def test_extreme_availabilities(model, availability, share):
    up = draws(model, 10.0, 50, 20, availability=availability)
    assert up.mean() == (1.0 if model == "none" else share)
