"""Places by name and by coordinates."""

import pytest

from twin.errors import InputError
from twin.network.places import place, slant_limit_km
from twin.scenario.ground import Ground

GROUND = Ground(
    sites=[
        {"name": "Kiruna, Esrange", "latitude_deg": 67.88, "longitude_deg": 21.07},
        {"name": "Paris", "latitude_deg": 33.66, "longitude_deg": -95.55},  # in Texas
    ]
)


@pytest.mark.parametrize(
    ("text", "latitude_deg", "longitude_deg"),
    [
        ("Kiruna, Esrange", 67.88, 21.07),
        ("paris", 33.66, -95.55),
        ("LONDON", 51.51, -0.13),
        ("Sao Paulo", -23.55, -46.64),
        ("São Paulo", -23.55, -46.64),
        (" bogota ", 4.61, -74.08),
        ("-33.86,151.2", -33.86, 151.2),
        ("-33.86, 151.2, 58", -33.86, 151.2),
    ],
)
def test_sites_go_before_cities_and_both_before_coordinates(text, latitude_deg, longitude_deg):
    found = place(text, GROUND, option="--from")
    assert (found.latitude_deg, found.longitude_deg) == (latitude_deg, longitude_deg)
    assert found.altitude_m == (58 if "58" in text else 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Atlantis", "a site of the scenario (Kiruna, Esrange, Paris), one of the 50 largest"),
        ("", "must be"),
        ("48.9", "LATITUDE,LONGITUDE"),
        ("48.9,2.3,0,0", "LATITUDE,LONGITUDE"),
        ("91,0", "latitude_deg: input should be less than or equal to 90"),
        ("0,-181", "longitude_deg: input should be greater than or equal to -180"),
        ("0,0,1e9", "altitude_m: input should be less than"),
        ("nan,0", "latitude_deg"),
        ("0,inf", "longitude_deg"),
    ],
)
def test_what_is_no_place_is_refused_in_one_line(text, said):
    with pytest.raises(InputError) as caught:
        place(text, GROUND, option="--to")
    assert str(caught.value).startswith(f"--to {text}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_limits_of_range():
    assert slant_limit_km(None) == float("inf")
    assert slant_limit_km(1260.0) == 1260.0
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match=r"--max-slant-km .*: must be above 0"):
            slant_limit_km(wrong)
