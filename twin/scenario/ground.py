"""The ground in a scenario: users' sites, how satellites serve them, and a data centre."""

from collections import Counter
from typing import Literal, Self

from pydantic import Field, model_validator

from twin.scenario.fields import Delay, Params, Rate, Table


class Site(Table):
    """A place on the ground whose users ask for tokens; latitude and longitude are geodetic."""

    name: str = Field(min_length=1, max_length=100)
    latitude_deg: float = Field(ge=-90, le=90)
    longitude_deg: float = Field(ge=-180, le=180)
    altitude_m: float = Field(0.0, ge=-500, le=100_000, description="above the WGS 84 ellipsoid")
    weight: float = Field(
        1.0, ge=1e-9, le=1e12, description="requests, relative to the other sites"
    )


class DataCentre(Table):
    """A data centre on the ground that serves all requests, instead of satellites.

    Its boards are those of `compute`, all linked to each other.
    """

    name: str = Field("Luleå", min_length=1, max_length=100)
    latitude_deg: float = Field(65.6, ge=-90, le=90)
    longitude_deg: float = Field(22.1, ge=-180, le=180)
    boards: int = Field(81, ge=1, le=512)
    exchange_us: float = Field(
        20.0, ge=0, le=1e9, description="from one board to another; assumption"
    )
    rate_gbps: Rate = Field(
        800.0, description="of the link between any two boards; assumption: Suncatcher's"
    )
    pue: float = Field(
        1.2, ge=1, le=10, description="energy drawn for each that boards draw; assumption"
    )


class Ground(Table):
    """Ground sites, and how each chooses the satellite that serves it."""

    sites: tuple[Site, ...] = Field(default=(), strict=False, max_length=10_000)
    users: Literal["cities"] | None = Field(
        None, description="instead of sites: the 50 largest cities, weighted by population"
    )
    minimum_elevation_deg: float = Field(25.0, ge=0, lt=90)
    handover: str = "max-elevation"
    handover_params: Params = Field(default_factory=dict)
    scheduling_epoch_s: float = Field(
        15.0, ge=1, le=600, description="sites change satellite only at multiples of this"
    )
    handover_interruption_s: Delay = Field(
        0.1, description="without service at each change of satellite; assumption"
    )
    data_centre: DataCentre | None = Field(
        None,
        description="where requests are served on the ground; users reach it through the "
        "constellation, which it sees above the same elevation; assumption",
    )

    @model_validator(mode="after")
    def _sites_told_apart(self) -> Self:
        if self.sites and self.users is not None:
            raise ValueError("give sites or users, not both")
        for name, count in Counter(site.name for site in self.sites).items():
            if count > 1:
                raise ValueError(f"site name {name!r} is given twice")
        return self
