"""How commands end when they are asked to, and when what they write to takes nothing."""

import json
import os
import signal
import stat
import subprocess
import sys
import time

import psutil
import pytest

from twin.cli.entry import guarded

COMMAND = (sys.executable, "-c", "from twin.cli.entry import main; main()")
PATIENCE_S = 120


def ended(tmp_path, args, number, ready):
    """Send a signal to all processes of a command once it is ready; its code and its lines."""
    process = subprocess.Popen(
        [*COMMAND, *args], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + PATIENCE_S
    while not ready(process):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, number)
    _, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, err.splitlines()


def test_a_run_says_what_it_has_done_and_how_to_go_on(twin, tmp_path):
    args = ["run", "small", "--set", "simulation.steps=20000", "--set", "simulation.orbits=50"]

    def ready(process):
        return any(tmp_path.glob("runs/*.partial/checkpoints/*.state"))

    code, lines = ended(tmp_path, args, signal.SIGINT, ready)
    (partial,) = (tmp_path / "runs").iterdir()
    assert code == 130
    (line,) = lines
    begin, _, end = line.partition(" of 20000 steps; ")
    assert begin.removeprefix("twin: interrupted; ").isdecimal()
    assert end == f"go on with: twin run --resume runs/{partial.name}"
    assert json.loads((partial / "manifest.json").read_text())["status"] == "interrupted"
    assert not (partial / "lock.json").exists()


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        ("place", " were done, none is kept; start it again"),
        ("compare", " were done and are kept; the same command with --resume goes on"),
    ],
)
def test_workers_end_without_a_word(tmp_path, command, advice):
    args = [command, "paper", "--replicates", "8", "--workers", "2"]

    def ready(process):
        return len(psutil.Process(process.pid).children(recursive=True)) >= 3

    code, lines = ended(tmp_path, args, signal.SIGINT, ready)
    assert code == 130
    (line,) = lines
    assert line.startswith("twin: interrupted; ")
    assert line.endswith(advice)


def test_a_comparison_goes_on_where_it_was_interrupted(twin, tmp_path):
    args = ["compare", "small", "--strategies", "space-xnet,packed", "--replicates", "3"]
    args += ["--workers", "1", "--set", "simulation.steps=100", "--set", "simulation.orbits=2"]

    def ready(process):
        kept = tmp_path / "runs" / "compare-small.jsonl"
        return kept.is_file() and '"result"' in kept.read_text()

    code, lines = ended(tmp_path, [*args, "--json", "one.json"], signal.SIGINT, ready)
    assert (code, len(lines)) == (130, 1)
    kept = (tmp_path / "runs" / "compare-small.jsonl").read_text().split()
    assert kept
    assert twin(*args, "--resume", "--json", "one.json")[0] == 0
    assert twin(*args, "--json", "two.json", "--figure", "p.png")[0] == 0
    assert (tmp_path / "one.json").read_text() == (tmp_path / "two.json").read_text()
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["compare-small.png"]


def test_a_sweep_is_told_to_end_and_goes_on(twin, tmp_path):
    (tmp_path / "s.toml").write_text(
        'name = "s"\nscenario = "small"\nreplicates = 9\nset = ["simulation.steps=150"]\n'
    )

    def ready(process):
        return any(tmp_path.glob("runs/*/journal/*.json"))

    code, lines = ended(tmp_path, ["sweep", "s.toml", "--workers", "2"], signal.SIGTERM, ready)
    (partial,) = (tmp_path / "runs").iterdir()
    assert code == 143
    (line,) = lines
    assert line.startswith("twin: interrupted; ")
    assert line.endswith(
        f" of 9 points are kept; go on with: twin sweep --resume runs/{partial.name}"
    )
    assert twin("sweep", "--resume", str(partial), "--workers", "1")[0] == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_does_not_disturb_the_end(capsys, number, code):
    done = []

    def command():
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(number)
            done.append(True)

    before = signal.getsignal(number)
    assert guarded(command) == code
    assert signal.getsignal(number) is before
    assert done == [True]
    assert capsys.readouterr().err == "twin: interrupted; nothing is kept; start it again\n"


@pytest.fixture
def full(tmp_path):
    """A device that takes nothing, as a full disk."""
    path = tmp_path / "full"
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
        path.open("wb").close()
    except OSError:
        pytest.skip("no devices may be made here")
    return path


@pytest.mark.parametrize("args", [["scenarios"], ["schema"], ["list"], ["list", "--json", "x"]])
def test_output_that_cannot_be_printed_is_told_in_one_line(tmp_path, full, args):
    with full.open("w") as nowhere:
        done = subprocess.run(
            [*COMMAND, *args], cwd=tmp_path, stdout=nowhere, stderr=subprocess.PIPE, text=True,
            check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith("No space left on device\n")
    assert (tmp_path / "x").exists() == ("x" in args)


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path):
    command = " ".join(f"'{part}'" for part in (*COMMAND, "schema"))
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -c 1"], cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout == b"{"
    assert done.stderr == b""


def test_figures_are_written_where_the_plot_cannot_be(twin, tmp_path, full):
    code, out, err = twin(
        "place", "small", "--replicates", "2", "--strategies", "packed", "--workers", "1",
        "--figure", str(full), "--json", "p.json",
    )  # fmt: skip
    assert code == 2
    assert err == f"twin: --figure {full}: No space left on device\n"
    assert "plot in" not in out
    assert json.loads((tmp_path / "p.json").read_text())["scenario"] == "small"
    assert stat.S_ISCHR(full.stat().st_mode)


def test_outputs_are_looked_at_before_anything_is_computed(twin, tmp_path):
    (tmp_path / "s.toml").write_text('name = "x"')
    for args, said in {
        ("run", "small", "--json", "no/x"): "--json no/x: there is no folder no",
        ("run", "s.toml", "--json", "s.toml"): "--json s.toml: would replace s.toml, which is read",
        ("place", "small", "--json", "x", "--figure", "./x"): "must be different files",
        ("compare", "small", "--figure", "s.toml/x"): "--figure s.toml/x: Not a directory",
        ("reproduce", "space-xnet", "--figure", "."): "--figure .: is a folder",
        ("sweep", "altitude", "--json", "."): "--json .: is a folder",
    }.items():
        code, _, err = twin(*args)
        assert code == 2
        assert said in err
    assert [path.name for path in tmp_path.iterdir()] == ["s.toml"]


def test_a_folder_that_takes_nothing_is_told_before_anything_is_computed(twin, tmp_path):
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", tmp_path], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("nothing may be mounted here")
    try:
        os.chdir(tmp_path)  # what is mounted, not what it hides
        for args in (("reproduce", "space-xnet"), ("compare", "small"), ("run", "small")):
            code, _, err = twin(*args)
            assert code == 2
            assert "Read-only file system" in err
            assert err.count("\n") == 1
    finally:
        os.chdir("/")
        subprocess.run(["umount", tmp_path], check=True)


def test_a_full_disk_leaves_a_run_that_goes_on(twin, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=900k", "tmpfs", small],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("nothing may be mounted here")
    try:
        args = ("--set", "simulation.steps=2000", "--runs-dir", str(small))
        code, _, err = twin("run", "small", *args)
        assert code == 2
        (partial,) = small.iterdir()
        told = err.partition(": No space left on device; ")[2]
        assert told.endswith(f" of 2000 steps; go on with: twin run --resume {partial}\n")
        assert json.loads((partial / "manifest.json").read_text())["status"] == "failed"
        subprocess.run(["mount", "-o", "remount,size=50m", small], check=True)
        assert twin("run", "--resume", str(partial))[0] == 0
    finally:
        subprocess.run(["umount", small], check=True)
