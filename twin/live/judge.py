"""Judge a mirror by the truth that a plant kept: how near its estimates are, what it found.

Beside the estimates stand what the twin would say without telemetry (the design, open loop) and
what it would say of one message alone.

References
----------
E. B. Wilson, "Probable inference, the law of succession, and statistical inference", J. American
Statistical Association 22, 1927. Y. Bar-Shalom, X. R. Li and T. Kirubarajan, "Estimation with
Applications to Tracking and Navigation", Wiley 2001, section 5.4.2 (innovations).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import stats

from twin.live import record
from twin.vocabulary.live import AlarmKind

type Array = NDArray[np.float64]

WITHIN: Final = 0.02
"""How near capacity and array are to be, relative."""
ORBITS_S: Final = 2 * 5_760.0
"""Time in which an anomaly is to be found."""
_CHARGES_MINUTES: Final = 10.0
_ORBIT_S: Final = 5_760.0


@dataclass(frozen=True, kw_only=True)
class Found:
    """How many of the planted anomalies of a kind were found, and in which interval that lies."""

    planted: int
    found: int
    low: float
    high: float


def wilson(found: int, of: int, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a share by Wilson's score."""
    if of == 0:
        return 0.0, 1.0
    share, scale = found / of, 1 + z * z / of
    middle = (share + z * z / (2 * of)) / scale
    half = z / scale * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(float(middle - half), 0.0), min(float(middle + half), 1.0)


def estimates(run: Path) -> dict[str, Array]:
    """Estimates of a live run by column, (R, N) each, and ``step`` (R,)."""
    files = sorted((run / record.FOLDER).glob("estimates-*.parquet"))
    tables = [pq.read_table(file) for file in files]
    n = int(max(t["satellite"].to_numpy().max() for t in tables)) + 1
    out = {
        name: np.concatenate([t[name].to_numpy() for t in tables]).reshape(-1, n).astype(float)
        for name in record.COLUMNS
    }
    out["step"] = np.concatenate([t["step"].to_numpy() for t in tables]).reshape(-1, n)[:, 0]
    return out


def accuracy(run: Path, truth: Path, *, step_s: float) -> dict[str, Any]:
    """How near the estimates of the last step are, and charge over all recorded steps.

    Parameters
    ----------
    run, truth : Path
        A live run, and what the plant kept.
    step_s : float
        Length of the run's steps; the truth is by minute.
    """
    found, true = estimates(run), np.load(truth)
    dark_s = 60.0 * true["dark"].sum(axis=0)
    shadow = dark_s > 0
    end = np.rint((found["step"] + 1) * step_s / 60.0).astype(int) - 1
    kept = (end >= 0) & (end < len(true["soc"]))
    off = found["soc"][kept] - true["soc"][end[kept]]
    late = found["step"][kept] * step_s >= _ORBIT_S  # the first orbit is for learning
    charging = _charging_share(true) * _ORBIT_S / 60.0 >= _CHARGES_MINUTES
    left = 1 - np.isfinite(true["string_s"]) / true["strings"]
    capacity = found["capacity"][-1] / true["capacity"] - 1
    array = found["array"][-1] / (true["array"] * left) - 1
    return {
        "satellites": len(shadow),
        "that see shadow": int(shadow.sum()),
        "charge_rmse": float(np.sqrt(np.mean(off[late][:, shadow] ** 2))),
        "charge_rmse_all": float(np.sqrt(np.mean(off**2))),
        "capacity_within": float(np.mean(np.abs(capacity[shadow]) <= WITHIN)),
        "array_within": float(np.mean(np.abs(array[shadow & charging]) <= WITHIN)),
        "load_within": float(
            np.mean(np.abs(found["load"][-1] / true["load"] - 1)[shadow] <= WITHIN)
        ),
        "capacity_rmse": float(np.sqrt(np.mean(capacity[shadow] ** 2))),
        "array_rmse": float(np.sqrt(np.mean(array[shadow & charging] ** 2))),
        "priors_capacity_within": float(
            np.mean(np.abs(1 / true["capacity"] - 1)[shadow] <= WITHIN)
        ),
        "priors_array_within": float(np.mean(np.abs(1 / true["array"] - 1)[shadow] <= WITHIN)),
        "priors_array_within_5": float(np.mean(np.abs(1 / true["array"] - 1)[shadow] <= 0.0501)),
    }


def _charging_share(true: Any) -> Array:
    """Share of the time in which a satellite is in light and not full, (N,)."""
    full = true["soc"] > 0.999
    share: Array = (~full & ~true["dark"]).mean(axis=0)
    return share


def open_loop_rmse(soc: Array, truth: Path, *, step_s: float) -> float:
    """How far charges (T, N) of a run without telemetry are from the truth."""
    true = np.load(truth)
    shadow = true["dark"].any(axis=0)
    end = np.rint((np.arange(len(soc)) + 1) * step_s / 60.0).astype(int) - 1
    kept = (end < len(true["soc"])) & (end * 60.0 >= _ORBIT_S)
    return float(np.sqrt(np.mean((soc[kept] - true["soc"][end[kept]])[:, shadow] ** 2)))


def chi_square(innovations: Array) -> dict[str, float]:
    """Whether normalised innovations are as large as they are expected to be.

    Parameters
    ----------
    innovations : (N, 4) float64
        As `twin.live.record.RecordState` has them.

    Returns
    -------
    dict
        Mean over degrees of freedom, which should be 1, and share of the satellites whose sum lies
        within the 95 % interval of its chi-square, which should be 0.95.
    """
    out = {}
    for name, column in (("soc", 0), ("power", 2)):
        total, count = innovations[:, column], innovations[:, column + 1]
        some = count > 30
        low, high = (stats.chi2.ppf(p, count[some]) for p in (0.025, 0.975))
        inside = (low <= total[some]) & (total[some] <= high)
        out[f"{name}_mean"] = float(total.sum() / max(count.sum(), 1))
        out[f"{name}_inside"] = float(inside.mean()) if some.any() else np.nan
    return out


def anomalies(run: Path, truth: Path) -> dict[str, Any]:
    """Which of the planted anomalies were found in time, and how many alarms were false.

    Element sets are to be found by the second one that comes after; the others within two orbits.
    What nobody can speak of does not count: sets of a satellite that is silent by then, terminals
    both of whose ends are. An alarm of a satellite that has no anomaly then is false, whatever its
    kind.
    """
    true = np.load(truth)
    table = pq.read_table(run / record.FOLDER / record.ALARMS).to_pydict()
    alarms = list(zip(*(table[k] for k in ("kind", "t_s", "satellite", "other")), strict=True))
    sets_s = 2 * float(true["elements_every_s"]) + 300.0
    planted = [
        (AlarmKind.LOST_STRING, true["string_s"], ORBITS_S),
        (AlarmKind.SILENT, true["silent_s"], ORBITS_S),
        (AlarmKind.WRONG_ELEMENTS, true["wrong_set_s"], sets_s),
        (AlarmKind.MANOEUVRE, true["manoeuvre_s"], sets_s),
    ]
    out: dict[str, Any] = {}
    explained: set[int] = set()
    for kind, begins_s, most_s in planted:
        mine = [(a, t, s) for a, (k, t, s, _) in enumerate(alarms) if k == kind]
        explained |= {a for a, t, s in mine if t >= begins_s[s] - 600.0}
        hits = {s for _, t, s in mine if 0 <= t - begins_s[s] + 600.0 <= most_s + 600.0}
        # A satellite that falls silent sends no element sets.
        counts = np.isfinite(begins_s)
        if kind in (AlarmKind.WRONG_ELEMENTS, AlarmKind.MANOEUVRE):
            counts &= np.minimum(true["silent_s"], true["length_s"]) > begins_s + sets_s
        out[str(kind)] = _found(np.flatnonzero(counts).tolist(), hits)
    out[str(AlarmKind.STUCK_TERMINAL)] = _stuck(true, alarms, explained)
    surged = {int(i) for i in np.flatnonzero(np.isfinite(true["surge_s"]))}
    for a, (kind, _, s, _) in enumerate(alarms):
        if kind == AlarmKind.HIGH_LOAD and s in surged:
            explained.add(a)  # it did draw more
    false = [alarm for a, alarm in enumerate(alarms) if a not in explained]
    hours = len(true["capacity"]) * float(true["length_s"]) / 3600.0
    out["false_alarms"] = len(false)
    out["false_by_kind"] = {k: sum(f[0] == k for f in false) for k in {f[0] for f in false}}
    out["satellite_hours"] = hours
    out["false_per_10000_h"] = 1e4 * len(false) / hours
    return out


def _stuck(true: Any, alarms: list[Any], explained: set[int]) -> Found:
    number = {tuple(edge): e for e, edge in enumerate(true["edges"].tolist())}
    hits = set()
    for a, (kind, t, satellite, other) in enumerate(alarms):
        if kind == AlarmKind.STUCK_TERMINAL:
            e = number[(satellite, other)]
            begins_s = true["stuck_s"][e]
            if t >= begins_s:
                explained.add(a)
                if t - begins_s <= ORBITS_S:
                    hits.add(e)
    heard_s = true["silent_s"][true["edges"]].max(axis=1)
    counts = np.isfinite(true["stuck_s"]) & (heard_s > true["stuck_s"] + ORBITS_S)
    return _found(np.flatnonzero(counts).tolist(), hits)


def _found(planted: list[int], hits: set[int]) -> Found:
    count = len(hits & set(planted))
    low, high = wilson(count, len(planted))
    return Found(planted=len(planted), found=count, low=low, high=high)
