"""A sample as processes: limits of memory and time, streams, exit status, and kills."""

import resource
import subprocess
import sys
import time

import pytest
from generate import Generator, written
from test_scenarios import base

from twin.plugins.choices import schema

TWIN = (sys.executable, "-c", "from twin.cli.main import main; main()")
MEMORY_BYTES = 6 * 2**30
TIME_S = 20
"""A run that is still computing then makes progress: its processor time shows it."""


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def outcome_of(command, folder):
    """What became of a command: "refused", "done" or "at work"; raises for all else."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=limited,
    )
    try:
        _, err = process.communicate(timeout=TIME_S)
    except subprocess.TimeoutExpired:
        ticks = [cpu_ticks(process.pid)]
        time.sleep(1.0)
        ticks.append(cpu_ticks(process.pid))
        process.kill()
        process.communicate()
        assert ticks[1] > ticks[0], "waits for nothing"
        return "at work"
    lines = [line for line in err.splitlines() if line.startswith("twin: ")]
    assert "Traceback" not in err, err
    if process.returncode == 2:
        assert len(lines) == 1, err
        return "refused"
    assert process.returncode == 0, (process.returncode, err)
    return "done"


def cpu_ticks(pid):
    """Processor time that a process has taken, in ticks of the system."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_scenarios_of_any_size(budget, rng, tmp_path):
    generator = Generator(schema(), rng, strange=0.3)
    for number in range(budget(60)):
        data = generator.mutated(base(rng), rng.choice((2, 3)))
        for table, key in rng.sample(LARGE, 2):
            if isinstance(data.get(table), dict):
                node = generator.resolved(generator.schema["properties"][table])
                node = generator.resolved(node["oneOf"][0]) if "oneOf" in node else node
                data[table][key] = large(rng, node["properties"][key])
        (tmp_path / "case.toml").write_text(written(data), encoding="utf-8")
        outcome = outcome_of((*TWIN, "run", "case.toml"), tmp_path)
        assert outcome in ("refused", "done", "at work"), (number, data)


LARGE = (
    ("simulation", "steps"),
    ("constellation", "planes"),
    ("constellation", "satellites_per_plane"),
    ("workload", "tokens_per_step"),
    ("workload", "retries"),
    ("placement", "planning_snapshots"),
    ("propagation", "chunk_steps"),
    ("simulation", "record_tokens_per_step"),
)
"""What a run's size comes from."""


def large(rng, node):
    """An integer up to the field's own bound."""
    high = node.get("maximum", 1000)
    return min(high, int(high ** rng.uniform(0.3, 1.0)) + 1)
