"""How an OMM may be written as KVN, XML, CSV and JSON, and how it may not."""

import json

import numpy as np
import pytest
from omm_messages import MESSAGE, csv, from_reference, kvn, states, xml

from twin.errors import InputError


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
