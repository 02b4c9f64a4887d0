"""The table of what satellites decide for themselves."""

from typing import Any

from pydantic import Field

from twin.scenario.fields import Table


class SatelliteTable(Table):
    """What satellites decide for themselves."""

    rule: str = Field("reserve", description="rule of local decisions, the same for all")
    params: dict[str, Any] = Field(default_factory=dict)
