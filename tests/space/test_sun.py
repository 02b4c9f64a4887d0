import numpy as np
import pytest

from twin.errors import InputError
from twin.space.sun import AU_KM, check_covered, sun_gcrs_km


@pytest.mark.parametrize(
    ("epoch", "ra_deg", "dec_deg", "distance_au"),
    [
        ("2026-03-20T00:00:00Z", 359.101282, -0.389810, 0.995747475),
        ("2026-06-21T00:00:00Z", 89.230180, 23.433918, 1.016172668),
    ],
)
def test_published_positions(epoch, ra_deg, dec_deg, distance_au):
    x, y, z = sun_gcrs_km(epoch, np.zeros(1))[0]
    assert np.degrees(np.arctan2(y, x)) % 360 == pytest.approx(ra_deg, abs=1e-6)
    assert np.degrees(np.arctan2(z, np.hypot(x, y))) == pytest.approx(dec_deg, abs=1e-6)
    assert np.linalg.norm([x, y, z]) / AU_KM == pytest.approx(distance_au, abs=1e-9)


def test_astropy_all_year():
    from astropy import units as u
    from astropy.coordinates import get_sun
    from astropy.time import Time

    t_s = np.random.default_rng(1).uniform(0, 365 * 86400, 60)
    ours = sun_gcrs_km("2026-01-01T00:00:00Z", t_s)
    theirs = get_sun(Time("2026-01-01T00:00:00") + t_s * u.s).cartesian.xyz.to_value("km").T
    assert np.linalg.norm(ours - theirs, axis=1).max() < 1e-7 * AU_KM


def test_independent_of_what_else_is_asked():
    t_s = np.arange(0.0, 5 * 86400.0, 7000.0)
    together = sun_gcrs_km("2026-05-01T06:00:00Z", t_s)
    alone = np.concatenate([sun_gcrs_km("2026-05-01T06:00:00Z", t_s[i : i + 1]) for i in range(9)])
    np.testing.assert_array_equal(together[:9], alone)


@pytest.mark.parametrize(
    ("epoch", "last_s"),
    [
        ("1899-12-31T00:00:00Z", 60.0),
        ("2099-12-31T00:00:00Z", 2 * 86400.0),
        ("2026-01-01T00:00:00Z", 1e18),
    ],
)
def test_times_without_a_sun_are_refused(epoch, last_s):
    check_covered("2099-12-31T00:00:00Z", 86400.0)
    with pytest.raises(InputError, match="leave the years 1900 to 2100"):
        check_covered(epoch, last_s)
