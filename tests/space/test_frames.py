import numpy as np
import pytest

from twin.space.frames import gcrs_to_itrs, teme_to_gcrs

TWO_CENTIMETRES_KM = 2e-5
# An ordinary day, predicted Earth orientation, and two hours around a leap second.
EPOCHS = ("2022-09-14T12:00:00Z", "2026-12-20T00:00:00Z", "2016-12-31T23:00:00Z")


@pytest.fixture
def sky():
    """Five random directions at 7000 km, and five times within two hours."""
    rng = np.random.default_rng(0)
    r_km = rng.normal(size=(5, 3))
    return 7000 * r_km / np.linalg.norm(r_km, axis=1)[:, None], np.linspace(0, 7200, 5)


def astropy_km(source, target, epoch, r_km, t_s):
    """Full transformation of geocentric positions by astropy, offline."""
    from astropy import units as u
    from astropy.coordinates import GCRS, ITRS, TEME, CartesianRepresentation
    from astropy.time import Time
    from astropy.utils import iers

    frames = {"TEME": TEME, "GCRS": GCRS, "ITRS": ITRS}
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        obstime = (Time(epoch.rstrip("Z")).tai + t_s * u.s).utc
        start = frames[source](CartesianRepresentation(*r_km.T, unit="km"), obstime=obstime)
        end = start.transform_to(frames[target](obstime=obstime))
        return end.cartesian.xyz.to_value("km").T


@pytest.mark.parametrize("epoch", EPOCHS)
def test_gcrs_to_itrs_is_astropys(sky, epoch):
    r_km, t_s = sky
    ours = np.einsum("tij,tj->ti", gcrs_to_itrs(epoch, t_s), r_km)
    theirs = astropy_km("GCRS", "ITRS", epoch, r_km, t_s)
    assert np.linalg.norm(ours - theirs, axis=1).max() < TWO_CENTIMETRES_KM


@pytest.mark.parametrize("epoch", EPOCHS)
def test_teme_to_gcrs_is_astropys(sky, epoch):
    r_km, t_s = sky
    ours = np.einsum("tij,tj->ti", teme_to_gcrs(epoch, t_s), r_km)
    theirs = astropy_km("TEME", "GCRS", epoch, r_km, t_s)
    assert np.linalg.norm(ours - theirs, axis=1).max() < TWO_CENTIMETRES_KM


def test_teme_to_itrs_of_vallado():
    """The worked example of AIAA 2006-6753, appendix C: 2004-04-06, 07:51:28.386 UTC."""
    r_teme = np.array([5094.18016210, 6127.64465950, 6380.34453270])
    r_itrf = np.array([-1033.47938300, 7901.29527540, 6380.35659580])
    epoch, now = "2004-04-06T07:51:28.386009Z", np.zeros(1)
    ours = gcrs_to_itrs(epoch, now)[0] @ teme_to_gcrs(epoch, now)[0] @ r_teme
    np.testing.assert_allclose(ours, r_itrf, rtol=0, atol=1e-3)


@pytest.mark.parametrize("rotations", [gcrs_to_itrs, teme_to_gcrs])
def test_rotations_are_rotations(rotations):
    m = rotations("2045-01-01T00:00:00Z", np.array([0.0, 1e5]))
    np.testing.assert_allclose(m @ np.swapaxes(m, 1, 2), np.tile(np.eye(3), (2, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(m), 1)
