import dataclasses
import json
import struct

import numpy as np

from twin.views.trace import DRAWN, pack


def unpack(packed):
    """The format as documented, read without the code that wrote it."""
    (length,) = struct.unpack_from("<I", packed)
    header = json.loads(packed[4 : 4 + length])
    arrays = {
        entry["name"]: np.frombuffer(
            packed,
            dtype=np.dtype(entry["type"]).newbyteorder("<"),
            count=entry["size"],
            offset=entry["offset"],
        )
        for entry in header["arrays"]
    }
    return header, arrays


def test_packing_loses_nothing(trace):
    header, arrays = unpack(pack(trace))
    assert header["meta"] == dataclasses.asdict(trace.meta)
    assert set(arrays) == set(DRAWN)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, getattr(trace, name).ravel(), err_msg=name)


def test_arrays_are_aligned_and_do_not_overlap(trace):
    packed = pack(trace)
    header, arrays = unpack(packed)
    ends = struct.unpack_from("<I", packed)[0] + 4
    for entry in header["arrays"]:
        assert entry["offset"] % 8 == 0
        assert entry["offset"] >= ends
        ends = entry["offset"] + arrays[entry["name"]].nbytes
    assert ends <= len(packed)


def test_only_types_that_the_page_reads_are_sent(trace):
    header, _ = unpack(pack(trace))
    assert {e["type"] for e in header["arrays"]} <= {"float32", "int32", "int16", "uint8"}


def test_every_coloured_value_has_a_ramp(trace):
    header, arrays = unpack(pack(trace))
    assert set(header["palette"]["ramps"]) == {"layer", "sunlit", "soc"}
    assert {"sunlit", "soc"} <= set(arrays)
