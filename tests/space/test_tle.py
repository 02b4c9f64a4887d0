"""Two-line sets whose names, numbers or places are unusual."""

import pytest

from twin.errors import InputError

LINE_1 = "1 25544U 98067A   08264.51782528 -.00002182  00000-0 -11606-4 0  2927"
LINE_2 = "2 25544  51.6416 247.4627 0006703 130.5360 325.0288 15.72125391563537"


def checked(line):
    total = sum(int(c) if c.isdigit() else c == "-" for c in line[:68])
    return f"{line[:68]}{total % 10}"


def pair(number="25544", kind="0"):
    first = checked(LINE_1[:2] + number + LINE_1[7:62] + kind + LINE_1[63:])
    return f"{first}\n{checked(LINE_2[:2] + number + LINE_2[7:])}\n"


@pytest.mark.parametrize(
    "name",
    [
        "1 STAR", "2 BE OR NOT", "1 25544U", "2", "1", "0", "[bold]", "<b>sat</b>", "{json}",
        "EPOCH,MEAN_MOTION", "A = B", "COMMENT of mine", "CCSDS_OMM_VERS = 2.0", "S\u00e4t",
    ],
)  # fmt: skip
@pytest.mark.parametrize("prefix", ["", "0 "])
def test_a_name_that_looks_like_something_else(sets, name, prefix):
    text = f"{prefix}{name}\n{pair()}"
    assert sets(text).names == (name if prefix or name != "0" else "25544",)
    # And where it is not the first.
    assert sets(f"FIRST\n{pair('00001')}{text}").names[0] == "FIRST"
    assert sets(f"FIRST\n{pair('00001')}{text}").names[1] == sets(text).names[0]


def test_a_name_that_is_an_element_line_needs_its_0(sets):
    assert sets(f"0 {LINE_1}\n{pair()}").names == (LINE_1,)
    with pytest.raises(InputError, match="line 2: line 2 of an element set expected"):
        sets(f"{LINE_1}\n{pair()}")


@pytest.mark.parametrize(("before", "name"), [("", "25544"), ("0 \n", "25544"), ("0\n", "25544")])
def test_no_name(sets, before, name):
    assert sets(before + pair()).names == (name,)


@pytest.mark.parametrize("separator", ["\x0c", "\x0b", "\x1c", "\x85", "\u2028"])
def test_a_separator_within_a_name_ends_no_line(sets, separator):
    found = sets(f"A{separator}B\n{pair()}")
    [shown] = found.names
    assert shown.isprintable()
    assert shown.startswith("A\\")
    assert found.notes


def test_alpha_5(sets):
    found = sets(pair("T0001") + pair("Z9999"))
    assert [one.satrec.satnum for one in found.objects] == [270001, 339999]
    assert found.names == ("T0001", "Z9999")
    for wrong in ("I0001", "O0001", "t0001", "T00 1"):
        with pytest.raises(InputError, match="line 1: catalogue number"):
            sets(pair(wrong))


@pytest.mark.parametrize(("kind", "theory"), [("4", "SGP4-XP"), ("6", "special"), ("1", "SGP")])
def test_another_theory_is_refused(sets, kind, theory):
    with pytest.raises(InputError, match=rf"line 1: EPHEMERIS_TYPE: .* not {kind} \({theory}"):
        sets(pair(kind=kind))
    assert sets(pair(kind=" ") + pair("00002", kind="2")).names == ("25544", "00002")


def test_bad_pairs_may_be_left_out(sets):
    good = [pair(f"0000{i}") for i in range(1, 6)]
    broken = good[1].replace("51.6416", "51.6x16")
    lone = good[2].splitlines()[0] + "\n"
    text = good[0] + "NAME\n" + broken + lone + good[3] + "UP\nDOWN\n" + good[4] + "LAST\n"
    with pytest.raises(InputError, match="line 5: inclination"):
        sets(text)
    found = sets(text, leave_out_bad=True)
    assert found.names == ("00001", "00004", "DOWN")
    assert [where for where, _ in found.left_out] == ["line 5", "line 7", "line 10", "line 13"]
    assert all(reason.startswith("bad record: ") for _, reason in found.left_out)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.replace("08264.5", "08000.5"), "epoch day must be from 1 to 366"),
        (lambda t: t.replace("U 98067A", "U 9806\u00e4A"), "must be ASCII"),
        (lambda t: t.replace("08264.5", "0\u06628264.5"[:7]), "must be ASCII"),
        (lambda t: t.replace("98067A ", "98067A\x00"), "must be ASCII"),
    ],
)
def test_lines_that_no_reader_should_take(sets, change, told):
    first, second = change(pair()).splitlines()
    with pytest.raises(InputError, match=told):
        sets(f"{checked(first)}\n{second}\n")
