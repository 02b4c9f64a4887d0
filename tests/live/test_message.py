"""Whatever comes in is read or counted, and nothing raises."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.live import fields
from twin.live.fields import LONGEST_BYTES, NUMBERS, SOC
from twin.live.message import Reader
from twin.vocabulary.live import Remark

EPOCH = "2026-03-20T00:00:00Z"
GOOD = {"time_utc": "2026-03-20T00:01:00Z", "satellite": "A", "sequence": 3, "soc": 0.5}


def reader():
    return Reader(["A", "B"], ["Kiruna"], EPOCH)


def read(said):
    mine = reader()
    return mine.read(json.dumps(said).encode()), mine.counts.of


def test_a_message_is_placed_and_its_values_are_taken():
    found, counts = read(GOOD | {"links_down": {"B": "outage"}, "faults": [], "tle": ["1 ", "2 "]})
    assert (found.row, found.t_s, found.sequence, found.values[SOC]) == (0, 60.0, 3, 0.5)
    assert found.links_down == {1: "outage"}
    assert found.faulty is False
    assert found.tle == ("1 ", "2 ")
    assert np.isnan(found.values[1:]).all()
    assert sum(counts.values()) == 0


def test_a_site_speaks_too():
    found, _ = read({"time_utc": GOOD["time_utc"], "site": "Kiruna", "requests_seen": 7})
    assert found.of_site
    assert found.values[0] == 7.0


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        ({"satellite": "C"}, Remark.UNKNOWN_SENDER),
        ({"satellite": 3}, Remark.NO_SENDER),
        ({"site": "Kiruna"}, Remark.NO_SENDER),
        ({"time_utc": "noon"}, Remark.NO_TIME),
        ({"time_utc": 12}, Remark.NO_TIME),
        ({"version": 2}, Remark.OTHER_VERSION),
        ({"version": True}, Remark.OTHER_VERSION),
    ],
)
def test_what_cannot_be_placed_is_dropped(change, remark):
    found, counts = read(GOOD | change)
    assert found is None
    assert counts[remark] == 1


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        ({"soc": "full"}, Remark.WRONG_TYPE),
        ({"soc": True}, Remark.WRONG_TYPE),
        ({"soc": [0.5]}, Remark.WRONG_TYPE),
        ({"soc": 7.0}, Remark.IMPOSSIBLE),
        ({"soc": float("nan")}, Remark.IMPOSSIBLE),
        ({"soc": 10**400}, Remark.IMPOSSIBLE),
    ],
)
def test_a_wrong_value_leaves_the_rest(change, remark):
    found, counts = read(GOOD | {"temperature_c": 20.0} | change)
    assert np.isnan(found.values[SOC])
    assert found.values[3] == 20.0
    assert counts[remark] == 1


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        ({"sequence": "3"}, Remark.WRONG_TYPE),
        ({"sequence": 2**80}, Remark.WRONG_TYPE),
        ({"links_down": ["B"]}, Remark.WRONG_TYPE),
        ({"links_down": {"Z": "outage"}}, Remark.WRONG_TYPE),
        ({"faults": "none"}, Remark.WRONG_TYPE),
        ({"position_km": [1.0, 2.0]}, Remark.WRONG_TYPE),
        ({"position_km": [1.0, 2.0, 3.0]}, Remark.IMPOSSIBLE),
        ({"position_km": [10**400, 0, 0]}, Remark.IMPOSSIBLE),
        ({"tle": "1 25544U"}, Remark.WRONG_TYPE),
        ({"colour": "red"}, Remark.UNKNOWN_FIELD),
    ],
)
def test_other_parts_that_are_wrong_are_counted(change, remark):
    found, counts = read(GOOD | change)
    assert found.values[SOC] == 0.5
    assert counts[remark] == 1


@pytest.mark.parametrize(
    ("line", "remark"),
    [
        (b"", Remark.MALFORMED),
        (b"{", Remark.MALFORMED),
        (b"[1]", Remark.MALFORMED),
        (b"\xff\xfe\x00", Remark.MALFORMED),
        (b"[" * 20_000, Remark.MALFORMED),
        (b'{"soc":' + b"9" * 5_000 + b"}", Remark.MALFORMED),
        (b" " * (LONGEST_BYTES + 1), Remark.OVERSIZED),
        (json.dumps({"temp": 3, "host": "db7"}).encode(), Remark.NO_SENDER),
    ],
)
def test_lines_that_are_no_messages_are_counted(line, remark):
    mine = reader()
    assert mine.read(line) is None
    assert mine.counts.of[remark] == 1


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
PROPERTIES = sorted(fields.schema()["properties"])


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(PROPERTIES), ANYTHING), st.booleans())
def test_no_object_raises(said, placed):
    line = json.dumps({**said, **GOOD} if placed else said).encode()
    mine = reader()
    found = mine.read(line)
    assert (found is None) == (sum(mine.counts.of[r] for r in DROPPED) == 1)


DROPPED = [
    Remark.MALFORMED, Remark.OVERSIZED, Remark.NO_SENDER, Remark.UNKNOWN_SENDER, Remark.NO_TIME,
    Remark.OTHER_VERSION,
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise(line):
    mine = reader()
    assert mine.read(line) is None
    assert sum(mine.counts.of.values()) == 1


def test_the_schema_in_the_repository_is_the_readers():
    kept = (Path(fields.__file__).parent / "schema" / "telemetry.json").read_text()
    assert kept == fields.schema_text()
    for one in NUMBERS:
        assert json.loads(kept)["properties"][one.name]["maximum"] == one.high


def test_every_remark_is_explained():
    assert all(remark.sentence.endswith(".") for remark in Remark)
