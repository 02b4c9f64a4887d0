"""What tables of a scenario and of a study are made of: a strict base, kinds of numbers."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


class Table(BaseModel):
    """Base of every table: no unknown keys, no silent conversions, no change after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=True
    )


def _utc(text: str) -> str:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be an ISO 8601 date and time, e.g. 2026-03-20T00:00:00Z") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _text(value: Any) -> Any:
    """TOML has dates of its own, which mean the same as their text."""
    return value.isoformat() if isinstance(value, datetime) else value


UtcText = Annotated[str, BeforeValidator(_text), AfterValidator(_utc)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Efficiency = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
