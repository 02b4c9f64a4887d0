"""The profile of OMM: what is taken, defaulted, converted, or refused by name."""

import io
import json

import numpy as np
import pytest
from sgp4 import omm as reference
from sgp4.api import Satrec

from twin.errors import InputError
from twin.scenario.world import ElementSets
from twin.space.constellation import from_element_sets
from twin.space.elements import read

MEAN = {
    "EPOCH": "2022-09-14T12:00:00.000000",
    "MEAN_MOTION": 13.15,
    "ECCENTRICITY": 0.0012,
    "INCLINATION": 60.0,
    "RA_OF_ASC_NODE": 40.0,
    "ARG_OF_PERICENTER": 70.0,
    "MEAN_ANOMALY": 15.0,
}
TLE = {
    "EPHEMERIS_TYPE": 0,
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": 7,
    "ELEMENT_SET_NO": 999,
    "REV_AT_EPOCH": 1,
    "BSTAR": 1e-4,
    "MEAN_MOTION_DOT": 1e-6,
    "MEAN_MOTION_DDOT": 0.0,
}
META = {
    "OBJECT_NAME": "SAT",
    "OBJECT_ID": "2024-001A",
    "CENTER_NAME": "EARTH",
    "REF_FRAME": "TEME",
    "TIME_SYSTEM": "UTC",
    "MEAN_ELEMENT_THEORY": "SGP4",
}
MESSAGE = META | MEAN | TLE
JD = 2459837.0, 0.25


def kvn(*messages, units=""):
    lines = []
    for fields in messages:
        lines += [
            "CCSDS_OMM_VERS = 3.0",
            "COMMENT of one line",
            "CREATION_DATE = 2022-258T00:00:00",
        ]
        lines += ["ORIGINATOR = TEST", ""]
        lines += [
            f"{k:<20}= {v}{units if k in ('INCLINATION',) else ''}" for k, v in fields.items()
        ]
    return "\n".join(lines) + "\n"


def xml(*messages, units=""):
    def element(name, value):
        unit = f' units="{units}"' if units and name == "INCLINATION" else ""
        return f"<{name}{unit}>{value}</{name}>"

    def part(fields, names):
        return "".join(element(k, v) for k, v in fields.items() if k in names)

    return "<ndm>" + "".join(
        '<omm id="CCSDS_OMM_VERS" version="3.0"><header><ORIGINATOR>T</ORIGINATOR></header><body>'
        f"<segment><metadata>{part(fields, META)}</metadata><data><meanElements>"
        f"<COMMENT>c</COMMENT>{part(fields, MEAN)}</meanElements><tleParameters>"
        f"{part(fields, TLE)}</tleParameters></data></segment></body></omm>"
        for fields in messages
    ) + "</ndm>"  # fmt: skip


def csv(*messages):
    names = list(messages[0])
    rows = [",".join(str(fields.get(k, "")) for k in names) for fields in messages]
    return "\n".join([",".join(names), *rows])


FORMATS = {"kvn": kvn, "xml": xml, "csv": csv, "json": lambda *messages: json.dumps(messages)}


@pytest.fixture
def sets(tmp_path):
    """Read text as a file of element sets."""

    def of(text, **options):
        path = tmp_path / "sets"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return read(str(path), **options)

    return of


def states(satrec):
    error, r_km, v_km_s = satrec.sgp4(*JD)
    assert error == 0
    return np.array([*r_km, *v_km_s])


def from_reference(fields):
    satrec = Satrec()
    reference.initialize(satrec, fields)
    return states(satrec)


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


@pytest.mark.parametrize(
    ("system", "epoch"),
    [
        ("TAI", "2022-09-14T12:00:37"), ("TT", "2022-09-14T12:01:09.184"),
        ("GPS", "2022-257T12:00:18"),
    ],
)  # fmt: skip
def test_epochs_in_another_time_system_are_converted(sets, system, epoch):
    """Taken as UTC, TAI is 268 km off."""
    [one] = sets(json.dumps([MESSAGE | {"TIME_SYSTEM": system, "EPOCH": epoch}])).objects
    np.testing.assert_allclose(states(one.satrec), from_reference(MESSAGE), rtol=0, atol=1e-5)


def angles(rotation):
    """Inclination, node, argument of perigee of axes (3, 3): to perigee, ahead of it, normal."""
    to_perigee, ahead, normal = rotation
    return {
        "INCLINATION": np.degrees(np.arccos(normal[2])),
        "RA_OF_ASC_NODE": np.degrees(np.arctan2(normal[0], -normal[1])) % 360,
        "ARG_OF_PERICENTER": np.degrees(np.arctan2(to_perigee[2], ahead[2])) % 360,
    }


def axes_of(fields):
    names = ("INCLINATION", "RA_OF_ASC_NODE", "ARG_OF_PERICENTER")
    inc, raan, argp = np.radians([fields[name] for name in names])

    def turn(i, angle):
        c, s = np.cos(angle), np.sin(angle)
        j, k = (i + 1) % 3, (i + 2) % 3
        out = np.eye(3)
        out[j, j], out[j, k], out[k, j], out[k, k] = c, -s, s, c
        return out

    return (turn(2, raan) @ turn(0, inc) @ turn(2, argp)).T


@pytest.mark.parametrize("frame", ["EME2000", "J2000", "GCRF", "ICRF", "TOD", "MOD"])
def test_elements_in_another_frame_are_converted(sets, frame):
    """Taken as TEME, those of EME2000 are 42 km off. The way there is astropy's."""
    from astropy.coordinates import FK5, GCRS, TEME, TETE, CartesianRepresentation
    from astropy.coordinates import PrecessedGeocentric as Mod
    from astropy.time import Time

    when = Time("2022-09-14T12:00:00", scale="utc")
    there = {
        "TOD": TETE(obstime=when), "MOD": Mod(equinox=when, obstime=when), "EME2000": FK5(),
        "J2000": FK5(),
    }.get(frame, GCRS(obstime=when))  # fmt: skip
    turned = []
    for axis in axes_of(MESSAGE):
        at = TEME(CartesianRepresentation(axis * 7e6, unit="m"), obstime=when)
        seen = at.transform_to(GCRS(obstime=when))
        if isinstance(there, FK5):  # only its axes, not its barycentric origin
            from astropy.coordinates import ICRS

            seen = ICRS(seen.cartesian / (7e6 * seen.cartesian.norm().unit)).transform_to(there)
        else:
            seen = seen.transform_to(there)
        turned.append(seen.cartesian.xyz.value / np.linalg.norm(seen.cartesian.xyz.value))
    given = MESSAGE | {"REF_FRAME": frame} | angles(np.array(turned))
    assert abs(given["RA_OF_ASC_NODE"] - MESSAGE["RA_OF_ASC_NODE"]) > 1e-4
    [one] = sets(json.dumps([given])).objects
    np.testing.assert_allclose(states(one.satrec), from_reference(MESSAGE), rtol=0, atol=2e-3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (kvn(MESSAGE, units=" [rad]"), r"line 1: INCLINATION: must be in deg, not 'rad'"),
        (xml(MESSAGE, units="rad"), r"record 1: INCLINATION: must be in deg, not 'rad'"),
        (kvn(MESSAGE) + "INCLINATION = 3\n", "line 1: INCLINATION is given twice"),
        (xml(MESSAGE).replace("<EPOCH>", "<EPOCH>2022-09-14T12:00:00</EPOCH><EPOCH>"),
         "record 1: EPOCH is given twice"),
        (kvn(MESSAGE).replace("CENTER_NAME         =", "CENTER_NAME"), "line 8: must be KEYWORD ="),
        (kvn(MESSAGE).replace("OMM", "OPM", 1), "line 1: must be an OMM or an OEM, not an OPM"),
        (xml(MESSAGE).replace("omm", "opm"), "kind omm or oem, not ndm"),
        (xml(MESSAGE).replace('"3.0"', '"9.0"'), "CCSDS_OMM_VERS: must be 1.0, 2.0 or 3.0"),
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + xml(MESSAGE), "no document type declaration"),
        (xml(MESSAGE).replace("metadata", "meta"), "record 1: must have metadata and data"),
        (csv(MESSAGE) + ",more", "line 2: has 22 cells, the header 21"),
        (csv(MESSAGE).replace("OBJECT_ID", "OBJECT_NAME", 1), "a column is there twice"),
        (json.dumps([MESSAGE | {"EPOCH": ["x"]}]), "EPOCH: must be text, not list"),
        (json.dumps([MESSAGE | {"BSTAR": True}]), "BSTAR: must be a number, not True"),
        ("[" * 100_000, "not valid JSON"),
        ('[{"BSTAR": ' + "9" * 5000 + "}]", "not valid JSON"),
        (json.dumps([MESSAGE | {"BSTAR": 10**400}]), "BSTAR: must be a finite number"),
        (json.dumps([MESSAGE | {"GM": 42828.3}]), "GM: must be Earth's, 398600.8, not 42828.3"),
    ],
)  # fmt: skip
def test_how_it_may_not_be_written(sets, text, told):
    with pytest.raises(InputError, match=told) as caught:
        sets(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("write", [kvn, xml])
def test_units_as_the_standard_has_them(sets, write):
    unit = {kvn: " [deg]", xml: "DEG"}[write]
    [one] = sets(write(MESSAGE, units=unit)).objects
    np.testing.assert_allclose(states(one.satrec), from_reference(MESSAGE), rtol=0, atol=1e-9)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_of_csv(sets, delimiter):
    text = csv(MESSAGE, MESSAGE | {"OBJECT_NAME": "B", "NORAD_CAT_ID": 8})
    assert sets(f"\n{text.replace(',', delimiter)}\n\n").names == ("SAT", "B")


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


def test_several_segments_of_one_message(sets):
    head, _, rest = kvn(MESSAGE).partition("OBJECT_NAME")
    one, two = "OBJECT_NAME" + rest, ("OBJECT_NAME" + rest).replace("SAT", "TWO", 1)
    assert sets(head + one + two.replace("= 7", "= 8")).names == ("SAT", "TWO")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[31mred\x1b]0;pwned\x07", r"\x1b[31mred\x1b]0;pwned\x07"),
        ("a\nb", r"a\nb"), ("a\x00b", r"a\x00b"), ("\u202eRTL", r"\u202eRTL"),
        ("\x9b31m", r"\x9b31m"),
        ("a\u2028b", r"a\u2028b"), ("\ud800", r"\ud800"), ("\uffff", r"\uffff"),
        ("[bold red]x[/]", "[bold red]x[/]"), ("1 25544U", "1 25544U"), ("", "00007"),
        ("\N{ROCKET}\N{ZERO WIDTH JOINER}\N{FIRE}", "\N{ROCKET}\N{ZERO WIDTH JOINER}\N{FIRE}"),
        ("  ", "00007"), (12, "12"), (None, "00007"), ("S\u00e4t 1, \"x\"", "S\u00e4t 1, \"x\""),
    ],
)  # fmt: skip
def test_names_of_any_characters(sets, name, shown):
    found = sets(json.dumps([MESSAGE | {"OBJECT_NAME": name}]))
    assert found.names == (shown,)
    cleaned = "\\" in shown
    assert found.notes == (("control characters in 1 names are written out",) if cleaned else ())


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
