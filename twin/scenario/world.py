"""Tables of what no decision changes: constellation, propagation, links, outages, faults."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from twin.scenario.fields import (
    Delay,
    Duration,
    Fraction,
    Params,
    Path,
    Rate,
    Table,
)

MAX_BRIDGE_PAIRS = 250_000
"""Links between shells that may exist: a step looks at every one of them."""


class Shell(Table):
    """Walker geometry i: T/P/F (Walker, 1984) on circular orbits of one altitude."""

    planes: int = Field(ge=1, le=1000)
    satellites_per_plane: int = Field(ge=1, le=1000)
    altitude_km: float = Field(ge=150, le=40_000)
    inclination_deg: float = Field(ge=0, le=180)
    phasing: int = Field(
        0,
        ge=0,
        lt=1000,
        description="F: between neighbours in adjacent planes F*360/T deg; assumption",
    )
    alternate_half_slots: bool = Field(
        False,
        description="every second plane stands half a slot ahead of the others, as in Hypatia, "
        "instead of phasing",
    )
    link_shift: int = Field(
        0,
        ge=-1000,
        le=1000,
        description="slot s of a plane links to slot s + link_shift of the next one; assumption",
    )
    raan_spread_deg: float = Field(
        360.0, gt=0, le=360, description="360: delta pattern, 180: star pattern; assumption"
    )
    raan_first_deg: float = Field(0.0, ge=0, lt=360)

    @model_validator(mode="after")
    def _phasing_below_planes(self) -> Self:
        if self.phasing >= self.planes:
            raise ValueError(f"phasing must be below planes ({self.planes}), not {self.phasing}")
        if self.phasing and self.alternate_half_slots:
            raise ValueError(
                f"give phasing or alternate_half_slots, not both (phasing is {self.phasing})"
            )
        return self

    @property
    def size(self) -> int:
        """Number of satellites, T."""
        return self.planes * self.satellites_per_plane


class Walker(Shell):
    """A constellation of one shell."""

    kind: Literal["walker"] = "walker"


class Shells(Table):
    """A constellation of several shells, of which one hosts the model."""

    kind: Literal["shells"] = "shells"
    shells: tuple[Shell, ...] = Field(
        strict=False,
        max_length=100,
        description="two or more; neighbours in the list may link (links.cross_shell_every), so "
        "that it best goes by altitude",
    )
    host_shell: int = Field(
        0,
        ge=0,
        lt=100,
        description="number, from 0, of the shell whose satellites may host the model; users "
        "connect to any shell where links.cross_shell_every joins them, else to this one only",
    )

    @model_validator(mode="after")
    def _host_is_one_of_several(self) -> Self:
        if len(self.shells) < 2:
            raise ValueError(f"shells must be two or more, not {len(self.shells)}")
        if self.host_shell >= len(self.shells):
            raise ValueError(
                f"host_shell must be below the number of shells ({len(self.shells)}), "
                f"not {self.host_shell}"
            )
        return self

    @property
    def size(self) -> int:
        """Number of satellites of all shells."""
        return sum(shell.size for shell in self.shells)


class ElementSets(Table):
    """A real constellation from element sets or positions; its shells and planes are recovered."""

    kind: Literal["tle"] = "tle"
    tle: Path = Field(
        description="path of a file of element sets (TLE; OMM in CSV, JSON, XML or KVN) or of "
        "positions (OEM in XML or KVN, with propagation.model = oem)",
    )
    bad_records: Literal["refuse", "leave-out"] = Field(
        "refuse", description="what to do with a file that has records which are wrong"
    )
    host_shell: int | None = Field(
        None,
        ge=0,
        le=1000,
        description="number, from 0, lowest first, of the shell whose satellites may host the "
        "model, as twin elements lists them; default: the largest",
    )


class Propagation(Table):
    """How positions are computed."""

    model: str = "kepler-j2"
    chunk_steps: int = Field(256, ge=1, le=1_000_000, description="steps propagated at a time")


class Links(Table):
    """Laser inter-satellite links on a +Grid, and the limits of each."""

    seam: Literal["open", "closed", "fixed", "dynamic"] = Field(
        "open",
        description="whether the last plane links to the first: not, with the same partners for "
        "good (closed or fixed), or with the nearest that can be had (dynamic); assumption",
    )
    seam_hold_s: float = Field(
        120.0,
        ge=1e-3,
        le=1e6,
        description="dynamic seam, and links between shells: mean time between choices of "
        "partners; assumption",
    )
    cross_shell_every: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="every n-th satellite of a shell has a fifth terminal, for the nearest "
        "such one of the shell before or after its own in the list; 0: no links between shells; "
        "assumption",
    )
    acquisition_s: Delay = Field(
        10.0,
        description="pointing, acquisition and tracking: from partners being new, or all limits "
        "holding again, to the link; assumption",
    )
    grazing_altitude_km: float = Field(
        80.0,
        ge=0,
        le=100_000,
        description="the line of sight stays above this altitude; assumption",
    )
    max_range_km: float | None = Field(None, ge=1e-3, le=1e6)
    max_angular_rate_rad_s: float = Field(0.12, ge=1e-9, le=1e3)
    sun_exclusion_deg: float = Field(
        3.0,
        ge=0,
        lt=90,
        description="a terminal that looks closer to the Sun than this is blind; 0: never; "
        "assumption",
    )
    polar_shutoff_deg: float | None = Field(
        None, gt=0, le=90, description="links between planes are off beyond this latitude"
    )
    rate_gbps: Rate = 100.0
    bit_nj: float = Field(
        0.0,
        ge=0,
        le=1e9,
        description="energy of a bit of a request on a link, beyond what terminals draw whether "
        "they send or not; assumption",
    )

    @model_validator(mode="after")
    def _hold_outlasts_acquisition(self) -> Self:
        chosen_anew = self.seam == "dynamic" or self.cross_shell_every > 0
        if chosen_anew and self.seam_hold_s < 2 * self.acquisition_s:
            raise ValueError(
                f"seam_hold_s must be at least twice acquisition_s ({self.acquisition_s}), "
                f"not {self.seam_hold_s}"
            )
        return self


class Outages(Table):
    """Random link outages, beside those of geometry; each includes its own re-acquisition."""

    model: str = "iid"
    availability: Fraction = 0.95
    mean_outage_s: Duration = Field(30.0, description="gilbert-elliott only; assumption")
    params: Params = Field(default_factory=dict)


class Faults(Table):
    """Satellites that fail and recover by themselves: no links and no compute meanwhile."""

    model: str = "none"
    availability: float = Field(
        0.99, ge=1e-6, le=1, description="share of the time that a satellite is without fault"
    )
    mean_down_s: Duration = Field(900.0, description="mean length of a fault; assumption")
    params: Params = Field(default_factory=dict)


def check_bridges(sizes: Sequence[int], every: int) -> None:
    """Refuse more pairs of bridges between shells of given sizes than a step can look at."""
    bridges = [-(-size // every) for size in sizes]
    pairs = sum(a * b for a, b in pairwise(bridges))
    if pairs > MAX_BRIDGE_PAIRS:
        raise ValueError(
            f"links.cross_shell_every must be larger than {every}, which leaves {pairs:,} "
            f"pairs of satellites to choose from; allowed are {MAX_BRIDGE_PAIRS:,}"
        )
