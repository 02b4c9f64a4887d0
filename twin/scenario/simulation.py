"""The table of time, randomness and what is recorded."""

from typing import Self

from pydantic import Field, model_validator

from twin.scenario.fields import Positive, Table, UtcText

DEFAULT_START_UTC = "2026-03-20T00:00:00Z"


class Simulation(Table):
    """Time axis, randomness and what is recorded."""

    start_utc: UtcText | None = Field(
        None,
        description=f"default: {DEFAULT_START_UTC}, or with element sets their newest epoch",
    )
    steps: int = Field(200, ge=1, le=1_000_000)
    step_s: Positive | None = Field(
        None, description="length of a step; exactly one of step_s and orbits"
    )
    orbits: Positive | None = Field(
        None, description="the run spans this many orbital periods; exactly one of step_s, orbits"
    )
    seed: int = Field(0, ge=0)
    replicate: int = Field(0, ge=0, description="index of the independent repetition")
    record_satellites_every: int = Field(
        10, ge=1, description="steps between rows of the satellites table"
    )
    record_tokens_per_step: int = Field(
        2, ge=0, description="tokens a step recorded with every hop"
    )

    @model_validator(mode="after")
    def _one_time_axis(self) -> Self:
        if (self.step_s is None) == (self.orbits is None):
            raise ValueError("give exactly one of step_s and orbits")
        return self
