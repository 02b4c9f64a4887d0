"""ECharts options, as plain data, for a trace at a frame."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.views.palette import COMPUTE, INK, MUTED, PROPAGATION, RULE
from twin.views.trace import Trace

type Option = dict[str, Any]


def layer_latency(trace: Trace, frame: int) -> Option:
    """Where the time of the frame's mean token goes: one bar a layer, in ms."""
    propagation_ms = 1e3 * trace.layer_propagation_s
    compute_ms = 1e3 * trace.layer_compute_s
    total_ms = propagation_ms + compute_ms
    layers = [str(layer + 1) for layer in range(total_ms.shape[1])]
    run_mean_ms = _mean(total_ms)
    return _frame_option() | {
        "legend": _legend(["propagation", "compute", "mean of the run"]),
        "xAxis": _axis("", type="category", data=layers),
        # The same scale throughout, so that bars, not axes, move while time passes.
        "yAxis": _axis("ms", type="value", max=_ceiling(total_ms)),
        "series": [
            _bars("propagation", propagation_ms[frame], PROPAGATION),
            _bars("compute", compute_ms[frame], COMPUTE),
            _line("mean of the run", list(enumerate(run_mean_ms)), INK, dashed=True),
        ],
    }


def token_latency(trace: Trace, frame: int) -> Option:
    """Token latency over the run, in s, with a mark at the frame."""
    step = trace.meta.stride * np.arange(len(trace.latency_s)) + 1
    return _frame_option() | {
        "legend": _legend(["mean", "95th percentile"]),
        "xAxis": _axis("", type="value", min=1, max=int(step[-1])),
        "yAxis": _axis("s", type="value", min=0, max=_ceiling(trace.latency_p95_s)),
        "series": [
            _line("95th percentile", _points(step, trace.latency_p95_s), MUTED),
            _line("mean", _points(step, trace.latency_s), PROPAGATION)
            | {"markLine": _mark(int(step[frame]))},
        ],
    }


def network(trace: Trace, frame: int) -> Option:
    """Links up and satellites in sunlight over the run, in %, with a mark at the frame."""
    step = trace.meta.stride * np.arange(len(trace.latency_s)) + 1
    return _frame_option() | {
        "legend": _legend(["links up", "in sunlight"]),
        "xAxis": _axis("", type="value", min=1, max=int(step[-1])),
        "yAxis": _axis("%", type="value", min=0, max=100),
        "series": [
            _line("links up", _points(step, 100 * trace.availability), PROPAGATION)
            | {"markLine": _mark(int(step[frame]))},
            _line("in sunlight", _points(step, 100 * trace.sunlit_share), COMPUTE),
        ],
    }


def _frame_option() -> Option:
    return {
        "animation": False,
        "backgroundColor": "transparent",
        "textStyle": {"fontFamily": "Roboto, Arial, sans-serif"},
        "grid": {"left": 50, "right": 10, "top": 28, "bottom": 22},
        "tooltip": {
            "trigger": "axis",
            "backgroundColor": "#101a30",
            "borderColor": RULE,
            "textStyle": {"color": INK, "fontSize": 12},
            "axisPointer": {"type": "line", "lineStyle": {"color": MUTED}},
        },
    }


def _legend(names: list[str]) -> Option:
    return {
        "data": names,
        "top": 0,
        "left": 0,
        "itemWidth": 14,
        "itemHeight": 8,
        "textStyle": {"color": MUTED, "fontSize": 12},
    }


def _axis(unit: str, **more: Any) -> Option:
    return {
        "axisLabel": {"color": MUTED, "fontSize": 11, "formatter": f"{{value}} {unit}".strip()},
        "axisLine": {"lineStyle": {"color": RULE}},
        "axisTick": {"show": False},
        "splitLine": {"lineStyle": {"color": RULE}},
    } | more


def _bars(name: str, values: NDArray[np.float64], colour: str) -> Option:
    data = [_number(v) for v in values]
    style = {"color": colour}
    return {"name": name, "type": "bar", "stack": "latency", "data": data, "itemStyle": style}


def _line(name: str, points: list[Any], colour: str, *, dashed: bool = False) -> Option:
    return {
        "name": name,
        "type": "line",
        "symbol": "none",
        "data": [[x, _number(y)] for x, y in points],
        "lineStyle": {"width": 1.4, "type": "dashed" if dashed else "solid"},
        "itemStyle": {"color": colour},
    }


def _mark(step: int) -> Option:
    return {
        "symbol": "none",
        "silent": True,
        "label": {"show": False},
        "lineStyle": {"color": INK, "type": "solid", "width": 1},
        "data": [{"xAxis": step}],
    }


def _points(x: NDArray[np.int64], y: NDArray[np.float64]) -> list[tuple[int, float]]:
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _mean(values: NDArray[np.float64]) -> list[float]:
    """Mean over frames; nan where a layer never served a token."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0).sum(axis=0)
    mean: list[float] = np.where(count > 0, total / np.maximum(count, 1), np.nan).tolist()
    return mean


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


def _ceiling(values: NDArray[np.float64]) -> float:
    """A round number above all values; 1 if there are none."""
    known = values[~np.isnan(values)]
    top = float(known.max()) if known.size else 0.0
    if top <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(top))
    return float(next(m * power for m in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if m * power >= top))
