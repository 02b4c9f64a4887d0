"""The profile of OMM: which keywords must, may and need not be there, and what each may say."""

import io
import json

import numpy as np
import pytest
from omm_messages import FORMATS, MEAN, MESSAGE, META, TLE, from_reference, kvn, states, xml
from sgp4 import omm as reference
from sgp4.api import Satrec

from twin.errors import InputError
from twin.scenario.world import ElementSets
from twin.space.constellation import from_element_sets


@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)
def test_all_formats_are_read_as_the_reference_does(sets, write):
    other = MESSAGE | {"OBJECT_NAME": "OTHER", "NORAD_CAT_ID": 8, "MEAN_ANOMALY": 100.0}
    found = sets(write(MESSAGE, other))
    assert found.names == ("SAT", "OTHER")
    for one, fields in zip(found.objects, (MESSAGE, other), strict=True):
        np.testing.assert_allclose(states(one.satrec), from_reference(fields), rtol=0, atol=1e-9)


@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize(
    "absent",
    [
        *({name} for name in (*META, *TLE) if name != "BSTAR"),
        {*META, *TLE} - {"BSTAR", "OBJECT_NAME"},
        {*META, *TLE} - {"BSTAR"},
    ],
)
def test_what_may_be_absent(sets, write, absent):
    [one] = sets(write({k: v for k, v in MESSAGE.items() if k not in absent})).objects
    np.testing.assert_allclose(states(one.satrec), from_reference(MESSAGE), rtol=0, atol=1e-9)
    if "OBJECT_NAME" not in absent:
        assert one.name == "SAT"
    else:
        assert one.name == ("object 1" if "NORAD_CAT_ID" in absent else "00007")


@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("name", [*MEAN, "BSTAR"])
def test_what_may_not(sets, write, name):
    with pytest.raises(InputError, match=f"(record|line) 1|2: field {name} is missing"):
        sets(write({k: v for k, v in MESSAGE.items() if k != name}))


@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CENTER_NAME", "MARS"), ("CENTER_NAME", "EARTH BARYCENTER"), ("REF_FRAME", "ITRF2000"),
        ("REF_FRAME", "RTN"), ("TIME_SYSTEM", "MRT"), ("TIME_SYSTEM", "SCLK"),
        ("MEAN_ELEMENT_THEORY", "DSST"), ("MEAN_ELEMENT_THEORY", "SGP4-XP"),
        ("MEAN_ELEMENT_THEORY", "SGP"), ("MEAN_ELEMENT_THEORY", "USM"), ("EPHEMERIS_TYPE", 1),
        ("EPHEMERIS_TYPE", 4), ("EPHEMERIS_TYPE", 6), ("EPHEMERIS_TYPE", 2.5),
        ("NORAD_CAT_ID", 1234567890), ("NORAD_CAT_ID", -1), ("NORAD_CAT_ID", "T0001"),
        ("NORAD_CAT_ID", 1.5), ("MEAN_MOTION", "1_3"), ("MEAN_MOTION", "1e999"),
        ("ECCENTRICITY", "inf"), ("EPOCH", "2022-366T00:00:00"),
    ],
)  # fmt: skip
def test_what_is_refused_by_name(sets, write, name, value):
    with pytest.raises(InputError, match=rf": {name}: must be|: {name}: day of") as caught:
        sets(write(MESSAGE | {name: value}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MEAN_ELEMENT_THEORY", "SGP/SGP4"), ("MEAN_ELEMENT_THEORY", "TLE"),
        ("MEAN_ELEMENT_THEORY", "sgp4"), ("EPHEMERIS_TYPE", 2), ("EPHEMERIS_TYPE", ""),
        ("CENTER_NAME", "Earth"), ("NORAD_CAT_ID", 799500001), ("NORAD_CAT_ID", 339_999),
        ("NORAD_CAT_ID", 340_000), ("NORAD_CAT_ID", 0), ("OBJECT_ID", ""), ("GM", 398600.4415),
        ("ELEMENT_SET_NO", "0925"), ("CLASSIFICATION_TYPE", "?\N{SNOWMAN}"),
        ("EPOCH", "2022-257T12:00:00"), ("EPOCH", "2022-09-14T14:00:00+02:00"),
        ("MEAN_MOTION", "+1.315E1"), ("REF_FRAME_EPOCH", "2022-09-14T12:00:00"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)
def test_what_makes_no_difference(sets, write, name, value):
    [one] = sets(write(MESSAGE | {name: value})).objects
    np.testing.assert_allclose(states(one.satrec), from_reference(MESSAGE), rtol=0, atol=1e-5)


def test_the_example_of_the_standard(sets):
    """GOES 9 of CCSDS 502.0-B, figure 4-2: day of the year, set number of four digits."""
    message = META | MEAN | TLE
    message |= {
        "OBJECT_NAME": "GOES 9", "MEAN_ELEMENT_THEORY": "SGP/SGP4",
        "EPOCH": "2007-064T10:34:41.4264",
        "MEAN_MOTION": 1.00273272, "ECCENTRICITY": 0.0005013, "INCLINATION": 3.0539,
        "RA_OF_ASC_NODE": 81.7939, "ARG_OF_PERICENTER": 249.2363, "MEAN_ANOMALY": 150.1602,
        "GM": 398600.8, "NORAD_CAT_ID": 23581, "ELEMENT_SET_NO": "0925", "BSTAR": 0.0001,
        "COV_REF_FRAME": "TEME", "CX_X": "3.331349476038534e-04",
    }  # fmt: skip
    found = sets(kvn(message))
    assert found.newest_epoch() == "2007-03-05T10:34:41.426400Z"
    lines = (
        "1 23581U 95025A   07064.44075725 -.00000113  00000-0  10000-3 0  9250",
        "2 23581   3.0539  81.7939 0005013 249.2363 150.1602  1.00273272 43169",
    )
    theirs = Satrec.twoline2rv(*(line[:68] + checksum(line) for line in lines))
    jd = theirs.jdsatepoch, theirs.jdsatepochF + 1.0
    ours = found.objects[0].satrec.sgp4(*jd)[1]
    np.testing.assert_allclose(ours, theirs.sgp4(*jd)[1], rtol=0, atol=2e-3)


def checksum(line):
    return str(sum(int(c) if c.isdigit() else c == "-" for c in line[:68]) % 10)


def test_nine_digits_tell_satellites_apart(tmp_path):
    path = tmp_path / "sets.json"
    same = [MESSAGE | {"NORAD_CAT_ID": 799500001 + i, "MEAN_ANOMALY": 40.0 * i} for i in range(3)]
    path.write_text(json.dumps([*same, same[0] | {"EPOCH": "2022-09-13T12:00:00"}]))
    body = from_element_sets(ElementSets(tle=str(path)))
    assert body.names == ("SAT 799500001", "SAT 799500002", "SAT 799500003")
    assert [reason for _, reason in body.left_out] == [
        "another element set of the same satellite is nearer to the start"
    ]
    assert body.epoch_utc == "2022-09-14T12:00:00.000000Z"
    assert body.notes == ("starts at 2022-09-14T12:00:00.000000Z, the newest epoch in the file",)


@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)
def test_bad_records_may_be_left_out(sets, write):
    bad = [MESSAGE | {"BSTAR": "x"}, MESSAGE | {"REF_FRAME": "RTN"}]
    text = write(bad[0], MESSAGE, bad[1], MESSAGE | {"OBJECT_NAME": "B", "NORAD_CAT_ID": 8})
    with pytest.raises(InputError, match=r"(line|record) \d+: BSTAR"):
        sets(text)
    found = sets(text, leave_out_bad=True)
    assert found.names == ("SAT", "B")
    assert [reason.partition(":")[0] for _, reason in found.left_out] == ["bad record"] * 2
    assert "REF_FRAME: must be one of" in found.left_out[1][1]
    with pytest.raises(InputError, match=r"no element sets in it; .*BSTAR"):
        sets(write(*bad), leave_out_bad=True)


def test_reference_reads_what_it_is_held_against():
    """The reference's own reader of XML takes the XML of these tests."""
    [fields] = reference.parse_xml(io.StringIO(xml(MESSAGE)))
    np.testing.assert_allclose(from_reference(fields), from_reference(MESSAGE), rtol=0, atol=1e-12)
