"""Whenever a run ends, what is left can be gone on with, to the same bytes."""

import functools
import hashlib
import os
import shutil
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from agents.fork import fork
from agents.run import resume, run_scenario
from twin.errors import BusyError, InputError
from twin.runs import checkpoints, rows
from twin.runs.lock import Lock
from twin.runs.store import new_run_id, open_run
from twin.runs.tables import TABLES
from twin.scenario import loader
from twin.world import state as states

FEW = ["simulation.steps=14", "simulation.orbits=0.25", "workload.tokens_per_step=4"]
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "shutil.rmtree"}


class DeadError(BaseException):
    """Stands for SIGKILL: from then on the process changes nothing below the folder."""


class Mortal:
    """Lets the process die at the n-th time that it changes something below a folder."""

    folder, left = "", -1

    def __call__(self, event, args):
        if not self.folder or not (event in CHANGES or event == "open"):
            return
        if event == "open" and not args[2] & (os.O_WRONLY | os.O_RDWR):
            return
        if not any(str(arg).startswith(self.folder) for arg in args[:2]):
            return
        self.left -= 1
        if self.left <= 0:
            raise DeadError


MORTAL = Mortal()
sys.addaudithook(MORTAL)


@pytest.fixture
def dies_at(monkeypatch):
    """Whether a call came to change something n times; then it died, without a word."""
    taken, take = [], Lock.take

    def noted(*args):
        taken.append(take(*args))
        return taken[-1]

    def die(n, folder, call):
        MORTAL.folder, MORTAL.left = str(folder), n
        try:
            call()
        except DeadError:
            return True
        finally:
            MORTAL.folder = ""
            for lock in taken:  # the end of its process closes it
                lock.__del__()
                lock._file = -1
            taken.clear()
        return False

    monkeypatch.setattr(Lock, "take", noted)
    return die


def digests(run):
    return {n: hashlib.sha256((run / f"{n}.parquet").read_bytes()).hexdigest() for n in TABLES}


def stopped(folder, step, **how):
    def watch(model):
        if model.snapshot.step == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stop:
        run_scenario(runs_dir=folder, run_id="a", watch=watch, **how)
    partial = folder / "a.partial"
    assert stop.value.__notes__[-1].endswith(f"go on with: twin run --resume {partial}")
    return partial


def ordinary(folder):
    return lambda: {"scenario": loader.load("small", FEW)}


def forked(folder):
    parent = run_scenario(**ordinary(folder)(), runs_dir=folder, run_id="parent")
    scenario, beginning = fork(parent, 3, fail=[3])
    state = beginning.state

    def begin():
        return {"scenario": scenario, "beginning": replace(beginning, state=states.copy(state))}

    return begin


@pytest.mark.parametrize("made", [ordinary, forked])
@pytest.mark.parametrize("checkpoint", [True, False])
def test_an_end_at_any_moment_of_a_resume_loses_nothing(
    tmp_path, monkeypatch, dies_at, made, checkpoint
):
    monkeypatch.setattr(rows, "_MOST_STEPS", 6)
    how = made(tmp_path)
    whole = digests(run_scenario(**how(), runs_dir=tmp_path, run_id="whole").path)
    monkeypatch.setattr(checkpoints.Checkpoints, "due", property(lambda self: checkpoint))
    partial = stopped(tmp_path, 8, **how())
    monkeypatch.setattr(checkpoints.Checkpoints, "due", property(lambda self: False))
    n, alive = 0, False
    while not alive:
        n += 1 if n < 8 else 4
        root = tmp_path / str(n)
        left = shutil.copytree(partial, root / "a.partial")
        alive = not dies_at(n, root, lambda left=left: resume(left))
        if left.is_dir():
            resume(left)
        assert digests(root / "a") == whole
        assert [path.name for path in root.iterdir()] == ["a"]
        assert not {"parts", "spare"} & {f.name for f in open_run(root / "a").path.iterdir()}
        shutil.rmtree(root)
    assert n > 16


@pytest.mark.parametrize("made", [ordinary, forked])
def test_an_end_at_any_moment_of_a_run_leaves_none_or_what_goes_on(tmp_path, dies_at, made):
    how = made(tmp_path)
    whole = digests(run_scenario(**how(), runs_dir=tmp_path, run_id="whole").path)
    n, alive, resumed = 0, False, 0
    while not alive:
        n += 1 if n < 8 else 4
        root = tmp_path / str(n)
        alive = not dies_at(
            n, root, functools.partial(run_scenario, **how(), runs_dir=root, run_id="a")
        )
        left = root / "a.partial"
        if (left / "manifest.json").is_file():
            resumed += 1
            resume(left)
        elif not (root / "a").is_dir():
            if left.is_dir():
                with pytest.raises(InputError, match=r"not an interrupted run|no readable manif"):
                    resume(left)
            run_scenario(**how(), runs_dir=root, run_id="a")
        assert digests(root / "a") == whole
        shutil.rmtree(root)
    assert resumed > 3


def test_a_living_run_is_not_resumed_and_not_harmed(tmp_path):
    whole = run_scenario(**ordinary(tmp_path)(), runs_dir=tmp_path, run_id="whole")
    said = []

    def watch(model):
        if model.snapshot.step == 10:
            for second in (
                lambda: resume(tmp_path / "a.partial"),
                lambda: run_scenario(**ordinary(tmp_path)(), runs_dir=tmp_path, run_id="a"),
            ):
                with pytest.raises(BusyError) as refused:
                    second()
                said.append(str(refused.value))

    done = run_scenario(**ordinary(tmp_path)(), runs_dir=tmp_path, run_id="a", watch=watch)
    assert (
        said == [f"{tmp_path}/a.partial: this run is being computed by process {os.getpid()}"] * 2
    )
    assert digests(done.path) == digests(whole.path)


def test_two_tabs_in_one_second_make_two_runs(tmp_path):
    """As the page does: the name first, then the run."""
    scenario = ordinary(tmp_path)()["scenario"]
    while time.time() % 1 > 0.5:
        time.sleep(0.01)
    names = [new_run_id(tmp_path, scenario) for _ in range(3)]
    assert names[1:] == [f"{names[0]}-2", f"{names[0]}-3"]
    threads = [
        threading.Thread(
            target=run_scenario, args=(scenario,), kwargs={"runs_dir": tmp_path, "run_id": name}
        )
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert len({tuple(digests(tmp_path / name).values()) for name in names}) == 1
    with pytest.raises(InputError, match="is there already"):
        run_scenario(scenario, runs_dir=tmp_path, run_id=names[0])


def test_names_are_reserved_one_by_one_whoever_asks(tmp_path):
    scenario = ordinary(tmp_path)()["scenario"]
    names: list[str] = []
    asking = threading.Barrier(8)

    def ask():
        asking.wait()
        names.extend(new_run_id(tmp_path / "new", scenario) for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 40


def test_a_full_disk_ends_a_run_that_goes_on_elsewhere(tmp_path, monkeypatch):
    """The last bytes of a disk are kept for the manifest."""
    monkeypatch.setattr(rows, "_MOST_STEPS", 3)
    monkeypatch.setattr(checkpoints.Checkpoints, "due", property(lambda self: True))
    write = rows._write_part

    def full(file, table):
        if "steps-000002" in file.name:
            spare = tmp_path / "a.partial" / "spare"
            assert spare.stat().st_size > 2 * (spare.parent / "manifest.json").stat().st_size
            raise OSError(28, "as pyarrow words it", None)
        write(file, table)

    monkeypatch.setattr(rows, "_write_part", full)
    with pytest.raises(OSError, match="as pyarrow words it") as stop:
        run_scenario(**ordinary(tmp_path)(), runs_dir=tmp_path, run_id="a")
    partial = tmp_path / "a.partial"
    note = f"9 of 14 steps; go on with: twin run --resume {partial}"
    assert stop.value.__notes__ == [note]
    assert '"failed"' in (partial / "manifest.json").read_text()
    assert not list(partial.rglob("*.tmp"))
    monkeypatch.undo()
    resume(partial)


def test_a_damaged_part_is_computed_again(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "_MOST_STEPS", 3)
    whole = run_scenario(**ordinary(tmp_path)(), runs_dir=tmp_path, run_id="whole")
    monkeypatch.setattr(checkpoints.Checkpoints, "due", property(lambda self: True))
    partial = stopped(tmp_path, 11, **ordinary(tmp_path)())
    part = Path(partial / "parts" / "steps-000001.arrow")
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    assert digests(resume(partial).path) == digests(whole.path)


def test_a_flipped_bit_of_a_checkpoint_is_not_gone_on_with(tmp_path, monkeypatch):
    whole = run_scenario(**ordinary(tmp_path)(), runs_dir=tmp_path, run_id="whole")
    monkeypatch.setattr(checkpoints.Checkpoints, "due", property(lambda self: True))
    partial = stopped(tmp_path, 11, **ordinary(tmp_path)())
    newest = checkpoints.files(partial)[-1]
    content = newest.read_bytes()
    place = content.index(b'"version"') + 40  # in the header, which holds plain values
    newest.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    assert digests(resume(partial).path) == digests(whole.path)
