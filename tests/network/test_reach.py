"""Passes within a range, against sampling the track densely."""

from dataclasses import replace

import numpy as np
import pytest

from twin.network import passes
from twin.network.ground import sites
from twin.network.handover import NOBODY, Serving
from twin.network.reach import within_range
from twin.scenario.ground import Ground
from twin.scenario.world import Walker
from twin.space import constellation as constellations

EPOCH = "2026-03-20T00:00:00Z"
SPAN_S = 12_000.0
HERE = [
    {"name": "a", "latitude_deg": 35.0, "longitude_deg": -20.0},
    {"name": "b", "latitude_deg": -52.0, "longitude_deg": 100.0},
]


def walker(ecc=0.0, altitude_km=550.0):
    table = Walker(
        planes=6,
        satellites_per_plane=6,
        altitude_km=altitude_km,
        inclination_deg=60.0,
        phasing=1,
    )
    made = constellations.walker(table, EPOCH)
    return replace(made, ecc=np.full(made.size, ecc))


@pytest.mark.parametrize(
    ("ecc", "altitude_km", "mask_deg", "limit_km"),
    [(0.0, 550.0, 10.0, 1000.0), (0.0, 550.0, 0.0, 620.0), (0.7, 20_000.0, 5.0, 25_000.0)],
)
def test_satellites_are_in_reach_when_above_the_mask_and_near(ecc, altitude_km, mask_deg, limit_km):
    table = Ground(sites=HERE, minimum_elevation_deg=mask_deg)
    place = sites(table, max_slant_km=limit_km)
    track = passes.track(walker(ecc, altitude_km), "kepler", 0.0, SPAN_S)
    every = passes.passes(place, track)
    found = within_range(place, track, every)
    assert 0 < len(found.site) != len(every.site)
    assert (np.diff(found.rise_s) >= 0).all()
    assert (found.set_s > found.rise_s).all()
    t_s = np.arange(1.0, SPAN_S, 2.0)
    for g in range(2):
        for j in range(36):
            pair = np.full(len(t_s), g, np.int32), np.full(len(t_s), j, np.int32)
            sine, slant_km = passes.look_at(place, track, *pair, t_s)
            margin = np.minimum(
                np.degrees(np.arcsin(sine)) - mask_deg, (limit_km - slant_km) / 10.0
            )
            mine = (found.site == g) & (found.satellite == j)
            inside = np.zeros(len(t_s), bool)
            for rise_s, set_s in zip(found.rise_s[mine], found.set_s[mine], strict=True):
                inside |= (rise_s <= t_s) & (t_s <= set_s)
            wrong = inside != (margin >= 0)
            assert np.abs(margin[wrong]).max(initial=0.0) < 0.01


def test_edges_are_at_the_limit():
    place = sites(Ground(sites=HERE, minimum_elevation_deg=5.0), max_slant_km=900.0)
    track = passes.track(walker(), "kepler-j2", 0.0, SPAN_S)
    found = within_range(place, track, passes.passes(place, track))
    for t_s in (found.rise_s, found.set_s):
        cut = (t_s > 0) & (t_s < SPAN_S)
        _, slant_km = passes.look_at(place, track, found.site[cut], found.satellite[cut], t_s[cut])
        np.testing.assert_allclose(slant_km, 900.0, atol=1e-5)


def test_no_limit_changes_nothing_and_no_pass_may_be_left():
    place = sites(Ground(sites=HERE))
    track = passes.track(walker(), "kepler-j2", 0.0, SPAN_S)
    every = passes.passes(place, track)
    assert within_range(place, track, every) is every
    assert within_range(replace(place, max_slant_km=100.0), track, every).site.size == 0


def test_sites_are_served_by_satellites_in_range():
    table = Ground(sites=HERE, minimum_elevation_deg=5.0, handover="longest-remaining")
    serving = Serving(table, walker(), "kepler-j2", max_slant_km=900.0)
    served = 0
    for step in range(600):
        now = serving.advance(step * 20.0, 20.0)
        there = now.satellite != NOBODY
        served += there.sum()
        assert (now.delay_s[there] <= 900.0 / 299_792.458 + 1e-9).all()
    assert served > 50
