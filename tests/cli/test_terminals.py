"""Whatever the terminal and wherever the program is installed: tables, letters, compiled code."""

import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console as RichConsole

from twin import compiling
from twin.cli import console
from twin.cli.console import Console

ROOT = Path(__file__).resolve().parents[2]
TWIN = (sys.executable, "-c", "from twin.cli.main import main; main()")


def test_no_number_is_cut_in_a_table_of_80_columns(twin):
    args = ("place", "small", "--replicates", "2", "--workers", "1", "--figure", "p.png")
    code, out, _ = twin(*args, "--strategies", "space-xnet,compact-random,joint")
    assert code == 0
    lines = out.splitlines()
    assert max(len(line) for line in lines if line[:1] in "┃│┏└") <= 80
    for heading in ("s/token", "bound", "gap", "tokens/s", "J/token", "available", "satellites"):
        assert heading in out
    rows = [line for line in lines if line.startswith("│ compact-random")]
    assert len(rows) == 2  # what finds no room beside the rest stands below
    cells = [cell.strip() for row in rows for cell in row.strip("│").split("│")]
    assert len(cells) == 9
    assert all(cells)


def test_columns_stand_below_each_other_where_there_is_no_room(capsys):
    header = ["name", *(f"figure {i}" for i in range(12))]
    Console(None).table("t", header, [["a", *(f"{i}.00000 ± 0.1" for i in range(12))]])
    out = capsys.readouterr().out
    assert all(f"{i}.00000 ± 0.1" in out for i in range(12))
    assert out.count("│ a ") == 3


@pytest.mark.parametrize("width", [30, 80])
def test_progress_shows_how_much_is_done_at_any_width(monkeypatch, width):
    shown = io.StringIO()
    monkeypatch.setattr(
        console,
        "RichConsole",
        lambda stderr: RichConsole(file=shown, force_terminal=True, width=width),
    )
    with console.progress_bar("compiling on first use, then stepping") as progress:
        progress(3, 200)
    assert "3/200" in shown.getvalue()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.getvalue())
    assert max(map(len, plain.splitlines())) <= width


def test_figures_of_a_run_stand_in_groups_with_units_and_sentences(twin):
    steps = ("--set", "simulation.steps=4")
    code, out, _ = twin("run", "small", *steps)
    assert code == 0
    lines = [[cell.strip() for cell in line.strip("│").split("│")] for line in out.splitlines()]
    assert ["energy", "", ""] in lines
    assert lines.index(["energy", "", ""]) < next(
        i for i, line in enumerate(lines) if line[0] == "energy_per_token_j"
    )
    (share,) = [line for line in lines if line[0] == "tokens_served_share"]
    assert share[1:] == ["100", "% of those asked"]
    explained = twin("run", "small", *steps, "--explain")[1]
    assert "What computing takes beyond idling" in " ".join(explained.split())
    assert "What computing takes beyond idling" not in out


def test_markup_in_a_cell_is_text(capsys):
    Console(None).table("[red]t", ["[b]x"], [["[/]y"]])
    out = capsys.readouterr().out
    assert "[red]t" in out
    assert "[b]x" in out
    assert "[/]y" in out


PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""A terminal that has no other letters than ASCII."""


def environment(**more):
    keep = {
        name: os.environ[name] for name in ("PATH", "COVERAGE_PROCESS_START") if name in os.environ
    }
    return keep | {"PYTHONPATH": str(ROOT)} | more


def in_ascii(folder, *args):
    return subprocess.run(
        [*TWIN, *args], capture_output=True, cwd=folder, env=environment(**PLAIN), check=False
    )


@pytest.mark.parametrize(
    "args", [("place", "small", "--replicates", "2", "--workers", "1"), ("list",), ("studies",)]
)
def test_an_ascii_terminal_shows_everything(tmp_path, args):
    done = in_ascii(tmp_path, *args)
    assert done.returncode == 0, done.stderr
    out = done.stdout.decode("ascii")
    if args[0] == "place":
        assert " +- " in out


def test_a_message_in_an_ascii_terminal_is_a_line(tmp_path):
    done = in_ascii(tmp_path, "run", "grüße")
    assert done.returncode == 2
    assert done.stderr.decode("ascii").startswith("twin: unknown scenario 'gr")


def test_compiled_code_goes_where_it_can_be_written(monkeypatch, tmp_path):
    monkeypatch.delenv(compiling.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    compiling.find_cache()
    assert compiling.VARIABLE not in os.environ  # beside the source
    monkeypatch.setattr(compiling, "_beside_source", lambda: False)
    compiling.find_cache()
    assert compiling.VARIABLE not in os.environ  # in the home


def test_without_package_and_home_a_private_folder_takes_compiled_code(monkeypatch, tmp_path):
    import tempfile

    import numba

    monkeypatch.setattr(numba.config, "CACHE_DIR", numba.config.CACHE_DIR)
    monkeypatch.setattr(compiling, "_beside_source", lambda: False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    for given in ("", "/proc/nowhere"):
        monkeypatch.setenv(compiling.VARIABLE, given)
        compiling.find_cache()
        folder = Path(os.environ[compiling.VARIABLE])
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)  # somebody else may have put code into it
    monkeypatch.setenv(compiling.VARIABLE, "")
    compiling.find_cache()
    assert Path(os.environ[compiling.VARIABLE]) != folder
    monkeypatch.setattr(tempfile, "tempdir", "/proc/nowhere")
    monkeypatch.setenv(compiling.VARIABLE, "")
    compiling.find_cache()
    assert os.environ[compiling.VARIABLE] == ""


def may_mount():
    """Whether this process may hide its mounts from others, as root may in most containers."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return (
        subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not may_mount(), reason="needs root, to mount the package read-only")
def test_a_read_only_installation_without_a_home_runs(tmp_path):
    package = tmp_path / "package"
    for room in ("twin", "agents", "placement"):
        leave = shutil.ignore_patterns("__pycache__", "js")
        shutil.copytree(ROOT / room, package / room, ignore=leave)
    check = (
        "import os, numba, twin.space.propagation as p; "
        'print(os.path.abspath(p.__file__)); print(os.environ["NUMBA_CACHE_DIR"])'
    )
    script = (
        f"mount --bind {package} {package} && mount -o remount,bind,ro {package} && "
        f"cd {tmp_path} && {sys.executable} -c '{check}'"
    )
    env = environment(HOME="/proc", PYTHONPATH=str(package), TMPDIR=str(tmp_path))
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr
    imported, cache = done.stdout.splitlines()
    assert Path(imported).is_relative_to(package)
    assert Path(cache).is_relative_to(tmp_path)
