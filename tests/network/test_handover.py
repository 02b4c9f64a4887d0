import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from twin.constants import C_KM_S
from twin.errors import InputError
from twin.network import passes
from twin.network.ground import look, sites
from twin.network.handover import HANDOVER, NOBODY, Serving
from twin.scenario import loader
from twin.scenario.ground import Ground
from twin.scenario.world import Walker
from twin.space import constellation as constellations
from twin.space.frames import gcrs_to_itrs
from twin.space.propagation import propagate

EPOCH = "2026-03-20T00:00:00Z"
MODEL = "kepler-j2"
TEN_METRES_DEG = 1e-3  # What the motion between samples may be off, seen from 570 km or more.


def walker(planes, slots, inclination_deg, phasing=0, spread_deg=360.0):
    return constellations.walker(
        Walker(
            planes=planes,
            satellites_per_plane=slots,
            altitude_km=550.0,
            inclination_deg=inclination_deg,
            phasing=phasing,
            raan_spread_deg=spread_deg,
        ),
        EPOCH,
    )


def users(latitude_deg=35.0, number=1, **table):
    """So many users around a parallel."""
    return Ground(
        sites=[
            {
                "name": f"u{k}",
                "latitude_deg": latitude_deg,
                "longitude_deg": 360.0 * k / number - 180,
            }
            for k in range(number)
        ],
        **table,
    )


def elevation_deg(place, constellation, t_s):
    """(T, G, N), without any interpolation."""
    t_s = np.atleast_1d(t_s).astype(np.float64)
    r_km, _ = propagate(constellation, MODEL, t_s)
    r_km = r_km @ np.swapaxes(gcrs_to_itrs(EPOCH, t_s), -1, -2)
    return np.degrees(np.arcsin([look(place, r)[0] for r in r_km]))


def serve(serving, step_s, steps):
    return [serving.advance(k * step_s, step_s) for k in range(steps)]


def handovers(services):
    """(t_s, site, before, after) of every change, in order."""
    return [
        (round(float(t), 6), int(g), int(a), int(b))
        for service in services
        for t, g, a, b in zip(*service.handovers, strict=True)
    ]


def per_hour(constellation, hours=3.0, number=8, **table):
    """Hand-overs per hour of a user at 35 degrees, under a mask of 25 degrees."""
    services = serve(
        Serving(users(number=number, **table), constellation, MODEL), 15.0, int(240 * hours)
    )
    changes = [c for c in handovers(services) if NOBODY not in c[2:]]
    return len(changes) / hours / number


@pytest.mark.parametrize("policy", HANDOVER)
def test_handovers_under_a_polar_star(policy):
    """33 x 32 at 87 deg over half a circle, unphased: 20 to 24 an hour, a slot time of 179 s."""
    star = walker(33, 32, 87.0, spread_deg=180.0)
    assert 19.5 < per_hour(star, handover=policy) < 24


def test_handovers_under_a_delta_shell():
    """72 x 22 at 53 deg: 14.5 an hour if each satellite is kept to its end, whatever F."""
    for phasing in (17, 39):
        rate = per_hour(walker(72, 22, 53.0, phasing), handover="longest-remaining")
        assert rate == pytest.approx(14.5, abs=0.5)


def test_handovers_to_the_highest_satellite_depend_on_phasing():
    """From 30 to 80 an hour for 72 x 22; 50 is what F = 65 gives, close to the real shell."""
    assert per_hour(walker(72, 22, 53.0, 65)) == pytest.approx(50, abs=2)
    assert per_hour(walker(72, 22, 53.0, 60)) < 35
    assert per_hour(walker(72, 22, 53.0, 5)) > 70


def test_handovers_under_the_real_shell(shared_data):
    scenario = loader.load(
        "starlink-shell",
        [f"constellation.tle={shared_data / 'starlink_1468_550km_2022-09-14.tle'}"],
    )
    shell = constellations.build(scenario)
    assert per_hour(shell, handover="max-elevation") == pytest.approx(50, abs=5)
    assert per_hour(shell, handover="longest-remaining") == pytest.approx(14.5, abs=0.5)


def test_choices_are_those_of_brute_force():
    """Re-propagating at every epoch: the highest of those that last, else the highest."""
    shell, epoch_s, epochs = walker(12, 12, 53.0, 5), 15.0, 120
    serving = Serving(users(number=5), shell, MODEL)
    services = serve(serving, epoch_s, epochs)
    height = elevation_deg(serving.sites, shell, epoch_s * np.arange(epochs + 1))
    for k, service in enumerate(services):
        now, above, lasts = height[k], height[k] >= 25, height[k + 1] >= 25
        score = np.where(above, now + 100 * lasts, -1)
        expected = np.where(above.any(axis=1), score.argmax(axis=1), NOBODY)
        np.testing.assert_array_equal(service.satellite, expected)


def test_hysteresis_saves_handovers():
    shell = walker(33, 32, 53.0, 17)
    rates = [
        per_hour(shell, hours=1, handover="max-elevation", handover_params={"hysteresis_deg": h})
        for h in (0.0, 5.0, 20.0)
    ]
    assert rates[0] > rates[1] > rates[2]
    eager = {"hysteresis_s": 0.0}
    assert per_hour(
        shell, hours=1, handover="longest-remaining", handover_params=eager
    ) > 2 * per_hour(shell, hours=1, handover="longest-remaining")


@settings(max_examples=25, deadline=None)
@given(
    policy=st.sampled_from(sorted(HANDOVER)),
    step_s=st.sampled_from([5.0, 7.3, 15.0, 40.0, 300.0]),
    latitude_deg=st.floats(-90, 90),
    mask_deg=st.floats(0, 60),
    interruption_s=st.floats(0, 30),
)
@example("max-elevation", 5.0, 35.0, 25.0, 20.0)
def test_invariants(policy, step_s, latitude_deg, mask_deg, interruption_s):
    shell = walker(6, 11, 60.0, 1)
    table = users(
        latitude_deg,
        2,
        handover=policy,
        minimum_elevation_deg=mask_deg,
        handover_interruption_s=interruption_s,
    )
    serving = Serving(table, shell, MODEL)
    steps = int(1200 / step_s)
    services = serve(serving, step_s, steps)
    height = elevation_deg(serving.sites, shell, step_s * np.arange(steps))
    place = np.arange(2)
    for now, service in zip(height, services, strict=True):
        served = service.satellite != NOBODY
        assert (now[place, service.satellite][served] > mask_deg - TEN_METRES_DEG).all()
        np.testing.assert_array_equal(np.isfinite(service.delay_s), served)
        assert ((service.availability >= 0) & (service.availability <= 1)).all()
    holder = dict.fromkeys(range(2), NOBODY)
    for t_s, site, before, after in handovers(services):
        assert before == holder[site] != after
        holder[site] = after
        if after == NOBODY:
            lost_deg = elevation_deg(serving.sites, shell, t_s)[0, site, before]
            assert lost_deg == pytest.approx(mask_deg, abs=TEN_METRES_DEG)
        else:
            assert t_s % 15.0 == 0
    assert holder == dict(enumerate(serving.state.satellite.tolist()))


@pytest.mark.parametrize("policy", HANDOVER)
def test_nothing_depends_on_the_length_of_the_step(policy):
    table = users(50.0, 3, handover=policy, handover_interruption_s=4.0)
    shell, end_s = walker(6, 11, 60.0, 1), 9000.0  # Beyond one window of passes.
    runs = [
        serve(Serving(table, shell, MODEL), s, int(end_s / s)) for s in (5.0, 15.0, 60.0, 300.0)
    ]
    changes = [handovers(services) for services in runs]
    assert any(after == NOBODY for _, _, _, after in changes[0])
    assert changes[0] == changes[1] == changes[2] == changes[3]
    means = [np.mean([s.availability for s in services], axis=0) for services in runs]
    for a, b in itertools.pairwise(means):
        np.testing.assert_allclose(a, b, atol=1e-9)


def test_every_handover_interrupts():
    interruption_s, steps = 2.0, 480
    table = users(number=4, handover_interruption_s=interruption_s)
    services = serve(Serving(table, walker(72, 22, 53.0, 17), MODEL), 15.0, steps)
    changes = handovers(services)
    assert all(after != NOBODY for _, _, _, after in changes)
    up_s = 15 * sum(service.availability.sum() for service in services)
    assert up_s == pytest.approx(4 * 15 * steps - interruption_s * len(changes))


def test_one_satellite_serves_from_the_epoch_after_its_rise_until_it_sets():
    lone, table = walker(1, 1, 53.0), users(40.0, 6, handover_interruption_s=0.0)
    services = serve(Serving(table, lone, MODEL), 60.0, 120)
    found = passes.passes(sites(table), passes.track(lone, MODEL, 0.0, 8400.0))
    found = [p for p in zip(*found, strict=True) if p[2] < 7200]
    assert len(found) >= 2
    up_s = sum(set_s - 15 * np.ceil(rise_s / 15) for _, _, rise_s, set_s in found)
    assert 60 * sum(service.availability.sum() for service in services) == pytest.approx(up_s)
    lost = [t for t, _, _, after in handovers(services) if after == NOBODY]
    np.testing.assert_allclose(sorted(lost), sorted(p[3] for p in found), atol=1e-3)


def test_delay_is_light_time_over_the_slant_range():
    shell = walker(33, 32, 53.0, 17)
    serving = Serving(users(number=4), shell, MODEL)
    for k in range(20):
        service = serving.advance(7.0 * k, 7.0)
        r_km, _ = propagate(shell, MODEL, np.array([7.0 * k]))
        turn = gcrs_to_itrs(EPOCH, np.array([7.0 * k]))[0]
        _, slant_km = look(serving.sites, r_km[0] @ turn.T)
        expected_s = slant_km[np.arange(4), service.satellite] / C_KM_S
        np.testing.assert_allclose(service.delay_s, expected_s, rtol=0, atol=0.01 / C_KM_S)
        assert (service.delay_s * 1.01 > 550 / C_KM_S).all()
        assert (service.delay_s < 1130 / C_KM_S).all()


def test_a_satellite_that_cannot_serve_is_left_at_once():
    shell = walker(33, 32, 53.0, 17)
    serving = Serving(users(number=2), shell, MODEL)
    first = serving.advance(0.0, 5.0).satellite
    usable = np.ones(shell.size, bool)
    usable[first[0]] = False
    broken = serving.advance(5.0, 5.0, usable)
    assert broken.satellite[0] == NOBODY
    assert broken.delay_s[0] == np.inf
    assert broken.availability[0] == 0
    assert broken.satellite[1] == first[1]
    assert handovers([broken]) == [(5.0, 0, int(first[0]), NOBODY)]
    serving.advance(10.0, 5.0, usable)
    regained = serving.advance(15.0, 5.0, usable)
    assert regained.satellite[0] not in (NOBODY, first[0])
    # At an epoch it is replaced without a gap.
    usable[regained.satellite[0]] = False
    next_one = [serving.advance(t_s, 5.0, usable) for t_s in (20.0, 25.0, 30.0)][-1]
    assert next_one.satellite[0] != NOBODY
    assert not serving.advance(35.0, 5.0, np.zeros(shell.size, bool)).availability.any()


def test_no_sites_no_service():
    service = Serving(Ground(), walker(1, 3, 53.0), MODEL).advance(0.0, 15.0)
    assert service.satellite.size == service.delay_s.size == service.availability.size == 0
    assert handovers([service]) == []


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"handover": "nearest"}, "unknown hand-over rule 'nearest'; known: max-elevation, "),
        ({"handover_params": {"hysteresis_s": 1.0}}, "takes: hysteresis_deg"),
    ],
)
def test_unknown_policies_and_parameters(table, says):
    with pytest.raises(InputError, match=says):
        Serving(users(**table), walker(1, 3, 53.0), MODEL)
