"""Satellites that SGP4 gives up between their epoch and the start."""

import numpy as np
import pytest
from sgp4.api import WGS72, Satrec

from twin.errors import InputError
from twin.scenario.world import ElementSets
from twin.space.constellation import from_element_sets
from twin.space.decay import given_up
from twin.space.elements import read

EPOCH_JD = 2459819.5
DRAG = (
    "1 00001U 24001A   22240.12000000  .00000000  00000+0  10000+0 0  9990",
    "2 00001  60.0000   0.0000 0002000   0.0000   0.0000 15.50000000    13",
)
QUIET = (
    "1 00002U 24001A   22240.12000000  .00000000  00000+0  00000+0 0  9990",
    "2 00002  60.0000   0.0000 0002000   0.0000  90.0000 15.50000000    13",
)


def satrec(*, bstar, per_day, ecc=1e-4, inc_deg=53.0):
    made = Satrec()
    made.sgp4init(
        WGS72, "i", 1, EPOCH_JD - 2433281.5, bstar, 0.0, 0.0, ecc, 0.5, np.radians(inc_deg), 1.0,
        per_day * np.pi / 720, 2.0,
    )  # fmt: skip
    return made


def first_error_days(one, until_days):
    """Minute by minute, what SGP4 itself says."""
    days = np.linspace(0, until_days, int(1440 * abs(until_days)) + 1)
    error, _, _ = one.sgp4_array(np.full(len(days), EPOCH_JD), days)
    found = np.flatnonzero(error)
    return abs(days[found[0]]) if len(found) else None


@pytest.mark.parametrize("bstar", [0.0, 1e-4, 2e-3, 0.02, 0.1, 1.0, 30.0, -1e-3])
@pytest.mark.parametrize("per_day", [2.0, 13.15, 15.05, 15.9, 16.3])
@pytest.mark.parametrize("after_days", [0.1, 1.0, 7.3, 29.0])
def test_errors_along_the_way_are_those_of_every_minute(bstar, per_day, after_days):
    one = satrec(bstar=bstar, per_day=per_day)
    reasons = given_up([one], (EPOCH_JD, after_days))
    expected = first_error_days(one, after_days)
    if expected is None:
        # Without an error there may still be an orbit that drag has made larger.
        assert not reasons or "its drag makes the orbit grow" in reasons[0]
        assert not reasons or bstar >= 0.02
        return
    class_, _, detail = reasons[0].partition(": after ")
    assert class_ == "decayed between its epoch and the start"
    assert float(detail.split()[0]) == pytest.approx(expected, abs=10 / 1440 + 0.005)


def test_an_eccentric_orbit_that_meets_the_ground_at_perigee():
    one = satrec(bstar=1e-4, per_day=4.0, ecc=0.62)
    assert first_error_days(one, 2.0) is not None
    assert given_up([one], (EPOCH_JD, 2.0))[0].startswith("decayed")
    high = satrec(bstar=1e-4, per_day=4.0, ecc=0.5)
    assert first_error_days(high, 2.0) is None
    assert given_up([high], (EPOCH_JD, 2.0)) == {}


def test_each_has_its_own_epoch(tmp_path):
    """After a fortnight SGP4 gives a state again, 6253 km up, and no error."""
    path = tmp_path / "drag.tle"
    path.write_text("\n".join([*DRAG, *QUIET]) + "\n")
    sets = read(str(path))
    start = "2022-09-11T02:52:48Z"
    error, r_km, _ = sets.objects[0].satrec.sgp4(EPOCH_JD, 14.12)
    assert error == 0
    assert np.linalg.norm(r_km) > 10_000
    _, out = sets.mean_at(start)
    assert set(out) == {0}
    assert out[0].startswith("decayed between its epoch and the start: after 3.6")
    body = from_element_sets(ElementSets(tle=str(path)), start)
    assert body.names == ("00002",)
    assert dict(body.left_out) == {"00001": out[0]}
    _, out = sets.mean_at("2022-08-28T12:00:00Z")
    assert out == {}
    path.write_text("\n".join(DRAG) + "\n")
    with pytest.raises(InputError, match=r"no element set is usable; 00001: decayed"):
        from_element_sets(ElementSets(tle=str(path)), start)


def test_the_other_way_in_time():
    one = satrec(bstar=0.1, per_day=15.5)
    assert given_up([one], (EPOCH_JD, -1.0)) == {}
    broken = satrec(bstar=-0.5, per_day=16.3)
    assert first_error_days(broken, -20.0) is not None
    assert given_up([broken], (EPOCH_JD, -20.0))[0].startswith("SGP4 fails between the start and")


def test_none_of_a_real_constellation(shared):
    sets = read(str(shared / "oneweb_426_2022-09-14.tle"))
    assert given_up(sets.satrecs, (2459837.0, 0.0)) == {}
