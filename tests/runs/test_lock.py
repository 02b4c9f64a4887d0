"""Who computes a run holds it; who died does not."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys

import pytest

from twin.errors import BusyError
from twin.runs import lock
from twin.runs.lock import Lock, started

HOLDER = """
import sys, time
from pathlib import Path
from twin.runs.lock import Lock
held = Lock.take(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_living_holder_is_named_and_a_dead_one_is_followed(tmp_path, holder):
    with pytest.raises(BusyError, match=f"this run is being computed by process {holder.pid}$"):
        Lock.take(tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with Lock.take(tmp_path):
        kept = json.loads((tmp_path / lock.NAME).read_text())
        assert kept["pid"] == os.getpid()
        # In this process too: two tabs of a page are threads of one server.
        with pytest.raises(BusyError, match=f"this study .* process {os.getpid()}$"):
            Lock.take(tmp_path, "study")
    assert not list(tmp_path.iterdir())


def test_a_lock_outlasts_the_renaming_of_its_folder(tmp_path):
    (tmp_path / "a").mkdir()
    held = Lock.take(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    with pytest.raises(BusyError):
        Lock.take(tmp_path / "b")
    held.release(tmp_path / "b")
    Lock.take(tmp_path / "b").release()


@pytest.mark.parametrize("kernel", ["holds none", "knows none"])
@pytest.mark.parametrize("same_start", [True, False])
def test_a_number_that_another_process_got_is_not_its_holder(
    tmp_path, monkeypatch, kernel, same_start
):
    """The parent lives; whether it is the holder is the question where the kernel cannot say."""
    pid = os.getppid()
    begun = started(pid) if same_start else "long ago"
    holder = {"pid": pid, "host": lock.socket.gethostname(), "started": begun}
    (tmp_path / lock.NAME).write_text(json.dumps(holder))
    if kernel == "knows none":

        def unknown(file, how):
            raise OSError(errno.ENOLCK, "none")

        monkeypatch.setattr(fcntl, "flock", unknown)
        if same_start:
            with pytest.raises(BusyError, match=f"process {pid}$"):
                Lock.take(tmp_path)
            return
    Lock.take(tmp_path).release()


def test_a_holder_on_another_host_is_not_taken_for_dead(tmp_path):
    file = tmp_path / lock.NAME
    file.write_text(json.dumps({"pid": 1, "host": "elsewhere", "started": None}))
    with pytest.raises(BusyError, match=rf"on host elsewhere; if that has ended, remove {file}"):
        Lock.take(tmp_path)
    file.write_text('{"pid": 1, "ho')  # it was killed while it wrote
    Lock.take(tmp_path).release()
