"""What a user names for output is checked first, written whole, and never something else after."""

import os
import socket
import stat
import subprocess
import threading

import pytest

from twin.errors import InputError
from twin.runs import outputs


@pytest.fixture
def null(tmp_path):
    """A device that takes everything."""
    return node(tmp_path / "null", 3)


def node(path, minor):
    """A memory device as those of the system, in a folder of the test."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        path.write_bytes(b"")
    except OSError:
        pytest.skip("no devices may be made here")
    return path


@pytest.fixture
def read_only(tmp_path):
    """A folder on a file system that takes nothing."""
    yield from mounted(tmp_path / "ro", "ro")


def mounted(folder, options):
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("nothing may be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_device_and_a_fifo_stay_what_they_are(tmp_path, null):
    outputs.check("--json", null)
    outputs.write(null, "text")
    assert stat.S_ISCHR(null.stat().st_mode)
    fifo, got = tmp_path / "fifo", []
    os.mkfifo(fifo)
    outputs.check("--json", fifo)  # nobody reads yet, and it does not wait
    reader = threading.Thread(target=lambda: got.append(fifo.read_text()))
    reader.start()
    outputs.write(fifo, "text")
    reader.join()
    assert got == ["text"]
    assert fifo.is_fifo()


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(tmp_path, there):
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to("target")
    if there:
        target.write_text("older")
    outputs.check("--json", link)
    outputs.write(link, "text")
    assert link.is_symlink()
    assert target.read_text() == "text"


def test_a_second_name_and_the_rights_of_a_file_stay(tmp_path):
    file, name = tmp_path / "file", tmp_path / "name"
    file.write_text("older")
    file.chmod(0o600)
    outputs.write(file, "text")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    name.hardlink_to(file)
    outputs.write(name, "new")
    assert file.read_text() == "new"
    assert file.samefile(name)


def test_a_write_that_fails_leaves_the_older_file(tmp_path):
    for folder in mounted(tmp_path / "small", "size=64k"):
        file = folder / "file"
        file.write_text("older")
        with pytest.raises(OSError, match="No space left"):
            outputs.write(file, bytes(100_000))
        assert [f.name for f in folder.iterdir()] == ["file"]
        assert file.read_text() == "older"


def test_what_cannot_be_written_is_refused_before(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "run").mkdir()
    for name in ("manifest.json", "scenario.toml"):
        (tmp_path / "run" / name).write_text("")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "lost").symlink_to("no/where")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        for name, why in {
            ".": "is a folder",
            "no/x": "there is no folder no",
            "lost": f"there is no folder {tmp_path}/no",
            "file/x": "Not a directory",
            "loop": "Too many levels of symbolic links",
            "socket": "is a socket",
            "x" * 300: "File name too long",
            "run/manifest.json": f"lies in {tmp_path}/run, which is not to be changed",
            "run/x": f"lies in {tmp_path}/run, which is not to be changed",
        }.items():
            with pytest.raises(InputError, match=why):
                outputs.check("--json", tmp_path.__class__(name))
    outputs.check_folder("--csv-dir", tmp_path / "new" / "er")
    with pytest.raises(InputError, match="file: is no folder"):
        outputs.check_folder("--csv-dir", tmp_path / "file")
    assert not (tmp_path / "new").exists()


def test_a_place_that_takes_nothing_is_refused_before(read_only):
    for check in (outputs.check, outputs.check_folder):
        with pytest.raises(InputError, match="Read-only file system"):
            check("--json", read_only / "x")


def test_outputs_are_different_files_and_none_that_is_read(tmp_path, null):
    one, same = tmp_path / "one", tmp_path / "." / "one"
    with pytest.raises(InputError, match="--json and --figure must be different files"):
        outputs.check_apart([("--json", one), ("--figure", same)])
    outputs.check_apart([("--json", null), ("--figure", null)])
    one.write_text("")
    with pytest.raises(InputError, match=r"--json .*: would replace .*one, which is read"):
        outputs.check_not_read([("--json", one)], ["small", str(one)])


def test_each_output_is_written_even_if_another_fails(tmp_path):
    def full():
        raise OSError(28, "any")

    written = tmp_path / "written"
    with pytest.raises(InputError, match=r"^a: No space left on device; b: No space left.*$"):
        outputs.write_all(("a", full), ("b", full), ("c", lambda: written.write_text("")))
    assert written.exists()
