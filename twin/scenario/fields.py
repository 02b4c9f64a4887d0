"""What tables of a scenario and of a study are made of: a strict base, kinds of numbers."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from twin.scenario import plain

FIRST_YEAR: Final = 1900
END_YEAR: Final = 2100
"""Years, the last not included, that the Sun's position is known in."""
MOST_INSTANCES: Final = 10_000


class Table(BaseModel):
    """Base of every table: no unknown keys, no silent conversions, no change after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=True
    )


def _utc(text: str) -> str:
    try:
        when = datetime.fromisoformat(text)
        when = when.replace(tzinfo=when.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be an ISO 8601 date and time, e.g. 2026-03-20T00:00:00Z") from None
    if not FIRST_YEAR <= when.year < END_YEAR:
        raise ValueError(f"must be from {FIRST_YEAR} to {END_YEAR - 1}")
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _text(value: Any) -> Any:
    """TOML has dates of its own, which mean the same as their text."""
    return value.isoformat() if isinstance(value, date) else value


def _instances(value: Any) -> Any:
    """Say in one line what a union of types would say once for each."""
    if value == "fill" or (type(value) is int and 1 <= value <= MOST_INSTANCES):
        return value
    raise ValueError(f"must be an integer from 1 to {MOST_INSTANCES:,}, or 'fill'")


UtcText = Annotated[str, BeforeValidator(_text), AfterValidator(_utc)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Efficiency = Annotated[float, Field(ge=1e-6, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""What a run or a study is called, and its folder with it."""
Path = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]*$")]
Params = Annotated[dict[str, Any], AfterValidator(plain.params)]
"""Parameters of a named entry, which the entry checks itself."""

# Bounds are far beyond what can be built, and near enough for all arithmetic to stay finite.
Duration = Annotated[float, Field(ge=1e-3, le=1e9)]
"""In s, from a millisecond to 30 years."""
Delay = Annotated[float, Field(ge=0, le=1e9)]
Power = Annotated[float, Field(ge=0, le=1e9)]
"""In W."""
Area = Annotated[float, Field(ge=1e-6, le=1e6)]
"""In square metres."""
Celsius = Annotated[float, Field(gt=-273.15, le=10_000)]
Rate = Annotated[float, Field(ge=1e-6, le=1e9)]
"""In Gbit/s."""
Speed = Annotated[float, Field(ge=1e-6, le=1e12)]
"""In GFLOPS."""
Memory = Annotated[float, Field(ge=1e-9, le=1e9)]
"""In GB."""
Instances = Annotated[
    Annotated[int, Field(ge=1, le=MOST_INSTANCES)] | Literal["fill"], BeforeValidator(_instances)
]
"""Copies of the model."""
