"""Commands: what is read, what is refused, and how a file of them is followed."""

import json

import numpy as np
import pytest

from placement.problem import Placement
from twin.errors import InputError
from twin.live import command
from twin.live.command import Command
from twin.live.plant.commands import OfFile


def order(placement, number=1):
    names = [f"s{i}" for i in range(48)]
    made = Command(number=number, time_utc="x", strategy="y", placement=placement)
    return json.loads(command.write(made, names))


def test_a_placement_with_copies_goes_through_a_command():
    rng = np.random.default_rng(1)
    placement = Placement(
        gateway=np.arange(8, dtype=np.int32),
        expert=np.arange(8, 40, dtype=np.int32).reshape(8, 4),
        standby=np.full((8, 1), 41, np.int32),
        replica=np.where(rng.random((8, 4, 1)) < 0.5, -1, np.int32([[[42, 43]]])).astype(np.int32),
    )
    line = json.dumps(order(placement)).encode()
    assert command.read(line, {f"s{i}": i for i in range(48)}).placement == placement


def some():
    return Placement(gateway=np.zeros(2, np.int32), expert=np.ones((2, 4), np.int32))


WRONG = [
    (b"{", "no JSON"),
    (b"[]", "no JSON object"),
    (b'{"version":2}', "of a version other than 1"),
    (b"{}", "command: must be a whole number above 0"),
    (b'{"command":true}', "command: must be a whole number above 0"),
    (b'{"command":1,"strategy":2}', "strategy, time_utc: must be texts"),
    (b'{"command":1,"strategy":"","time_utc":""}', "placement: must have gateways and experts"),
    (b" " * 70_000, "longer than 65,536 bytes"),
    ({"gateways": []}, "placement: gateways and experts must be lists of as many layers"),
    ({"experts": [[["s1"]], []]}, "placement.experts: every layer must be a list of as many"),
    ({"gateways": [["s0"], ["x"]]}, "placement.gateways: no satellite 'x'"),
    ({"gateways": [["s0"], [[]]]}, "placement.gateways: no satellite []"),
    ({"gateways": [["s0"], []]}, "placement.gateways: every host must be a list of names"),
    ({"gateways": [["s0"], ["s1", "s1"]]}, "placement.gateways: s1 stands twice for one part"),
]


@pytest.mark.parametrize(("line", "why"), WRONG)
def test_a_command_that_cannot_be_read_says_why(line, why):
    if isinstance(line, dict):
        whole = order(some())
        whole["placement"] |= line
        line = json.dumps(whole).encode()
    with pytest.raises(InputError, match=why.replace("[", r"\[")):
        command.read(line, {f"s{i}": i for i in range(48)})


def test_a_file_of_commands_is_read_as_it_grows(tmp_path):
    file = tmp_path / "c"
    read = OfFile(file)
    assert read() == []
    file.write_bytes(b"one\ntw")
    assert read() == [b"one"]
    with file.open("ab") as out:
        out.write(b"o\n\nthree\n")
    assert read() == [b"two", b"three"]
    assert read() == []


def test_the_schema_in_the_repository_is_that_of_commands(twin):
    code, out, _ = twin("schema", "--command")
    assert code == 0
    assert out == command.schema_text()
