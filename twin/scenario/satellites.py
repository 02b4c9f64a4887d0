"""The table of what satellites decide for themselves."""

from pydantic import Field

from twin.scenario.fields import Params, Table


class SatelliteTable(Table):
    """What satellites decide for themselves."""

    rule: str = Field("reserve", description="rule of local decisions, the same for all")
    params: Params = Field(default_factory=dict)
