"""The twin's serving held against measured runs of vLLM: ``python -m twin.study.measured FOLDER``.

A folder holds what LLMServingSim publishes of a run (github casys-kaist/LLMServingSim, MIT):
``requests.jsonl`` and ``meta.json``, and kernel times of the same GPU in ``dense.csv``,
``attention.csv``, ``per_sequence.csv`` and, for a mixture of experts, ``moe.csv``. The scenario is
preset ``validation``, with the run's requests and limits.

Assumptions: tokens choose experts uniformly; requests go to the ranks of a data-parallel server in
turn; a pass of the ranks is as long as the slower's in every layer; attention of prompts and of
sequences that decode takes the sum of both, as measured apart: with it one host time fits both
runs. The profile's own times of mixed passes are up to twice that sum.
"""

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pyarrow import csv
from pyarrow.json import read_json
from rich.console import Console
from rich.table import Table

from agents.run import run_scenario
from twin.errors import InputError
from twin.moe import presets
from twin.runs.store import Run, open_run
from twin.scenario import loader
from twin.scenario.schema import Scenario

OTHERS: Final = {
    "meta-llama/Llama-3.1-8B": ("up to 1.7 %", "up to 2.2 %"),
    "Qwen/Qwen3-30B-A3B-Instruct-2507": ("-1.7 %", "-2.2 %", "-13.6 %"),
}
"""Errors that LLMServingSim states of its own simulation of these runs: TPOT, E2E, TTFT."""
GPU_GB: Final = 102.6
"""97,887 MiB, as the driver reports them."""
MEMORY_SHARE: Final = 0.9
"""Of the GPU's, that vLLM takes by default."""
WORK_SPACE_GB: Final = 1.5
"""For activations and graphs; assumption."""
STEP_S: Final = 5.0
_GATEWAY: Final = {
    "layernorm": 2,
    "qkv_proj": 1,
    "qk_norm": 1,
    "rotary_emb": 1,
    "o_proj": 1,
}
"""Kernels of a layer beside attention and experts, and how often each runs."""
_EXPERT: Final = ("gate_up_proj", "act_fn", "down_proj")
_PASS: Final = ("embedding", "final_layernorm")
_HEAD: Final = ("lm_head", "sampler")

type FloatArray = NDArray[np.float64]
type Point = tuple[str, float, float, float]


def kernel_points(folder: Path) -> Iterator[Point]:
    """Yield part, tokens, second axis and microseconds of a folder's kernel times."""
    dense = _by_layer(folder / "dense.csv", "tokens")
    for part, kernels in (
        ("gateway", [name for name, times in _GATEWAY.items() for _ in range(times)]),
        ("expert", _EXPERT),
        ("pass", _PASS),
    ):
        yield from _sum(part, [dense[name] for name in kernels if name in dense])
    heads = _by_layer(folder / "per_sequence.csv", "sequences")
    yield from _sum("head", [heads[name] for name in _HEAD])
    for row in csv.read_csv(folder / "attention.csv").to_pylist():
        chunk, behind, sequences, cached = (
            row[name] for name in ("prefill_chunk", "kv_prefill", "n_decode", "kv_decode")
        )
        if chunk and not sequences:
            yield "prefill", chunk, behind, row["time_us"]
        elif sequences and not chunk:
            yield "decode", sequences, cached, row["time_us"]
    if (folder / "moe.csv").exists():
        for row in csv.read_csv(folder / "moe.csv").to_pylist():
            yield "experts", row["tokens"], row["activated_experts"], row["time_us"]


def _by_layer(path: Path, axis: str) -> dict[str, dict[float, float]]:
    found: dict[str, dict[float, float]] = defaultdict(dict)
    for row in csv.read_csv(path).to_pylist():
        found[row["layer"]][row[axis]] = row["time_us"]
    return found


def _sum(part: str, kernels: list[dict[float, float]]) -> Iterator[Point]:
    if kernels:
        for tokens in kernels[0]:
            yield part, tokens, 0.0, sum(kernel[tokens] for kernel in kernels)


def write_kernels(points: Iterable[Point], path: Path) -> None:
    """Write a table of measured times as a scenario takes it (`twin.moe.kernels`)."""
    lines = ["part,tokens,cached_tokens,experts,microseconds"]
    for part, tokens, second, us in points:
        cached = f"{second:g}" if part in ("prefill", "decode") else ""
        experts = f"{second:g}" if part == "experts" else ""
        lines.append(f"{part},{tokens:g},{cached},{experts},{us!r}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measured_times(folder: Path) -> dict[str, FloatArray]:
    """Return what was measured of each request: ``asked_s``, ``ttft_s``, ``tpot_s``, ``e2e_s``.

    The arrival is by another clock than the rest; the least time in between is taken for none.
    """
    rows = read_json(folder / "requests.jsonl").select(_MEASURED)
    column = {name: rows[name].to_numpy().astype(float) for name in _MEASURED}
    asked_s = column["arrival_time"]
    ahead_s = (column["queued_ts"] - asked_s).min()
    ttft_s = column["first_token_ts"] - ahead_s - asked_s
    e2e_s = column["last_token_ts"] - ahead_s - asked_s
    further = np.maximum(column["output_toks"] - 1, 1)
    return {
        "asked_s": asked_s - asked_s.min(),
        "ttft_s": ttft_s,
        "tpot_s": (e2e_s - ttft_s) / further,
        "e2e_s": e2e_s,
    }


_MEASURED: Final = ("arrival_time", "queued_ts", "first_token_ts", "last_token_ts", "output_toks")


def _meta(folder: Path) -> tuple[str, dict[str, Any]]:
    """Name of the model, and how its server was started."""
    names = ("meta.json", "requests.jsonl", "dense.csv", "attention.csv", "per_sequence.csv")
    for name in names:
        if not (folder / name).is_file():
            raise InputError(f"{folder}: has no {name}; a folder of a run has {', '.join(names)}")
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        return str(meta["model"]), dict(meta["engine_kwargs"])
    except (ValueError, LookupError, TypeError):
        raise InputError(f"{folder / 'meta.json'}: has no model and engine_kwargs") from None


def _card(model: str) -> str:
    """Card of a model: the one whose name is in the model's, the longest if there are several."""
    found = [name for name in presets.MODEL_CARDS if name in model.lower()]
    if not found:
        raise InputError(f"no card for {model!r}; known: {', '.join(presets.MODEL_CARDS)}")
    return max(found, key=len)


def scenario_of(folder: Path, kernels: Path | None, host_ms: float | None = None) -> Scenario:
    """Return the scenario of a measured run; without `kernels` work takes the roofline's times."""
    model, engine = _meta(folder)
    card, times = _card(model), measured_times(folder)
    boards = engine.get("data_parallel_size", 1)
    until_s = 1.5 * float((times["asked_s"] + times["e2e_s"]).max())
    share = engine.get("gpu_memory_utilization") or MEMORY_SHARE
    overrides: dict[str, Any] = {
        "name": f"measured-{card}",
        "simulation.step_s": STEP_S,
        "simulation.steps": int(np.ceil(until_s / STEP_S)),
        "model.card": card,
        "compute.boards": boards,
        "compute.memory_gb": (GPU_GB * share - WORK_SPACE_GB)
        * engine.get("tensor_parallel_size", 1),
        "serving.chunk_tokens": engine["max_num_batched_tokens"],
        "serving.max_batch_tokens": engine["max_num_batched_tokens"],
        "serving.max_batch_requests": engine["max_num_seqs"],
        "serving.max_running": engine["max_num_seqs"] * boards,
        "requests.arrivals": "trace",
        "requests.trace": str(folder / "requests.jsonl"),
    }
    if kernels is not None:
        overrides["compute.kernels"] = str(kernels)
    if host_ms is not None:
        overrides["serving.host_ms"] = host_ms
    return loader.load("validation", overrides)


def served_times(run: Run) -> dict[str, FloatArray]:
    """Return the same of a run, in the order of the trace."""
    table = run.table("requests").to_pandas().sort_values("request")
    return {name: table[name].to_numpy() for name in ("asked_s", "ttft_s", "tpot_s", "e2e_s")}


def simulated(
    folder: Path, *, roofline: bool = False, host_ms: float | None = None
) -> dict[str, FloatArray]:
    """Serve a measured run's requests in the twin."""
    with tempfile.TemporaryDirectory() as work:
        kernels = None
        if not roofline:
            kernels = Path(work) / "kernels.csv"
            write_kernels(kernel_points(folder), kernels)
        scenario = scenario_of(folder, kernels, host_ms)
        return served_times(open_run(run_scenario(scenario, runs_dir=Path(work)).path))


def errors(measured: dict[str, FloatArray], served: dict[str, FloatArray]) -> dict[str, float]:
    """Return relative errors of the means, and of the 99th percentile of the end to end."""
    found = {
        f"mean {name[:-2].upper()}": served[name].mean() / measured[name].mean() - 1
        for name in ("tpot_s", "e2e_s", "ttft_s")
    }
    p99 = [np.percentile(times["e2e_s"], 99) for times in (served, measured)]
    return {name: float(value) for name, value in found.items()} | {
        "p99 E2E": float(p99[0] / p99[1] - 1)
    }


def fitted_host_ms(folder: Path) -> float:
    """Return the host time with which the mean end to end time is the measured one."""
    low, high, measured = 0.0, 20.0, measured_times(folder)
    while high - low > 0.02:
        middle = (low + high) / 2
        late = errors(measured, simulated(folder, host_ms=middle))["mean E2E"] > 0
        low, high = (low, middle) if late else (middle, high)
    return round((low + high) / 2, 2)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m twin.study.measured", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--fit", action="store_true", help="fit the host time to the first folder")
    arguments = parser.parse_args()
    try:
        _compare(arguments.folders, fit=arguments.fit)
    except InputError as error:
        parser.exit(2, f"measured: {error}\n")


def _compare(folders: list[Path], *, fit: bool) -> None:
    models = [_meta(folder)[0] for folder in folders]
    host_ms = fitted_host_ms(folders[0]) if fit else None
    console = Console()
    if host_ms is not None:
        console.print(f"host time fitted to {folders[0].name}: {host_ms:g} ms")
    table = Table("times by", "mean TPOT", "mean E2E", "mean TTFT", "p99 E2E")
    for folder, model in zip(folders, models, strict=True):
        table.add_row(f"[bold]{model}[/bold]")
        measured = measured_times(folder)
        for roofline in (False, True):
            found = errors(measured, simulated(folder, roofline=roofline, host_ms=host_ms))
            cells = [f"{100 * value:+.1f} %" for value in found.values()]
            table.add_row("roofline" if roofline else "kernel tables", *cells)
        table.add_row("LLMServingSim", *OTHERS.get(model, ()), end_section=True)
    console.print(table)


if __name__ == "__main__":
    main()
