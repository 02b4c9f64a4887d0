"""Lines for a broker: kept on disk, removed when it has them, and there after a kill."""

import json
import subprocess
import sys

import pytest

from twin.errors import InputError
from twin.live.plant.commands import NOTES, Noted
from twin.live.spool import ABOUT, KEPT, SEGMENT, Kept, Spool

ABOUT_IT = {"seed": 3}


def lines_of(found):
    return [found[k] for k in range(found.first, found.following)]


@pytest.mark.parametrize("made", [Spool, None])
def test_acknowledged_lines_go_but_for_the_last(made, tmp_path):
    found = made() if made else Kept(tmp_path / "s", ABOUT_IT)
    for k in range(3 * SEGMENT):
        found.append(f"{k}")
    found.settle(2 * SEGMENT + KEPT // 2)
    assert lines_of(found) == [f"{k}" for k in range(2 * SEGMENT - KEPT // 2, 3 * SEGMENT)]
    if not made:
        assert len(list((tmp_path / "s").glob("*.jsonl"))) == 2
    found.finish()
    assert not list(tmp_path.iterdir())


def test_a_killed_plant_finds_its_lines(tmp_path):
    """A process dies with its file open: whole lines are there, a half one is cut off."""
    died = f"""
import os
from pathlib import Path
from twin.live.spool import Kept
found = Kept(Path({str(tmp_path)!r}), {ABOUT_IT})
for k in range({SEGMENT + 5}):
    found.append(f"{{k}}")
os.kill(os.getpid(), 9)
"""
    subprocess.run(
        [sys.executable, "-c", died], check=False, env={"PYTHONPATH": ":".join(sys.path)}
    )
    last = sorted(tmp_path.glob("*.jsonl"))[-1]
    last.write_bytes(last.read_bytes() + b"hal")
    found = Kept(tmp_path, ABOUT_IT)
    assert lines_of(found) == [f"{k}" for k in range(SEGMENT + 5)]
    found.append("more")
    assert last.read_text().splitlines()[-2:] == [f"{SEGMENT + 4}", "more"]
    with pytest.raises(InputError, match="another plant is at work with it"):
        Kept(tmp_path, ABOUT_IT)
    found.close()


@pytest.mark.parametrize("lines", [0, SEGMENT])
def test_it_goes_on_where_a_file_ends(tmp_path, lines):
    for _ in range(2):
        found = Kept(tmp_path, ABOUT_IT)
        while found.following < lines:
            found.append(f"{found.following}")
        found.close()
    (tmp_path / f"{lines:012d}.jsonl").touch()  # it died after it began a file
    found = Kept(tmp_path, ABOUT_IT)
    found.append("next")
    found.close()
    assert Kept(tmp_path, ABOUT_IT)[lines] == "next"


def test_what_is_not_its_own_is_refused(tmp_path):
    def refused(match):
        with pytest.raises(InputError, match=match):
            Kept(tmp_path, ABOUT_IT)

    (tmp_path / "notes").touch()
    refused("holds other files")
    (tmp_path / "notes").unlink()
    (tmp_path / ABOUT).write_text(json.dumps({"seed": 4}))
    refused("is of another flight")
    (tmp_path / ABOUT).write_text("{")
    refused("is of another flight")
    (tmp_path / ABOUT).write_text(json.dumps(ABOUT_IT))
    for first, text in ((0, "one\ntwo\n"), (3, "four\n")):
        (tmp_path / f"{first:012d}.jsonl").write_text(text)
    refused("000000000003.jsonl is damaged")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="--spool"):
        Kept(tmp_path / "file", ABOUT_IT)


def test_commands_come_again_in_their_minutes(tmp_path):
    come = iter([[b"one"], [], [b"two \xff", b"three"]])
    asked = Noted(lambda: next(come), tmp_path)
    first = [asked() for _ in range(3)]
    notes = tmp_path / NOTES
    notes.write_bytes(notes.read_bytes() + b'["hal')
    again = Noted(lambda: [b"new"], tmp_path)
    assert [again() for _ in range(4)] == [*first, [b"new"]]
