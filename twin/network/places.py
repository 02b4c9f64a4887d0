"""Places on the ground by what a user types: a site, a city, or coordinates."""

import unicodedata
from collections.abc import Mapping
from math import inf

from pydantic import ValidationError

from twin.errors import InputError
from twin.network.cities import city_sites
from twin.scenario.ground import Ground, Site


def place(text: str, ground: Ground, *, option: str) -> Site:
    """Return the place that `text` means.

    Parameters
    ----------
    text : str
        Name of a site of the scenario, or of one of the fifty cities, whatever its case and
        accents; or ``latitude,longitude`` in degrees, and ``,altitude`` in m.
    ground : Ground
        The scenario's sites.
    option : str
        Who asks, for errors.

    Raises
    ------
    InputError
        If there is no such place.
    """
    cities = {_plain(city.name): city for city in city_sites()}
    known = cities | {_plain(site.name): site for site in ground.sites}
    found = known.get(_plain(text))
    if found is None:
        found = _at_coordinates(text, option)
    if found is None:
        raise InputError(f"{option} {text}: {_what_is_allowed(ground, cities)}")
    return found


def slant_limit_km(value: float | None) -> float:
    """How far a satellite may be, ``inf`` where nothing is given.

    Raises
    ------
    InputError
        If it is not above zero.
    """
    if value is None:
        return inf
    if not value > 0:
        raise InputError(f"--max-slant-km {value:g}: must be above 0")
    return value


def _plain(name: str) -> str:
    """A name without case and accents."""
    parts = unicodedata.normalize("NFKD", name.strip().casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _at_coordinates(text: str, option: str) -> Site | None:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return None
    if len(numbers) not in (2, 3):
        return None
    fields = ("latitude_deg", "longitude_deg", "altitude_m")
    try:
        return Site(name=text.strip(), **dict(zip(fields, numbers, strict=False)))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        said = first["msg"][0].lower() + first["msg"][1:]
        raise InputError(f"{option} {text}: {first['loc'][0]}: {said}") from None


def _what_is_allowed(ground: Ground, cities: Mapping[str, Site]) -> str:
    sites = ", ".join(site.name for site in ground.sites)
    own = f"a site of the scenario ({sites}), " if sites else ""
    some = ", ".join(city.name for city in list(cities.values())[:3])
    return (
        f"must be {own}one of the {len(cities)} largest cities ({some}, ...), or "
        "LATITUDE,LONGITUDE in degrees"
    )
