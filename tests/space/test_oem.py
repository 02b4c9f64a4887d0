"""Files of positions: read, interpolated as they say, and refused outside their span."""

import re

import numpy as np
import pytest
from scipy.interpolate import BarycentricInterpolator, KroghInterpolator

from twin.errors import InputError
from twin.scenario.world import ElementSets, Shell
from twin.space import axes, constellation, dates, oem
from twin.space.constellation import from_element_sets
from twin.space.elements import read
from twin.space.ephemeris import Ephemeris
from twin.space.frames import utc_jd
from twin.space.propagation import propagate, tracked

EPOCH = "2026-03-20T00:00:00.000000Z"
MODEL = "cowell-j2"
LINE = re.compile(r"\d{4}-")
STATE = ("X", "Y", "Z", "X_DOT", "Y_DOT", "Z_DOT")


@pytest.fixture(scope="module")
def body():
    shell = Shell(planes=2, satellites_per_plane=3, altitude_km=700.0, inclination_deg=53.0)
    return constellation.walker(shell, EPOCH)


def stamps(t_s):
    day, fraction = utc_jd(EPOCH)
    return [dates.text(day, fraction + t / 86400)[:-1] for t in t_s]


def block(body, i, t_s, **changes):
    """Metadata and lines of states of satellite i, in the axes of the GCRS."""
    r_km, v_km_s = propagate(body, MODEL, t_s)
    when = stamps(t_s)
    meta = {
        "OBJECT_NAME": body.names[i], "OBJECT_ID": f"2026-00{i}A", "CENTER_NAME": "EARTH",
        "REF_FRAME": "GCRF", "TIME_SYSTEM": "UTC", "START_TIME": when[0], "STOP_TIME": when[-1],
        "INTERPOLATION": "HERMITE", "INTERPOLATION_DEGREE": 7,
    } | changes  # fmt: skip
    states = np.hstack([r_km[:, i], v_km_s[:, i]])
    return {k: v for k, v in meta.items() if v is not None}, when, states


def kvn(blocks):
    out = ["CCSDS_OEM_VERS = 2.0", "COMMENT c", "CREATION_DATE = 2026-079T00:00:00", ""]
    for meta, when, states in blocks:
        out += [
            "META_START",
            *(f"{k} = {v}" for k, v in meta.items()),
            "META_STOP",
            "COMMENT c",
            "",
        ]
        out += [
            f"{t} " + " ".join(f"{x:.9f}" for x in s) for t, s in zip(when, states, strict=True)
        ]
        out += ["COVARIANCE_START", "EPOCH = " + when[0], "1.0", "2.0 3.0", "COVARIANCE_STOP"]
    return "\n".join(out) + "\n"


def xml(blocks):
    out = ""
    for meta, when, states in blocks:
        out += "<segment><metadata>" + "".join(f"<{k}>{v}</{k}>" for k, v in meta.items())
        out += "</metadata><data>"
        for t, s in zip(when, states, strict=True):
            values = "".join(
                f'<{k} units="km">{x:.9f}</{k}>' for k, x in zip(STATE, s, strict=True)
            )
            out += f"<stateVector><EPOCH>{t}</EPOCH>{values}</stateVector>"
        out += "<covarianceMatrix><EPOCH>x</EPOCH></covarianceMatrix></data></segment>"
    return f'<oem id="CCSDS_OEM_VERS" version="2.0"><body>{out}</body></oem>'


@pytest.fixture
def source(tmp_path):
    def of(text, **options):
        path = tmp_path / "file.oem"
        path.write_text(text)
        return read(str(path), **options)

    return of


T_S = np.arange(0.0, 3600.0, 60.0)
ASKED_S = np.sort(np.append(np.random.default_rng(3).uniform(0, T_S[-1], 40), T_S[[0, 7, -1]]))


@pytest.mark.parametrize("write", [kvn, xml])
def test_positions_between_states_are_those_of_the_orbit(source, body, write):
    found = source(write([block(body, i, T_S) for i in range(6)]))
    assert found.names == body.names
    assert found.newest_epoch() == EPOCH
    r_km, v_km_s = propagate(body, MODEL, ASKED_S)
    for i, track in enumerate(found.tracks):
        r, v, inside = oem.states(track, EPOCH, ASKED_S)
        assert inside.all()
        assert np.linalg.norm(r - r_km[:, i], axis=1).max() < 1e-5
        assert np.linalg.norm(v - v_km_s[:, i], axis=1).max() < 1e-6


def window(t, n):
    """The n states around a time, centred on the interval it is in, or on the nearest state."""
    k = np.searchsorted(T_S, t, side="right") - 1
    if n % 2 and k + 1 < len(T_S) and T_S[k + 1] - t < t - T_S[k]:
        k += 1
    first = min(max(k - (n - 1) // 2, 0), len(T_S) - n)
    return slice(first, first + n)


@pytest.mark.parametrize(
    ("method", "degree", "n"),
    [
        ("HERMITE", 7, 4), ("HERMITE", 3, 2), ("HERMITE", 5, 3), ("HERMITE", 6, 4),
        ("HERMITE", 11, 6), ("LAGRANGE", 1, 2), ("LAGRANGE", 4, 5), ("LAGRANGE", 7, 8),
        ("LAGRANGE", 8, 9), ("LINEAR", 1, 2), ("LINEAR", None, 2), (None, None, 4),
    ],
)  # fmt: skip
def test_interpolation_is_what_the_file_says(source, body, method, degree, n):
    """Against scipy's polynomials through the same states."""
    changes = {"INTERPOLATION": method, "INTERPOLATION_DEGREE": degree}
    text = kvn([block(body, 0, T_S, **changes)])
    lines = [line.split()[1:] for line in text.split("\n") if LINE.match(line)]
    states = np.array(lines, dtype=np.float64)
    [track] = source(text).tracks
    r, v, _ = oem.states(track, EPOCH, ASKED_S)
    for k, t in enumerate(ASKED_S):
        rows = window(t, n)
        x, y = T_S[rows] - t, states[rows]
        if method in ("LAGRANGE", "LINEAR"):
            expected = BarycentricInterpolator(x, y)(0.0)
        else:
            both = np.stack([y[:, :3], y[:, 3:]], axis=1).reshape(-1, 3)
            polynomial = KroghInterpolator(np.repeat(x, 2), both)
            expected = np.hstack([polynomial(0.0), polynomial.derivative(0.0)])
        np.testing.assert_allclose(np.hstack([r[k], v[k]]), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("frame", ["EME2000", "TEME", "ITRF2014", "TOD"])
@pytest.mark.parametrize(("system", "ahead_s"), [("UTC", 0.0), ("TAI", 37.0), ("GPS", 18.0)])
def test_frames_and_time_systems_are_converted(source, body, frame, system, ahead_s):
    meta, _, states = block(body, 0, T_S)
    when = stamps(T_S + ahead_s)
    meta |= {
        "REF_FRAME": frame,
        "TIME_SYSTEM": system,
        "START_TIME": when[0],
        "STOP_TIME": when[-1],
    }
    known = axes.frame(frame, fixed=True)
    still = np.zeros((len(T_S), 3))
    basis = [axes.states_to_gcrs(known, EPOCH, T_S, still + e, still) for e in np.eye(3)]
    rotation = np.stack([r for r, _ in basis], axis=2)
    there_km = (np.swapaxes(rotation, 1, 2) @ states[:, :3, None])[..., 0]
    there_km_s = (np.swapaxes(rotation, 1, 2) @ states[:, 3:, None])[..., 0]
    if known == "ITRF":
        there_km_s -= np.cross([0, 0, axes.EARTH_RATE_RAD_S], there_km)
    [track] = source(kvn([(meta, when, np.hstack([there_km, there_km_s]))])).tracks
    r, v, inside = oem.states(track, EPOCH, ASKED_S)
    r_km, v_km_s = propagate(body, MODEL, ASKED_S)
    assert inside.all()
    assert np.linalg.norm(r - r_km[:, 0], axis=1).max() < 2e-5
    # A polynomial follows what is seen from turning axes less well.
    limit_km_s = 4e-6 if known == "ITRF" else 1e-6
    assert np.linalg.norm(v - v_km_s[:, 0], axis=1).max() < limit_km_s


def test_nothing_outside_the_useable_span(source, body):
    begin, end = stamps([300.0, 3000.0])
    limits = {"USEABLE_START_TIME": begin, "USEABLE_STOP_TIME": end}
    [track] = source(kvn([block(body, 0, T_S, **limits)])).tracks
    r, _, inside = oem.states(track, EPOCH, np.array([299.9, 300.0, 3000.0, 3000.1]))
    assert inside.tolist() == [False, True, True, False]
    assert np.isnan(r[~inside]).all()
    assert oem.span(track) == (begin + "Z", end + "Z")


def test_segments_of_one_object_do_not_mix(source, body):
    """The second, after a manoeuvre of 1 km, counts from its first state on."""
    meta, when, states = block(body, 0, T_S[30:])
    later = (meta, when, states + np.array([1.0, 0, 0, 0, 0, 0]))
    [track] = source(kvn([block(body, 0, T_S[:31]), later])).tracks
    assert len(track.arcs) == 2
    r, _, inside = oem.states(track, EPOCH, np.array([1799.99, 1800.0, 1801.0]))
    off_km = r - propagate(body, MODEL, np.array([1799.99, 1800.0, 1801.0]))[0][:, 0]
    assert inside.all()
    np.testing.assert_allclose(off_km[:, 0], [0, 1, 1], rtol=0, atol=1e-5)
    assert oem.covered_s(track, EPOCH) == pytest.approx(T_S[-1])
    [gap] = source(kvn([block(body, 0, T_S[:20]), block(body, 0, T_S[30:])])).tracks
    assert oem.covered_s(gap, EPOCH) == pytest.approx(T_S[19])
    assert not oem.states(gap, EPOCH, np.array([1500.0]))[2].any()


@pytest.mark.parametrize("name", ["CENTER_NAME", "REF_FRAME", "TIME_SYSTEM", "START_TIME"])
@pytest.mark.parametrize("write", [kvn, xml])
def test_mandatory_keywords(source, body, name, write):
    with pytest.raises(InputError, match=f"(line 5|record 1): field {name} is missing"):
        source(write([block(body, 0, T_S, **{name: None})]))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"CENTER_NAME": "MARS BARYCENTER"}, "CENTER_NAME: must be EARTH"),
        ({"REF_FRAME": "RTN"}, "REF_FRAME: must be one of TEME, EME2000, .* ITRF, not 'RTN'"),
        ({"REF_FRAME_EPOCH": "2000-01-01T00:00:00"}, "REF_FRAME_EPOCH"),
        ({"TIME_SYSTEM": "MET"}, "TIME_SYSTEM: must be one of"),
        ({"INTERPOLATION": "SPLINE"}, "INTERPOLATION: must be LAGRANGE, HERMITE, LINEAR, not"),
        ({"INTERPOLATION_DEGREE": None}, "INTERPOLATION_DEGREE: must be given with HERMITE"),
        ({"INTERPOLATION_DEGREE": 0}, "INTERPOLATION_DEGREE: must be 1 to 27, not '0'"),
        ({"INTERPOLATION_DEGREE": "many"}, "INTERPOLATION_DEGREE: must be 1 to 27"),
        ({"START_TIME": "2026-03-20T00:10:00"}, "states lie outside of them"),
        ({"USEABLE_STOP_TIME": "2026-03-21T00:00:00"}, "lie outside of the states"),
        ({"STOP_TIME": "noon"}, "STOP_TIME: must be a date"),
    ],
)
def test_what_is_refused_by_name(source, body, changes, told):
    with pytest.raises(InputError, match=f"line 5: .*{told}"):
        source(kvn([block(body, 0, T_S, **changes)]))


def test_states_that_cannot_be_followed(source, body):
    text = kvn([block(body, 0, T_S[:8], INTERPOLATION="LAGRANGE")])
    assert source(text)
    lines = text.split("\n")
    first = next(k for k, line in enumerate(lines) if LINE.match(line))

    def changed(*new):
        return "\n".join([*lines[:first], *new, *lines[first + 2 :]])

    a, b = lines[first : first + 2]
    for new, told in (
        ((b, a), f"line {first + 2}: must be later"),
        ((a, a), f"line {first + 2}: must be later"),
        ((a,), "must have 8 states or more to interpolate, not 7"),
        ((a, b + " 1"), f"line {first + 2}: must be epoch, position and velocity"),
        ((a, b.replace("T", "X")), f"line {first + 2}: must be a date"),
        ((a, b.rpartition(" ")[0] + " nan"), f"line {first + 2}: must be a number"),
    ):
        with pytest.raises(InputError, match=told):
            source(changed(*new))
    assert source(changed(a, b + " 1 2 3"))  # accelerations
    with pytest.raises(InputError, match="has no META_START"):
        source("CCSDS_OEM_VERS = 2.0\n")
    with pytest.raises(InputError, match="not both"):
        source(text + "CCSDS_OMM_VERS = 2.0\n")


def test_a_constellation_of_positions(body, tmp_path, small):
    path = tmp_path / "six.oem"
    path.write_text(kvn([block(body, i, T_S) for i in range(6)]))
    table = ElementSets(tle=str(path))
    found = from_element_sets(table)
    assert (found.epoch_utc, found.size, found.n_planes) == (EPOCH, 6, 2)
    np.testing.assert_allclose(found.a_km, body.a_km, rtol=0, atol=1e-3)
    np.testing.assert_allclose(found.inc_rad, body.inc_rad, rtol=0, atol=1e-7)
    order = [body.names.index(name) for name in found.names]
    r_km, _ = propagate(found, "oem", ASKED_S)
    assert np.linalg.norm(r_km - propagate(body, MODEL, ASKED_S)[0][:, order], axis=2).max() < 1e-5
    beyond_s = np.array([0.0, 3540.0, 3600.0])
    with pytest.raises(InputError, match=r"no position 3600.000 s after .* to 2026-03-20T00:59"):
        propagate(found, "oem", beyond_s)
    r_km, _, gone = tracked(found, "oem", beyond_s)
    assert gone.all(axis=1).tolist() == [False, False, True]
    assert np.isfinite(r_km).all()
    with pytest.raises(InputError, match="must be 'oem' where the file holds positions"):
        propagate(found, "kepler-j2", ASKED_S)
    with pytest.raises(InputError, match="'oem' needs a file of positions"):
        propagate(body, "oem", ASKED_S)
    Ephemeris(small(table, step_s=59.0), found)
    with pytest.raises(InputError, match=r"positions end 3540.000 s after .* the run takes 3660"):
        Ephemeris(small(table, step_s=61.0), found)
    with pytest.raises(InputError, match="no position at the start 2026-03-21T"):
        from_element_sets(table, "2026-03-21T00:00:00Z")


@pytest.fixture
def small():
    from twin.scenario import loader

    def of(table, *, step_s):
        scenario = loader.load("small")
        times = scenario.simulation.model_copy(
            update={"steps": 60, "orbits": None, "step_s": step_s}
        )
        motion = scenario.propagation.model_copy(update={"model": "oem"})
        return scenario.model_copy(
            update={"constellation": table, "simulation": times, "propagation": motion}
        )

    return of
