"""`twin ephemeris` as a user types it, against values that others published or computed."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from twin.cli.main import main

EDGES = ("penumbra_in_s", "umbra_in_s", "umbra_out_s", "penumbra_out_s")
PAPER_ORBIT = ("paper", "--satellite", "0", "--set", "propagation.model=kepler")


@pytest.fixture
def ephemeris(monkeypatch, tmp_path):
    """Call the command in an empty folder; gives what it writes as JSON."""
    monkeypatch.chdir(tmp_path)

    def call(*args):
        monkeypatch.setattr(sys, "argv", ["twin", "ephemeris", *args, "--json", "e.json"])
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 0
        return json.loads(Path("e.json").read_text())

    return call


def table(data):
    return {name: np.array(column) for name, column in data["steps"].items()}


@pytest.mark.parametrize("steps", [20, 96, 383])
@pytest.mark.parametrize(
    ("date", "inclination_deg", "expected_s"),
    [
        ("2026-03-20", 87, (1790.08, 1798.62, 3926.94, 3935.47)),
        ("2026-03-20", 53, (1783.56, 1792.10, 3920.65, 3929.18)),
        ("2026-06-21", 87, (3804.51, 3840.49, 4720.76, 4756.74)),
        ("2026-06-21", 53, (3277.44, 3287.34, 5296.97, 5306.88)),
    ],
)
def test_edges_of_independent_ephemerides(ephemeris, date, inclination_deg, expected_s, steps):
    """Times that satkit and JPL's DE421 agree on to 0.02 s, in steps of 287, 60 and 15 s."""
    data = ephemeris(
        *PAPER_ORBIT, "--steps", str(steps),
        "--set", f"simulation.start_utc={date}T00:00:00Z",
        "--set", f"constellation.inclination_deg={inclination_deg}",
    )  # fmt: skip
    (shadow,) = data["shadows"]
    np.testing.assert_allclose([shadow[e] for e in EDGES], expected_s, rtol=0, atol=0.5)
    assert shadow["umbra_in_utc"].startswith(f"{date}T0")
    dark_s = shadow["umbra_out_s"] - shadow["umbra_in_s"]
    lit = table(data)["sunlit"].sum() * 5738.993 / steps
    assert 5738.993 - lit == pytest.approx(dark_s, abs=40.0)  # half the penumbra, twice


@pytest.mark.parametrize(
    ("beta_deg", "fraction"),
    [(0, 0.37231), (10, 0.37023), (20, 0.36359), (30, 0.35111), (40, 0.32975), (50, 0.29218),
     (60, 0.21474), (67.1, 0)],
)  # fmt: skip
def test_shadow_fraction_by_beta_angle(ephemeris, beta_deg, fraction):
    """The closed form for a cylinder, on polar orbits whose node gives the beta angle."""
    # Apparent Sun in the middle of the orbit, 48 minutes after midnight.
    right_ascension, declination = np.radians([359.1277, -0.3767])
    node = right_ascension + np.arcsin(np.sin(np.radians(beta_deg)) / np.cos(declination))
    data = ephemeris(
        *PAPER_ORBIT, "--set", "bus.eclipse=cylinder", "--set", "constellation.inclination_deg=90",
        "--set", f"constellation.raan_first_deg={np.degrees(node) % 360}",
    )  # fmt: skip
    columns = table(data)
    assert columns["beta_deg"][100] == pytest.approx(beta_deg, abs=0.01)
    assert 1 - columns["sunlit"].mean() == pytest.approx(fraction, abs=1e-4)
    assert all(s["penumbra_in_s"] is None for s in data["shadows"])


@pytest.mark.parametrize(
    ("inclination_deg", "drift_deg_per_day"), [(87, -0.3904), (53, -4.489)]
)  # fmt: skip
def test_beta_angle_drifts_with_the_node(ephemeris, inclination_deg, drift_deg_per_day):
    """Ten days under J2, held against the node's secular rate and an almanac's Sun."""
    data = ephemeris(
        "paper", "--satellite", "P00S00", "--steps", "100",
        "--set", "simulation.orbits=150.55",
        "--set", f"constellation.inclination_deg={inclination_deg}",
    )  # fmt: skip
    columns = table(data)
    day = columns["t_s"] / 86400
    assert day[-1] > 9.8
    r, v = (
        np.stack([columns[f"{p}{axis}{u}"] for axis in "xyz"], axis=1)
        for p, u in (("", "_km"), ("v", "_km_s"))
    )
    x, y, _ = np.cross(r, v).T
    node_deg = np.degrees(np.unwrap(np.arctan2(x, -y)))
    assert np.polyfit(day, node_deg, 1)[0] == pytest.approx(drift_deg_per_day, abs=1e-3)

    # Low-precision Sun of the Astronomical Almanac (0.01 deg), of date; 0.37 deg of precession
    # since J2000 taken off its longitude.
    n = day + 9574.5
    g, mean = np.radians(357.528 + 0.9856003 * n), 280.460 + 0.9856474 * n
    longitude = np.radians(mean + 1.915 * np.sin(g) + 0.020 * np.sin(2 * g) - 0.3662)
    tilt, inc, node = np.radians([23.4393, inclination_deg, 0.0])
    node = np.radians(drift_deg_per_day * day)
    sun = np.stack(
        [np.cos(longitude), np.cos(tilt) * np.sin(longitude), np.sin(tilt) * np.sin(longitude)]
    )
    normal = np.stack(
        [np.sin(inc) * np.sin(node), -np.sin(inc) * np.cos(node), np.full(len(day), np.cos(inc))]
    )
    beta_deg = np.degrees(np.arcsin(np.sum(sun * normal, axis=0)))
    np.testing.assert_allclose(columns["beta_deg"], beta_deg, rtol=0, atol=0.03)


def test_an_orbit_that_starts_in_shadow(ephemeris):
    first, *_, last = ephemeris(
        "paper", "--satellite", "P00S16", "--set", "simulation.orbits=1.9"
    )["shadows"]  # fmt: skip
    assert first["umbra_in_s"] is first["penumbra_in_utc"] is None
    assert 0 < first["umbra_out_s"] < first["penumbra_out_s"]
    assert last["penumbra_in_s"] < last["umbra_in_s"]
    assert last["umbra_out_s"] is last["penumbra_out_utc"] is None


def test_csv_holds_the_same_as_json(ephemeris, tmp_path, capfd):
    data = ephemeris(*PAPER_ORBIT, "--steps", "50", "--csv", "sat.csv")
    assert "sat-shadows.csv" in capfd.readouterr().out
    header, *rows = csv.reader((tmp_path / "sat.csv").read_text().splitlines())
    assert header == list(data["steps"])
    for k, name in enumerate(header):
        column = [type(value)(row[k]) for row, value in zip(rows, data["steps"][name], strict=True)]
        assert column == data["steps"][name]
    header, row = csv.reader((tmp_path / "sat-shadows.csv").read_text().splitlines())
    assert {k: str(v) for k, v in data["shadows"][0].items()} == dict(zip(header, row, strict=True))


def test_a_satellite_of_a_real_constellation(ephemeris, shared_data):
    path = shared_data / "starlink_1468_550km_2022-09-14.tle"
    args = ("starlink-shell", "--set", f"constellation.tle={path}", "--steps", "20")
    by_number = ephemeris(*args, "--satellite", "7")
    assert by_number == ephemeris(*args, "--satellite", by_number["satellite"]["name"])
    columns = table(by_number)
    assert np.all((columns["altitude_km"] > 530) & (columns["altitude_km"] < 580))
    assert np.ptp(columns["latitude_deg"]) > 100
    assert np.abs(columns["latitude_deg"]).max() < 53.5


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["papr", "--satellite", "0"], "unknown scenario 'papr'"),
        (["small", "--satellite", "48"], "--satellite 48: must be a number from 0 to 47 or a name"),
        (["small", "--satellite", "-1"], "--satellite -1: must be a number from 0 to 47"),
        (["small", "--satellite", "P9S9"], "(P0S0 to P5S7)"),
        (["small", "--satellite", "0", "--csv", "no/x.csv"], "--csv no/x.csv: there is no folder"),
        (["small", "--satellite", "0", "--set", "simulation.steps=x"], "simulation.steps"),
    ],
)
def test_mistakes_are_told_in_one_line(monkeypatch, tmp_path, capfd, args, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["twin", "ephemeris", *args])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    (line,) = [line for line in capfd.readouterr().err.splitlines() if line.strip()]
    assert line.startswith("twin: ")
    assert said in line
    assert not list(tmp_path.iterdir())
