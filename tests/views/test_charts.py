import dataclasses
import json

import numpy as np
import pytest

from twin.views import charts

OPTIONS = [charts.layer_latency, charts.token_latency, charts.network]


def series(option, name):
    return next(s for s in option["series"] if s["name"] == name)


def test_bars_are_the_frame_in_milliseconds(trace):
    option = charts.layer_latency(trace, 3)
    for name, values in (
        ("propagation", trace.layer_propagation_s),
        ("compute", trace.layer_compute_s),
    ):
        assert series(option, name)["data"] == pytest.approx((1e3 * values[3]).tolist(), abs=1e-3)
        assert series(option, name)["stack"] == "latency"
    assert option["xAxis"]["data"] == ["1", "2", "3", "4"]


def test_axes_stay_while_time_passes(trace):
    for draw in OPTIONS:
        assert len({json.dumps(draw(trace, k)["yAxis"]) for k in range(5)}) == 1
    top_ms = charts.layer_latency(trace, 0)["yAxis"]["max"]
    total_ms = 1e3 * (trace.layer_propagation_s + trace.layer_compute_s)
    assert total_ms.max() <= top_ms < 2 * total_ms.max()


@pytest.mark.parametrize("draw", [charts.token_latency, charts.network])
def test_mark_is_at_the_step_of_the_frame(trace, draw):
    strided = dataclasses.replace(trace, meta=dataclasses.replace(trace.meta, stride=10))
    marks = [s["markLine"]["data"] for s in draw(strided, 2)["series"] if "markLine" in s]
    assert marks == [[{"xAxis": 21}]]


@pytest.mark.parametrize("draw", OPTIONS)
def test_steps_without_a_token_are_gaps(trace, draw):
    nothing = np.full_like(trace.layer_compute_s, np.nan)
    missing = trace.latency_s.copy()
    missing[1] = np.nan
    empty = dataclasses.replace(
        trace,
        latency_s=missing,
        latency_p95_s=missing,
        layer_propagation_s=nothing,
        layer_compute_s=nothing,
    )
    json.dumps(draw(empty, 1), allow_nan=False)
    assert series(charts.token_latency(empty, 1), "mean")["data"][1] == [2, None]


@pytest.mark.parametrize("draw", OPTIONS)
def test_legend_names_the_series(trace, draw):
    option = draw(trace, 0)
    assert set(option["legend"]["data"]) == {s["name"] for s in option["series"]}
