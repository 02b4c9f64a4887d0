"""Ten thousand lines that somebody broke: all are counted, and the mirror goes on."""

import json

import numpy as np
import pytest

from twin.live.fields import LONGEST_BYTES
from twin.live.intake import Intake
from twin.live.message import Reader
from twin.vocabulary.live import Remark

LINES = 10_000
NAMES = [f"P{p}S{s}" for p in range(6) for s in range(8)]
GOOD = {
    "version": 1, "time_utc": "2026-03-20T00:01:00Z", "satellite": "P0S0", "sequence": 3,
    "soc": 0.5, "bus_voltage_v": 28.0, "battery_current_a": -3.0, "temperature_c": 20.0,
    "sunlit": 0.0, "compute_load": 0.3, "links_up": 4, "links_down": {"P0S1": "outage"},
    "faults": [],
}  # fmt: skip
OTHERS = [
    b'{"device":"boiler-3","temp":61.2,"ts":1700000000}',
    b"<omm><body/></omm>",
    b"1 25544U 98067A   26079.50000000  .00016717  00000-0  10270-3 0  9009",
    b"temperature,humidity\n21,40",
    b"\x00\x01\x02\x03",
]
"""What other people publish."""


def broken(rng):
    """One line that was right, and what is wrong with it now."""
    said = dict(GOOD) | {"time_utc": f"2026-03-20T00:{rng.integers(60):02d}:00Z"}
    said["satellite"] = NAMES[rng.integers(len(NAMES))]
    kind = rng.integers(8)
    if kind == 0:
        return bytes(rng.integers(0, 256, rng.integers(1, 400), dtype=np.uint8))
    if kind == 1:
        return OTHERS[rng.integers(len(OTHERS))]
    if kind == 2:
        return json.dumps(said).encode()[: rng.integers(1, 250)]
    if kind == 3:
        depth = int(rng.integers(1, 30_000))
        return b'{"satellite":' + b"[" * depth + b"]" * depth + b"}"
    if kind == 4:
        return json.dumps(said | {"note": "x" * LONGEST_BYTES}).encode()
    key = list(said)[rng.integers(len(said))]
    wrong = [None, True, "x", -1e300, 1e300, float("nan"), [], {}, [[1]], {"a": {"b": 1}}, 2**70]
    if kind == 5:
        return json.dumps(said | {key: wrong[rng.integers(len(wrong))]}).encode()
    text = bytearray(json.dumps(said).encode())
    for _ in range(rng.integers(1, 6)):
        text[rng.integers(len(text))] = rng.integers(256)
    return bytes(text)


@pytest.mark.parametrize("seed", range(3))
def test_all_are_counted_and_nothing_raises(seed):
    rng = np.random.default_rng(seed)
    reader = Reader(NAMES, [], "2026-03-20T00:00:00Z")
    intake = Intake(len(NAMES), 0, step_s=60.0, counts=reader.counts)
    read = 0
    for _ in range(LINES):
        found = reader.read(broken(rng))
        if found is not None:
            read += 1
            intake.take(found)
        while intake.ready():
            intake.close()
    counts = reader.counts.of
    dropped = [
        Remark.MALFORMED, Remark.OVERSIZED, Remark.NO_SENDER, Remark.UNKNOWN_SENDER,
        Remark.NO_TIME, Remark.OTHER_VERSION,
    ]  # fmt: skip
    assert sum(counts[remark] for remark in dropped) + read == LINES
    placed = [Remark.TAKEN, Remark.LATE, Remark.DOUBLED, Remark.AHEAD]
    assert sum(counts[remark] for remark in placed) == read
    assert min(counts[remark] for remark in (*dropped, Remark.WRONG_TYPE, Remark.IMPOSSIBLE)) > 0
