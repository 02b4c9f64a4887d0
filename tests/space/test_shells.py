"""Shells and planes from the orbits themselves: real files, and constellations made up."""

import re

import numpy as np
import pytest

from twin.constants import R_EARTH_KM
from twin.export.structure import structure
from twin.scenario.world import ElementSets
from twin.space import planes, shells
from twin.space.constellation import from_element_sets
from twin.space.propagation import j2_rates

FILES = {
    "iridium": "elements_2024/iridium-next.tle",
    "gps": "elements_2024/gps-operational.tle",
    "globalstar": "elements_2024/globalstar.tle",
    "oneweb-2022": "oneweb_426_2022-09-14.tle",
    "oneweb-2024": "elements_2024/oneweb.tle",
    "starlink-2022": "starlink_3023_2022-09-14.tle",
    "starlink-2024": "elements_2024/starlink.tle",
}


@pytest.fixture(scope="module")
def listed(shared):
    known = {}

    def read(name):
        if name not in known:
            known[name] = structure(str(shared / FILES[name]))
        return known[name]

    return read


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("iridium", [11, 11, 11, 11, 11, 12]),
        ("gps", [5, 5, 5, 5, 5, 6]),
        ("globalstar", [3, 4, 4, 4, 4, 5, 5, 6]),
        ("oneweb-2022", [1, 7, 14, 15, 25, 37, 39, 41, 42, 49, 50, 50]),
        ("oneweb-2024", [1, 48, 50, 50, 51, 51, 51, 52, 52, 53, 55, 56, 58]),
    ],
)
def test_planes_of_one_shell(listed, name, sizes):
    found = listed(name)
    assert len(found.shells) == 1
    assert sorted(len(plane["satellites"]) for plane in found.planes) == sizes


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # 72 planes all round; 36 planned at 70 deg; 97.6 deg at their beginning.
        (
            "starlink-2022",
            [(540, 53.22, 48), (547.5, 53.05, 72), (560, 97.65, 2), (570, 70.0, 3)],
        ),
        (
            "starlink-2024",
            [
                (540, 53.22, 73),
                (547.5, 53.05, 73),
                (560, 97.66, 5),
                (561, 43.0, 28),
                (570, 70.0, 21),
            ],
        ),
    ],
)
def test_each_shell_by_itself(listed, name, expected):
    found = listed(name)
    got = [(s["altitude_km"], s["inclination_deg"], s["n_planes"]) for s in found.shells]
    assert len(got) == len(expected)
    for (km, deg, count), (about_km, about_deg, planes_there) in zip(got, expected, strict=True):
        assert km == pytest.approx(about_km, abs=0.6)
        assert deg == pytest.approx(about_deg, abs=0.02)
        assert count == planes_there
    for one in found.satellites:  # what climbs, waits or descends is in no shell
        if one["shell"] is None and one["altitude_km"] is not None:
            nearest = min(abs(one["altitude_km"] - s["altitude_km"]) for s in found.shells)
            assert "on its way" in one["reason"] or nearest < 6


@pytest.mark.parametrize("name", FILES)
def test_no_plane_mixes_inclinations_or_altitudes(listed, name):
    by_plane = {}
    for one in listed(name).satellites:
        if one["carries_links"]:
            by_plane.setdefault(one["plane"], []).append(one)
    most_deg = 2.1 if name == "gps" else 0.5  # planes of GPS themselves span that
    assert sorted(by_plane) == list(range(len(by_plane)))
    for members in by_plane.values():
        assert len({one["shell"] for one in members}) == 1
        assert np.ptp([one["inclination_deg"] for one in members]) < most_deg
        assert np.ptp([one["altitude_km"] for one in members]) < 6


def test_oneweb_planes_that_carry_links(shared, listed):
    """Eleven of twelve: a plane of one satellite does not."""
    c = from_element_sets(ElementSets(tle=str(shared / FILES["oneweb-2022"])), "2022-09-14T12:00Z")
    assert c.size == 369
    assert np.bincount(c.plane).tolist() == [37, 39, 15, 42, 7, 50, 14, 50, 25, 41, 49]
    node_deg = [np.degrees(c.raan_rad[c.plane == p]).mean() for p in range(11)]
    steps_deg = np.diff(node_deg)
    assert np.all(np.minimum(abs(steps_deg - 15), abs(steps_deg - 30)) < 0.5)
    reasons = [reason.partition(": ")[0] for _, reason in c.left_out]
    assert len(reasons) == 426 - 369
    assert reasons.count("in a plane of fewer than 3") == 1
    assert reasons.count("in no shell, on its way or out of service") == 56


def test_iridium_spares_are_left_out(listed):
    out = [one for one in listed("iridium").satellites if not one["carries_links"]]
    assert len(out) == 13
    assert all(one["altitude_km"] < 765 for one in out)


def made(*parts):
    """Find the structure of parts of arrays: altitude, inclination, node, latitude (km, deg)."""
    columns = [np.concatenate([np.broadcast_arrays(*p)[k] for p in parts]) for k in range(4)]
    altitude_km, inc, node, latitude = columns[0], *np.radians(columns[1:])
    _, argp, anomaly = j2_rates(R_EARTH_KM + altitude_km, np.zeros_like(inc), inc)
    return shells.find(
        R_EARTH_KM + altitude_km,
        np.degrees(argp + anomaly) * 86_400,
        inc,
        planes.normals(inc, node),
        planes.directions(inc, node, latitude),
    )


def walker(count, size, inc_deg, altitude_km, *, spread=360.0, phasing=0, first=0.0, seed=1):
    """A Walker pattern as station-keeping leaves it."""
    n = count * size
    plane, slot = np.divmod(np.arange(n), size)
    noise = np.random.default_rng(seed).standard_normal((4, n))
    return (
        altitude_km + 0.1 * noise[0],
        inc_deg + 0.01 * noise[1],
        first + plane * spread / count + 0.03 * noise[2],
        slot * 360 / size + 360 * phasing * plane / n + 0.05 * noise[3],
    )


def sizes(found):
    """Satellites of every plane that carries links, shell by shell."""
    linked = np.array([i not in found.left_out for i in range(len(found.shell))])
    return [
        np.unique(found.plane[linked & (found.shell == k)], return_counts=True)[1].tolist()
        for k in range(found.shell.max() + 1)
    ]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([walker(6, 11, 90.0, 780, spread=180)], [[11] * 6]),
        ([walker(6, 11, 90.0, 780)], [[11] * 6]),
        ([walker(1, 20, 53.0, 1000)], [[20]]),
        ([walker(72, 1, 53.0, 550, phasing=7)], [[1] * 72]),
        ([walker(200, 3, 53.0, 550, phasing=7)], [[3] * 200]),
        # 0.6 deg apart at one altitude, in the same nodes: never one plane
        ([walker(12, 20, 53.0, 550), walker(12, 20, 53.6, 550)], [[20] * 12] * 2),
        ([walker(12, 20, 53.0, 550), walker(12, 20, 53.0, 570)], [[20] * 12] * 2),
        ([walker(6, 8, 53.05, 550), walker(6, 8, 97.6, 550)], [[8] * 6] * 2),
        ([walker(34, 34, 51.9, 630), walker(36, 36, 42, 610)], [[36] * 36, [34] * 34]),
        ([walker(6, 4, 55.0, 20_200), walker(3, 8, 56.0, 23_222)], [[4] * 6, [8] * 3]),
    ],
)
def test_made_up_constellations(parts, expected):
    assert sizes(made(*parts)) == expected


@pytest.mark.parametrize("step_km", [1.0, 2.0, 4.0, 5.0])
def test_planes_staggered_in_altitude_are_one_shell(step_km):
    parts = [
        walker(1, 49, 87.9, 1200 + step_km * (7 * k % 12), first=15.2 * k, seed=k)
        for k in range(12)
    ]
    assert sizes(made(*parts)) == [[49] * 12]


def test_what_climbs_waits_or_is_spare_is_left_out_with_the_reason():
    rng = np.random.default_rng(2)
    climbing = np.linspace(350, 546, 200), 53.0, 360 * rng.random(200), 360 * rng.random(200)
    train = 350 + 0.1 * rng.standard_normal(40), 53.0, 20.0, np.linspace(0, 20, 40)
    spare = 546.0, 53.0, 5.0 * np.arange(10), np.zeros(10)
    found = made(walker(72, 22, 53.0, 550), climbing, train, spare)
    assert sizes(found)[0] == [22] * 72
    assert len(found.left_out) == 250
    reasons = [found.left_out[i] for i in range(72 * 22, 72 * 22 + 250)]
    assert all(r.startswith("in no shell, on its way") for r in reasons[:190])
    assert all(re.fullmatch(r"spare or on its way: -4\.\d km .*", r) for r in reasons[240:])


def test_a_plane_that_drifts_where_most_are_locked_carries_no_links():
    parts = [walker(1, 18, 70.0, 570 + 4.0 * (k == 2), first=20.0 * k, seed=k) for k in range(5)]
    found = made(*parts)
    assert sizes(found) == [[18] * 4]
    assert set(found.left_out) == set(range(36, 54))
    assert found.left_out[36].startswith("in a plane that drifts against the others: -4.")
