"""Dates and time systems of CCSDS, against astropy's."""

import numpy as np
import pytest
from astropy.time import Time, TimeDelta

from twin.space import dates

MICROSECOND_DAYS = 1.5e-6 / 86400
UT1_DAYS = 1e-4 / 86400
"""astropy takes UT1 from Bulletin B where that has it, we from A alone."""


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2022-09-14T12:00:00", "2022-09-14T12:00:00.000000Z"),
        ("2022-257T12:00:00", "2022-09-14T12:00:00.000000Z"),
        ("2022-257T12:00:00.25Z", "2022-09-14T12:00:00.250000Z"),
        ("2024-366T23:59:59.9999994", "2024-12-31T23:59:59.999999Z"),
        (" 2022-09-14T12:00:00.000000123456 ", "2022-09-14T12:00:00.000000Z"),
        ("2022-09-14 12:00:00", "2022-09-14T12:00:00.000000Z"),
        ("2022-09-14T00:30:00+02:00", "2022-09-13T22:30:00.000000Z"),
        ("2022-12-31T23:30:00.5-00:45", "2023-01-01T00:15:00.500000Z"),
        ("2016-12-31T23:59:60.5", "2017-01-01T00:00:00.500000Z"),
        ("1999-12-31T23:59:59.9999999", "2000-01-01T00:00:00.000000Z"),
    ],
)
def test_every_form_of_a_date(text, same):
    assert dates.text(*dates.utc(text)) == same


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "2022-09-14", "2022-09-14T12:00", "2022-13-01T00:00:00",
        "2023-02-29T00:00:00", "2022-366T00:00:00", "2022-000T00:00:00", "2022-09-14T24:00:00",
        "2022-09-14T12:60:00", "2022-09-14T23:59:60", "2016-12-31T12:00:60", "0000-01-01T00:00:00",
        "2022-09-14T12:00:00+25:00", "22257.5", "2022-09-14T12:00:00,5", "+2022-09-14T12:00:00",
        "\N{ARABIC-INDIC DIGIT TWO}022-09-14T12:00:00",
    ],
)  # fmt: skip
def test_no_dates(text):
    with pytest.raises(ValueError, match=r"must be|no such|month|day|year"):
        dates.utc(text)


@pytest.mark.parametrize("system", dates.TO_TT)
@pytest.mark.parametrize(
    "text", ["2022-09-14T12:00:37.123456", "2017-01-01T00:02:00", "1985-08-01T00:00:00.5"]
)
def test_time_systems_are_those_of_astropy(system, text):
    scale = {"GPS": "tai"}.get(system, system.lower())
    theirs = Time(text, scale=scale)
    if system == "GPS":
        theirs += TimeDelta(19.0, format="sec")
    ours = dates.utc(text, system)
    utc = theirs.utc
    close = UT1_DAYS if system == "UT1" else MICROSECOND_DAYS
    assert abs(ours[0] - utc.jd1 + (ours[1] - utc.jd2)) < close
    day, fraction = dates.tt([text], system)
    assert abs(day[0] - theirs.tt.jd1 + (fraction[0] - theirs.tt.jd2)) < close


@pytest.mark.parametrize(
    ("tai", "utc"),
    [
        ("2017-01-01T00:00:35.5", "2016-12-31T23:59:59.5"),
        ("2017-01-01T00:00:36.5", "2016-12-31T23:59:60.5"),
        ("2017-01-01T00:00:37.5", "2017-01-01T00:00:00.5"),
    ],
)
def test_about_a_leap_second(tai, utc):
    assert dates.text(*dates.utc(tai, "TAI")) == dates.text(*dates.utc(utc))


@pytest.mark.parametrize("name", ["MET", "MRT", "SCLK", "GMST", "GLONASS", "TAI2", ""])
def test_other_time_systems_are_refused_by_name(name):
    with pytest.raises(ValueError, match=f"TIME_SYSTEM: must be one of UTC, .* not '{name}'"):
        dates.time_system(name)


def test_what_does_not_go_together():
    with pytest.raises(ValueError, match="offset goes with TIME_SYSTEM UTC, not TAI"):
        dates.utc("2022-09-14T12:00:00+02:00", "TAI")
    with pytest.raises(ValueError, match=r"\(UT1\) is known from 1973 to 20"):
        dates.utc("1960-09-14T12:00:00", "UT1")


def test_text_and_back():
    rng = np.random.default_rng(0)
    for day, fraction in zip(
        rng.integers(2441318, 2470000, 200) + 0.5, rng.random(200), strict=True
    ):
        again = dates.utc(dates.text(day, fraction))
        assert abs(again[0] - day + again[1] - fraction) < MICROSECOND_DAYS
